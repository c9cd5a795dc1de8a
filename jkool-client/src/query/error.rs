//! Why a question has no answer.

use jkool_transport::{ErrorKind, TransportError};
use std::fmt;

/// What kind of trouble a [`QueryError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QueryErrorKind {
    /// A setting is wrong.
    Config,
    /// The service says that something is wrong with the statement, or that it can't answer it.
    Refused,
    /// The token is missing, unknown, or may not query.
    Unauthorized,
    /// The service can't be reached, or the connection broke.
    Unreachable,
    /// There was no answer in time.
    TimedOut,
    /// What came is no answer to a question, or does not fit the type that was asked for.
    Unreadable,
    /// Anything else.
    Other,
}

/// Why a question has no answer. No text of it holds the token.
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

    /// What kind of trouble it is.
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
