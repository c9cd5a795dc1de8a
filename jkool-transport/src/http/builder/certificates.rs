//! The certificates of an HTTP transport: trusted authorities and the client certificate.

use super::HttpTransportBuilder;
use crate::http::pem::Pem;
use std::path::PathBuf;

impl HttpTransportBuilder {
    /// Adds trusted certificate authorities, in PEM, to those of the platform. The text may contain several, and further calls
    /// add more.
    pub fn ca_certificate_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificates.authorities.push(Pem::Text { setting: "ca_certificate_pem", text: pem.into() });
        self
    }

    /// Adds trusted certificate authorities from a PEM file, which is read again when it changes; see
    /// [`client_identity_files`](Self::client_identity_files).
    pub fn ca_certificate_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.certificates.authorities.push(Pem::File { setting: "ca_certificate_file", path: path.into() });
        self
    }

    /// Sets the client certificate, in PEM: its chain, starting with the certificate itself, and its private key.
    pub fn client_identity_pem(mut self, chain: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        let pem = |text| Pem::Text { setting: "client_identity_pem", text };
        self.certificates.identity = Some((pem(chain.into()), pem(key.into())));
        self
    }

    /// Sets the client certificate from two PEM files, or twice the same file if it contains both. The files are read when the
    /// transport is built, and again when they change, so that a certificate can be renewed while the program runs: they are
    /// checked whenever a connection is opened, at most once a second. Open connections keep their certificate; they are closed
    /// after five minutes or 10,000 requests.
    ///
    /// If a file is missing or incomplete, or the key does not match the certificate, the previous ones stay in use, and the
    /// files are read again at the next check. The error of a request that fails in the meantime says so.
    ///
    /// ```no_run
    /// use jkool_transport::{DEFAULT_URL, HttpTransport};
    /// let transport = HttpTransport::builder(DEFAULT_URL)
    ///     .ca_certificate_file("/run/tls/ca.pem")
    ///     .client_identity_files("/run/tls/tls.crt", "/run/tls/tls.key")
    ///     .build()?;
    /// # Ok::<(), jkool_transport::TransportError>(())
    /// ```
    pub fn client_identity_files(mut self, chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        let file = |path| Pem::File { setting: "client_identity_files", path };
        self.certificates.identity = Some((file(chain.into()), file(key.into())));
        self
    }
}
