//! Why a transport could not deliver, or could not be built.

use std::fmt;
use std::sync::Arc;

/// What kind of trouble a [`TransportError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting is wrong; the transport was not built.
    Config,
    /// No connection: refused, unreachable, or the name did not resolve.
    Connect,
    /// The secure connection was refused, by them or by us.
    Tls,
    /// The deadline passed.
    Timeout,
    /// The connection broke while the request or the answer was under way.
    Interrupted,
    /// The server answered, and not with a success.
    Answer,
    /// The transport is closed.
    Closed,
    /// Anything else that a transport may meet.
    Other,
}

/// Why a transport could not deliver, or could not be built.
///
/// The text is our own words and the status: never the token, nor what the server sent. Cloning is cheap.
#[derive(Clone)]
pub struct TransportError {
    kind: ErrorKind,
    message: Arc<str>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl TransportError {
    /// An error in the transport's own words.
    pub fn new(kind: ErrorKind, message: impl Into<Arc<str>>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Adds what caused it.
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// What kind of trouble it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportError")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("source", &self.source)
            .finish()
    }
}

impl std::error::Error for TransportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
