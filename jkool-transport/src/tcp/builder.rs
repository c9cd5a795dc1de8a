//! The settings of a TCP transport.

use super::recent::Recent;
use super::{State, TcpTransport};
use crate::connector::{ConnectorBuilder, Schemes};
use crate::error::TransportError;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::Mutex;

const SCHEMES: Schemes = Schemes { plain: ("tcp", None), tls: ("tls", None) };

/// The settings of a [`TcpTransport`]: see [`TcpTransport::builder`].
#[must_use = "a builder does nothing until build"]
pub struct TcpTransportBuilder {
    url: String,
    connector: ConnectorBuilder,
    timeout: Duration,
    resend: usize,
}

impl TcpTransportBuilder {
    pub(super) fn new(url: String) -> Self {
        Self { url, connector: ConnectorBuilder::default(), timeout: Duration::from_secs(30), resend: 4 << 20 }
    }

    /// How many bytes of what was written last are kept, and written again when the connection is broken: 4 MiB by default,
    /// about what an operating system keeps of a connection.
    pub fn resend(mut self, bytes: usize) -> Self {
        self.resend = bytes;
        self
    }

    /// How long it may take until there is a connection. 10 seconds by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connector.timeout(timeout);
        self
    }

    /// How long the other side may take for the lines of a batch. 30 seconds by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Trusts these certificate authorities too, besides those of the platform: text in PEM. Further calls add to it.
    pub fn ca_certificate_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.connector.ca_certificate_pem(pem.into());
        self
    }

    /// The same from a file, which is read again when it has changed.
    pub fn ca_certificate_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.connector.ca_certificate_file(path.into());
        self
    }

    /// Shows this certificate to a server that asks for one: two files in PEM, which are read again when they have changed.
    pub fn client_identity_files(mut self, chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.connector.client_identity_files(chain.into(), key.into());
        self
    }

    /// The transport. It connects when there is something to send.
    ///
    /// # Errors
    /// When the url is none of `tcp://host:port` and `tls://host:port`, or a certificate can't be used.
    pub fn build(self) -> Result<TcpTransport, TransportError> {
        let connector = self.connector.build(&self.url, SCHEMES)?;
        let state = State { connection: None, recent: Recent::new(self.resend), closed: false };
        Ok(TcpTransport { connector, timeout: self.timeout, state: Mutex::new(state) })
    }
}

/// Shows where it will send, and no certificate.
impl fmt::Debug for TcpTransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpTransportBuilder")
            .field("url", &self.url)
            .field("resend", &self.resend)
            .finish_non_exhaustive()
    }
}
