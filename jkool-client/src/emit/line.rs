//! A log line, or a span, that is queued without creating an event or an activity.

use crate::emit::code::Code;
use crate::emit::decoration::{Decoration, Lacks};
use crate::emit::raw_properties::RawProperties;
use crate::emit::span::{self, EndedSpan, SpanBytes};
use jkool_model::json::Json;
use jkool_model::{OpType, Severity};
use jkool_transport::Kind;

/// A log record, or a span, in the form that an adapter has: if its key-values are all properties, no event is created.
/// For logging adapters; programs emit [`Event`](jkool_model::Event)s.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    pub op_type: OpType,
    pub operation: &'a str,
    pub severity: Severity,
    pub content: Content<'a>,
    pub code: Option<Code>,
    /// The key-values. None has a name that the client [adds](crate::Client::adds_property).
    pub properties: &'a RawProperties,
}

/// The content of a line besides its properties.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content<'a> {
    /// A message. The line gets an id, the current time, and the current thread.
    Message(&'a str),
    /// A span, which has an id, times, and a thread. The lists are JSON: further correlators, each with a comma before it,
    /// a closing bracket, and further fields, each with a comma before it. They are empty if there are none.
    Span { span: &'a SpanBytes, lists: &'a [u8] },
}

/// The bytes of a queued line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Texts<'a> {
    pub(crate) content: Content<'a>,
    pub(crate) operation: &'a str,
    pub(crate) properties: &'a [u8],
}

/// The time and the thread of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Logged {
    /// In microseconds since 1970.
    pub(crate) time: i64,
    pub(crate) tid: i64,
}

/// The part of a queued line besides its texts. It is small, because it is copied several times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamped {
    op_type: OpType,
    severity: Severity,
    is_span: bool,
    /// Whether the span has properties of its own.
    has_times: bool,
    code: Option<Code>,
    /// Not used for a span.
    logged: Logged,
    content_len: usize,
    operation_len: usize,
    properties_len: usize,
    properties_json_len: usize,
}

/// The typical size of a line's JSON besides its content.
const ROOM: usize = 288;

impl<'a> Line<'a> {
    #[inline]
    pub(crate) fn texts(&self) -> Texts<'a> {
        let Line { content, operation, properties, .. } = *self;
        Texts { content, operation, properties: properties.bytes() }
    }
}

impl Texts<'_> {
    /// Concatenates the texts.
    pub(crate) fn append(&self, out: &mut Vec<u8>) {
        match self.content {
            Content::Message(message) => out.extend_from_slice(message.as_bytes()),
            Content::Span { span, lists } => {
                out.extend_from_slice(span);
                out.extend_from_slice(lists);
            }
        }
        out.extend_from_slice(self.operation.as_bytes());
        out.extend_from_slice(self.properties);
    }
}

impl Stamped {
    /// `logged` is used for what the line does not contain.
    #[inline]
    pub(crate) fn new(line: &Line<'_>, logged: impl FnOnce() -> Logged) -> Self {
        let Line { op_type, operation, severity, content, code, properties } = *line;
        let (is_span, has_times, logged, content_len) = match content {
            Content::Message(message) => (false, false, logged(), message.len()),
            Content::Span { span, lists } => {
                (true, EndedSpan::has_properties(span), Logged { time: 0, tid: 0 }, span.len() + lists.len())
            }
        };
        Self {
            op_type,
            severity,
            is_span,
            has_times,
            code,
            logged,
            content_len,
            operation_len: operation.len(),
            properties_len: properties.bytes().len(),
            properties_json_len: properties.json_len(),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self.op_type {
            OpType::Log => Kind::Log,
            OpType::Activity => Kind::Activity,
            _ => Kind::Event,
        }
    }

    /// The number of bytes of its texts.
    pub(crate) fn texts_len(&self) -> usize {
        self.content_len + self.operation_len + self.properties_len
    }

    /// Its texts, which are stored one after the other.
    pub(crate) fn texts<'a>(&self, bytes: &'a [u8]) -> Texts<'a> {
        let (content, rest) = bytes.split_at(self.content_len);
        let (operation, properties) = rest.split_at(self.operation_len);
        let content = match content.split_first_chunk() {
            Some((span, lists)) if self.is_span => Content::Span { span, lists },
            _ => Content::Message(utf8(content)),
        };
        Texts { content, operation: utf8(operation), properties }
    }

    /// The approximate size of its JSON.
    pub(crate) fn size(&self) -> usize {
        let code = self.code.map_or(0, |code| code.module.len() + code.file.len());
        let span = if self.is_span { span::JSON_LEN } else { 0 };
        ROOM + span + self.content_len + self.operation_len + self.properties_json_len + code
    }

    /// Appends the event's JSON without the fields that it [lacks](Self::lacks).
    pub(crate) fn append_open(&self, texts: &Texts<'_>, decoration: &Decoration, out: &mut Vec<u8>) {
        let Texts { content, operation, properties } = *texts;
        let mut json = Json::begin(out, ROOM + self.content_len).raw(br#"{"type":""#);
        json = json.raw(self.op_type.as_str().as_bytes()).raw(b"\"");
        json = match content {
            Content::Message(message) if !message.is_empty() => json.raw(br#","msg-text":"#).text(message),
            _ => json,
        };
        if !operation.is_empty() {
            json = json.raw(br#","operation":"#).text(operation);
        }
        json = json.raw(br#","severity":""#).raw(self.severity.as_str().as_bytes()).raw(b"\"");
        let span = match content {
            Content::Message(_) => None,
            Content::Span { span, lists } => Some((EndedSpan::from_bytes(span), lists)),
        };
        json = match &span {
            Some((span, lists)) => span.write_json(lists, json),
            None => json.raw(br#","time-usec":"#).int(self.logged.time).raw(br#","tid":"#).int(self.logged.tid),
        };
        json.end();
        if self.has_properties() {
            decoration.append_properties(&[], properties, span.as_ref().map(|(span, _)| span), self.code, out);
        }
    }

    fn has_properties(&self) -> bool {
        self.code.is_some() || self.properties_len > 0 || self.has_times
    }

    pub(crate) fn lacks(&self) -> Lacks {
        let id = if self.is_span { Lacks::NOTHING } else { Lacks::ID };
        let all = Lacks::ALL_DEFAULTS.and(id);
        if self.has_properties() { all.but(Lacks::PROPERTIES) } else { all }
    }
}

/// Bytes that were a `str` before.
pub(crate) fn utf8(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}
