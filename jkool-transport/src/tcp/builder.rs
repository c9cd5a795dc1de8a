//! The settings of a TCP transport.

use super::connection::Connector;
use super::recent::Recent;
use super::{State, TcpTransport};
use crate::error::{ErrorKind, TransportError};
use crate::http::tls_parts::{Certificates, Pem, RenewedTls, Roots};
use rustls::pki_types::ServerName;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// The settings of a [`TcpTransport`]: see [`TcpTransport::builder`].
#[must_use = "a builder does nothing until build"]
pub struct TcpTransportBuilder {
    url: String,
    connect_timeout: Duration,
    timeout: Duration,
    resend: usize,
    certificates: Certificates,
}

impl TcpTransportBuilder {
    pub(super) fn new(url: String) -> Self {
        Self {
            url,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            resend: 4 << 20,
            certificates: Certificates::default(),
        }
    }

    /// How many bytes of what was written last are kept, and written again when the connection is broken: 4 MiB by default,
    /// about what an operating system keeps of a connection.
    pub fn resend(mut self, bytes: usize) -> Self {
        self.resend = bytes;
        self
    }

    /// How long it may take until there is a connection. 10 seconds by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long the other side may take for the lines of a batch. 30 seconds by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Trusts these certificate authorities too, besides those of the platform: text in PEM. Further calls add to it.
    pub fn ca_certificate_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificates.authorities.push(Pem::Text { setting: "ca_certificate_pem", text: pem.into() });
        self
    }

    /// The same from a file, which is read again when it has changed.
    pub fn ca_certificate_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.certificates.authorities.push(Pem::File { setting: "ca_certificate_file", path: path.into() });
        self
    }

    /// Shows this certificate to a server that asks for one: two files in PEM, which are read again when they have changed.
    pub fn client_identity_files(mut self, chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        let file = |path| Pem::File { setting: "client_identity_files", path };
        self.certificates.identity = Some((file(chain.into()), file(key.into())));
        self
    }

    /// The transport. It connects when there is something to send.
    ///
    /// # Errors
    /// When the url is none of `tcp://host:port` and `tls://host:port`, or a certificate can't be used.
    pub fn build(self) -> Result<TcpTransport, TransportError> {
        let config = |text: &str| TransportError::new(ErrorKind::Config, format!("url: {text}"));
        let expected = || config("expected tcp://host:port or tls://host:port");
        let (scheme, rest) = self.url.split_once("://").ok_or_else(expected)?;
        let (host, port) = rest.trim_end_matches('/').rsplit_once(':').ok_or_else(expected)?;
        let port = port.parse().map_err(|_| expected())?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() || host.contains(['/', '@', '?', '#']) {
            return Err(expected());
        }
        let tls = match scheme {
            "tcp" => None,
            "tls" => {
                let name =
                    ServerName::try_from(host.clone()).map_err(|_| config("no certificate can name this host"))?;
                Some((Arc::new(RenewedTls::new(self.certificates, Roots::Needed)?), name))
            }
            _ => return Err(expected()),
        };
        let state = State { connection: None, recent: Recent::new(self.resend), closed: false };
        Ok(TcpTransport {
            connector: Connector { host, port, tls, timeout: self.connect_timeout },
            timeout: self.timeout,
            state: Mutex::new(state),
        })
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
