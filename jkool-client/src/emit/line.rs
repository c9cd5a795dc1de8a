//! A log line, or a span, without an event or an activity made of it.

use crate::emit::code::Code;
use crate::emit::decoration::{Decoration, Lacks};
use jkool_model::json::Json;
use jkool_model::{OpType, Severity};
use jkool_transport::Kind;

/// A log record as a logging facade has it at hand: when its key-values are plain properties, no event is made of it. For
/// logging adapters; a program emits [`Event`](jkool_model::Event)s.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    pub op_type: OpType,
    pub operation: &'a str,
    pub severity: Severity,
    pub message: &'a str,
    pub code: Option<Code>,
    /// Its key-values as JSON, each a property behind a comma. None has a name that the client
    /// [adds](crate::Client::adds_property).
    pub properties: &'a [u8],
    /// All else that it says of itself as JSON, each field behind a comma: its id and its times among them. What says nothing is of
    /// now and of this thread, and gets an id.
    pub fields: &'a [u8],
}

/// The bytes of a line that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Texts<'a> {
    pub(crate) message: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) properties: &'a [u8],
    pub(crate) fields: &'a [u8],
}

/// When and where a line was logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Logged {
    /// In microseconds since 1970.
    pub(crate) time: i64,
    pub(crate) tid: i64,
}

/// What waits of a line in the queue, beside its texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamped {
    op_type: OpType,
    severity: Severity,
    code: Option<Code>,
    /// None when its fields say it.
    logged: Option<Logged>,
    message_len: usize,
    operation_len: usize,
    properties_len: usize,
    fields_len: usize,
}

/// What a line takes as JSON beside its message, most often.
const ROOM: usize = 288;

impl<'a> Line<'a> {
    pub(crate) fn texts(&self) -> Texts<'a> {
        let Line { message, operation, properties, fields, .. } = *self;
        Texts { message, operation, properties, fields }
    }
}

impl Texts<'_> {
    /// Puts them one behind the other.
    pub(crate) fn append(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.message.as_bytes());
        out.extend_from_slice(self.operation.as_bytes());
        out.extend_from_slice(self.properties);
        out.extend_from_slice(self.fields);
    }
}

impl Stamped {
    /// `logged` is asked when the line does not say it.
    pub(crate) fn new(line: &Line<'_>, logged: impl FnOnce() -> Logged) -> Self {
        let Line { op_type, operation, severity, message, code, properties, fields } = *line;
        Self {
            op_type,
            severity,
            code,
            logged: fields.is_empty().then(logged),
            message_len: message.len(),
            operation_len: operation.len(),
            properties_len: properties.len(),
            fields_len: fields.len(),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self.op_type {
            OpType::Log => Kind::Log,
            OpType::Activity => Kind::Activity,
            _ => Kind::Event,
        }
    }

    /// How many bytes its texts take.
    pub(crate) fn texts_len(&self) -> usize {
        self.message_len + self.operation_len + self.properties_len + self.fields_len
    }

    /// Its texts, which stand there one behind the other.
    pub(crate) fn texts<'a>(&self, bytes: &'a [u8]) -> Texts<'a> {
        let (message, rest) = bytes.split_at(self.message_len);
        let (operation, rest) = rest.split_at(self.operation_len);
        let (properties, fields) = rest.split_at(self.properties_len);
        Texts { message: utf8(message), operation: utf8(operation), properties, fields }
    }

    /// About how many bytes of JSON it becomes.
    pub(crate) fn size(&self) -> usize {
        let code = self.code.map_or(0, |code| code.module.len() + code.file.len());
        ROOM + self.texts_len() + code
    }

    /// Appends the event's JSON but for what it [lacks](Self::lacks).
    pub(crate) fn append_open(&self, texts: &Texts<'_>, decoration: &Decoration, out: &mut Vec<u8>) {
        let Texts { message, operation, properties, fields } = *texts;
        let mut json = Json::begin(out, ROOM + message.len() + fields.len()).raw(br#"{"type":""#);
        json = json.raw(self.op_type.as_str().as_bytes()).raw(b"\"");
        if !message.is_empty() {
            json = json.raw(br#","msg-text":"#).text(message);
        }
        if !operation.is_empty() {
            json = json.raw(br#","operation":"#).text(operation);
        }
        json = json.raw(br#","severity":""#).raw(self.severity.as_str().as_bytes());
        json = json.raw(b"\"").raw(fields);
        if let Some(Logged { time, tid }) = self.logged {
            json = json.raw(br#","time-usec":"#).int(time).raw(br#","tid":"#).int(tid);
        }
        json.end();
        if self.has_properties() {
            decoration.append_properties(&[], properties, self.code, out);
        }
    }

    fn has_properties(&self) -> bool {
        self.code.is_some() || self.properties_len > 0
    }

    pub(crate) fn lacks(&self) -> Lacks {
        let id = if self.logged.is_some() { Lacks::ID } else { Lacks::NOTHING };
        let all = Lacks::ALL_DEFAULTS.and(id);
        if self.has_properties() { all.but(Lacks::PROPERTIES) } else { all }
    }
}

/// Bytes that were a text before.
pub(crate) fn utf8(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}
