//! Why a question has no answer.

use jkool_transport::{ErrorKind, TransportError};
use std::fmt;

/// The kind of a [`QueryError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QueryErrorKind {
    /// A setting is invalid.
    Config,
    /// The service refused the statement, or cannot execute it.
    Refused,
    /// The token is missing, unknown, or has no query permission.
    Unauthorized,
    /// The service cannot be reached, or the connection broke.
    Unreachable,
    /// The time limit passed.
    TimedOut,
    /// The response is not a query answer, or a value does not fit the requested type.
    Unreadable,
    /// Any other error.
    Other,
}

/// An error from a query. Its text never contains the token.
#[derive(Debug)]
pub struct QueryError {
    kind: QueryErrorKind,
    message: String,
    source: Option<TransportError>,
}

impl QueryError {
    pub(super) fn new(kind: QueryErrorKind, message: impl fmt::Display) -> Self {
        Self { kind, message: message.to_string(), source: None }
    }

    pub(super) fn of_transport(error: TransportError) -> Self {
        let kind = match error.kind() {
            ErrorKind::Config => QueryErrorKind::Config,
            ErrorKind::Timeout => QueryErrorKind::TimedOut,
            ErrorKind::Answer => QueryErrorKind::Unreadable,
            _ => QueryErrorKind::Unreachable,
        };
        Self { kind, message: error.to_string(), source: Some(error) }
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> QueryErrorKind {
        self.kind
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for QueryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
