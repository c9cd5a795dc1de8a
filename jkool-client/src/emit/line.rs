//! A log line, without an event made of it.

use crate::emit::code::Code;
use crate::emit::decoration::{Decoration, Lacks};
use jkool_model::json::Json;
use jkool_model::{OpType, Severity};
use jkool_transport::Kind;

/// A log record without key-values, as a logging facade has it at hand: most records are like this, and for none of them an
/// event is made. For logging adapters; a program emits [`Event`](jkool_model::Event)s.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    pub op_type: OpType,
    pub operation: &'a str,
    pub severity: Severity,
    pub message: &'a str,
    pub code: Option<Code>,
}

/// What waits of a line in the queue, beside its message and its operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamped {
    op_type: OpType,
    severity: Severity,
    code: Option<Code>,
    /// In microseconds since 1970.
    time: i64,
    tid: i64,
    pub(crate) message_len: usize,
}

/// What a line takes as JSON beside its message, most often.
const ROOM: usize = 288;

impl Stamped {
    pub(crate) fn new(line: &Line<'_>, time: i64, tid: i64) -> Self {
        let Line { op_type, severity, code, message, .. } = *line;
        Self { op_type, severity, code, time, tid, message_len: message.len() }
    }

    pub(crate) fn kind(&self) -> Kind {
        if self.op_type == OpType::Log { Kind::Log } else { Kind::Event }
    }

    /// About how many bytes of JSON it becomes.
    pub(crate) fn size(&self, operation_len: usize) -> usize {
        let code = self.code.map_or(0, |code| code.module.len() + code.file.len());
        ROOM + self.message_len + operation_len + code
    }

    /// Appends the event's JSON but for what it [lacks](Self::lacks).
    pub(crate) fn append_open(&self, message: &str, operation: &str, decoration: &Decoration, out: &mut Vec<u8>) {
        let mut json = Json::begin(out, ROOM + message.len()).raw(br#"{"type":""#);
        json = json.raw(self.op_type.as_str().as_bytes()).raw(b"\"");
        if !message.is_empty() {
            json = json.raw(br#","msg-text":"#).text(message);
        }
        if !operation.is_empty() {
            json = json.raw(br#","operation":"#).text(operation);
        }
        json = json.raw(br#","severity":""#).raw(self.severity.as_str().as_bytes());
        json = json.raw(br#"","time-usec":"#).int(self.time).raw(br#","tid":"#).int(self.tid);
        json.end();
        if self.code.is_some() {
            decoration.append_properties(&[], self.code, out);
        }
    }

    pub(crate) fn lacks(&self) -> Lacks {
        let all = Lacks::ALL_DEFAULTS.and(Lacks::ID);
        if self.code.is_some() { all.but(Lacks::PROPERTIES) } else { all }
    }
}
