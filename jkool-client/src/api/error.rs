//! Errors of building a client, and of changing its token.

use jkool_model::SourceError;
use jkool_transport::{TokenError, TransportError};
use std::fmt;
use std::io;

/// An error from building a [`Client`](crate::Client) or replacing its token. Its text never contains the token.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Neither the builder nor the environment has a token.
    #[error(
        "no token: call `.token(..)` or set JKOOL_TOKEN for the service, or call `.url(..)` or set JKOOL_URL for a collector; \
         for tests, pass a MemoryTransport"
    )]
    NoToken,
    /// The crate was built without the `http` feature, and no transport was passed.
    #[error("no transport: pass one, or enable the feature `http`")]
    NoTransport,
    /// The token is invalid.
    #[error("the token from {from}: {error}")]
    Token {
        /// Where the token came from.
        from: &'static str,
        /// What is wrong with the token.
        error: TokenError,
    },
    /// The transport cannot be built with these settings.
    #[error("{0}")]
    Transport(TransportError),
    /// A placeholder of the source cannot be filled.
    #[error("source: {0}")]
    Source(SourceError),
    /// The value of the environment variable `JKOOL_SOURCE` is not a valid source.
    #[error("JKOOL_SOURCE: {0}")]
    SourceVariable(SourceError),
    /// A setting has an invalid value.
    #[error("{setting} {reason}")]
    Setting {
        /// The name of the builder's method.
        setting: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The delivery thread could not be started.
    #[error("the delivery thread could not be started: {0}")]
    Thread(io::Error),
}

/// The text, because this is what a `main` that returns the error prints.
impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
