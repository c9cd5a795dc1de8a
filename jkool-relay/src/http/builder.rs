//! The settings of an HTTP source.

use super::HttpSource;
use crate::connections::Listener;
use crate::source::SourceError;
use crate::tls::Tls;
use jkool_intake::tokens::{Tokens, in_file};
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

/// A builder for an [`HttpSource`]; [`HttpSource::builder`] creates it.
#[derive(Default)]
#[must_use = "a builder does nothing until bind"]
pub struct HttpSourceBuilder {
    tokens: Tokens,
    tls: Tls,
}

impl HttpSourceBuilder {
    /// Requires a token: clients send it as `X-API-Key`, `token`, `Authorization`, or in JESL's handshake. Call it again to accept further
    /// tokens. Without a token, all requests are accepted.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.tokens.push(token.into());
        self
    }

    /// Requires one of the tokens in a file: one a line, without empty lines and those that begin with `#`.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, or contains no token.
    pub fn token_file(self, path: &Path) -> Result<Self, SourceError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| SourceError::new(format!("{}", path.display())).with_source(error))?;
        let mut tokens = in_file(&text).peekable();
        if tokens.peek().is_none() {
            return Err(SourceError::new(format!("{}: no token in the file", path.display())));
        }
        Ok(tokens.fold(self, Self::token))
    }

    /// Uses TLS. The two PEM files contain the certificate, with its chain, and its key.
    ///
    /// # Errors
    /// Returns an error if a file cannot be used.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, certificate: &Path, key: &Path) -> Result<Self, SourceError> {
        self.tls = Tls::read(certificate, key, &["http/1.1"])?;
        Ok(self)
    }

    /// Listens on `address`; port 0 selects a free port.
    ///
    /// # Errors
    /// Returns an error if it cannot listen on the address, or if a token is empty.
    pub async fn bind(self, address: SocketAddr) -> Result<HttpSource, SourceError> {
        if !self.tokens.is_empty() && self.tokens.take(b"") {
            return Err(SourceError::new("the token is empty"));
        }
        Ok(HttpSource::listen(Listener::bind(address, self.tls).await?, self.tokens))
    }
}

/// Does not show the tokens.
impl fmt::Debug for HttpSourceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSourceBuilder").finish_non_exhaustive()
    }
}
