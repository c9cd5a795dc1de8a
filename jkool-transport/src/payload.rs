//! What travels: one encoded event and where it belongs.

use bytes::Bytes;
use std::fmt;

/// What an encoded entity is, and so where it is sent: over HTTP each kind has its own path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// An event: something happened.
    Event,
    /// An activity: a group of related events.
    Activity,
    /// A stand-alone snapshot: a named set of metrics.
    Snapshot,
    /// A log entry, as jkool-client-java-api's `LogMsg` sends it.
    Log,
    /// A data set: a snapshot that holds data rather than the state of something.
    Dataset,
}

impl Kind {
    /// The last segment of the kind's url path, as jkool-client-java-api uses it.
    pub const fn path(self) -> &'static str {
        match self {
            Kind::Event => "event",
            Kind::Activity => "activity",
            Kind::Snapshot => "snapshot",
            Kind::Log => "log",
            Kind::Dataset => "dataset",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path())
    }
}

/// One encoded event with its routing: what a [`Transport`](crate::Transport) is handed.
///
/// The bytes are made once. A retry sends the same ones, so cloning is cheap and never copies them.
///
/// ```
/// use jkool_transport::{Kind, Payload};
/// let payload = Payload::new(Kind::Event, r#"{"operation":"ProcessOrder"}"#).with_key("ProcessOrder");
/// assert_eq!(payload.key(), Some("ProcessOrder"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Payload {
    kind: Kind,
    key: Option<Box<str>>,
    body: Bytes,
}

impl Payload {
    /// A payload of `kind` whose body is one JSON entity in UTF-8, on one line.
    pub fn new(kind: Kind, body: impl Into<Bytes>) -> Self {
        Self { kind, key: None, body: body.into() }
    }

    /// Adds the key by which a partitioned transport keeps related payloads together: the operation of an event, the
    /// category of a snapshot (TNT4J's Kafka sink does the same).
    pub fn with_key(mut self, key: impl Into<Box<str>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// What the body is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The partition key, when there is one.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The encoded entity.
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

/// Shows the size and not the content: a payload holds what the program logs.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload")
            .field("kind", &self.kind)
            .field("key", &self.key)
            .field("bytes", &self.body.len())
            .finish()
    }
}
