//! Why a client can't be built, or changed.

use jkool_model::SourceError;
use jkool_transport::{TokenError, TransportError};
use std::io;

/// Why a [`Client`](crate::Client) can't be built, or given another token. No text of it holds the token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Neither the builder nor the environment has a token.
    #[error("no token: call `.token(..)`, or set JKOOL_TOKEN; for tests, pass a MemoryTransport")]
    NoToken,
    /// The crate was built without the `http` feature, and no transport was passed.
    #[error("no transport: pass one, or switch on the feature `http`")]
    NoTransport,
    /// The token is no token.
    #[error("the token from {from}: {error}")]
    Token {
        /// Where it came from.
        from: &'static str,
        /// What is wrong with it.
        error: TokenError,
    },
    /// The transport can't be built as it is set.
    #[error("{0}")]
    Transport(TransportError),
    /// A placeholder of the source can't be filled.
    #[error("source: {0}")]
    Source(SourceError),
    /// The variable `JKOOL_SOURCE` is no source.
    #[error("the source from JKOOL_SOURCE: {0}")]
    SourceVariable(SourceError),
    /// A setting is out of its range.
    #[error("{setting} {reason}")]
    Setting {
        /// The builder's method.
        setting: &'static str,
        /// What is wrong.
        reason: &'static str,
    },
    /// The delivery thread did not start.
    #[error("the delivery thread did not start: {0}")]
    Thread(io::Error),
}
