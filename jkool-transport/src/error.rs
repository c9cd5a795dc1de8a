//! Errors of building a transport, and of sending.

use std::fmt;
use std::sync::Arc;

/// The kind of a [`TransportError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting is invalid; the transport was not built.
    Config,
    /// No connection: refused, unreachable, or the host name could not be resolved.
    Connect,
    /// The TLS handshake failed, because one of the two sides does not accept the other.
    Tls,
    /// The time limit passed.
    Timeout,
    /// The connection broke during the request or its response.
    Interrupted,
    /// The server responded with something else than a success.
    Answer,
    /// The transport is closed.
    Closed,
    /// Any other error.
    Other,
}

/// An error from building a transport, or from sending.
///
/// The text consists of the status and a text of this crate: it never contains the token or text from the server. Cloning is
/// cheap.
#[derive(Clone)]
pub struct TransportError {
    kind: ErrorKind,
    message: Arc<str>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl TransportError {
    /// Creates an error with a text.
    pub fn new(kind: ErrorKind, message: impl Into<Arc<str>>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Sets the error that caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// Returns the kind of the error.
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
