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

/// Builds a [`TcpTransport`]; see [`TcpTransport::builder`].
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

    /// Sets how many of the last written bytes are kept, to be written again when the connection breaks. The default is 4 MiB,
    /// about the size of an operating system's buffers for a connection.
    pub fn resend(mut self, bytes: usize) -> Self {
        self.resend = bytes;
        self
    }

    /// Sets the time limit for connecting. The default is 10 seconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connector.timeout(timeout);
        self
    }

    /// Sets how long writing the lines of a batch may take. The default is 30 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Adds trusted certificate authorities, in PEM, to those of the platform. Further calls add more.
    pub fn ca_certificate_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.connector.ca_certificate_pem(pem.into());
        self
    }

    /// Adds trusted certificate authorities from a PEM file, which is read again when it changes.
    pub fn ca_certificate_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.connector.ca_certificate_file(path.into());
        self
    }

    /// Sets the client certificate, from two PEM files, which are read again when they change.
    pub fn client_identity_files(mut self, chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.connector.client_identity_files(chain.into(), key.into());
        self
    }

    /// Builds the transport. It connects when there is something to send.
    ///
    /// # Errors
    /// If the url does not have the form `tcp://host:port` or `tls://host:port`, or a certificate is invalid.
    pub fn build(self) -> Result<TcpTransport, TransportError> {
        let connector = self.connector.build(&self.url, SCHEMES)?;
        let state = State { connection: None, recent: Recent::new(self.resend), closed: false };
        Ok(TcpTransport { connector, timeout: self.timeout, state: Mutex::new(state) })
    }
}

/// Shows the address, and no certificate.
impl fmt::Debug for TcpTransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpTransportBuilder")
            .field("url", &self.url)
            .field("resend", &self.resend)
            .finish_non_exhaustive()
    }
}
