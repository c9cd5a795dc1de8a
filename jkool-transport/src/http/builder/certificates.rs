//! Whom the transport trusts, and who it says that it is.

use super::HttpTransportBuilder;
use crate::http::pem::Pem;
use std::path::PathBuf;

impl HttpTransportBuilder {
    /// Trusts these certificate authorities too, besides those of the platform. The PEM text may hold several; further
    /// calls add to it.
    pub fn ca_certificate_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificates.authorities.push(Pem::Text { setting: "ca_certificate_pem", text: pem.into() });
        self
    }

    /// The same from a file, which is read again when it has changed: see
    /// [`client_identity_files`](Self::client_identity_files).
    pub fn ca_certificate_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.certificates.authorities.push(Pem::File { setting: "ca_certificate_file", path: path.into() });
        self
    }

    /// Shows this certificate to a server that asks for one: its chain, the own certificate first, and its private key.
    pub fn client_identity_pem(mut self, chain: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        let pem = |text| Pem::Text { setting: "client_identity_pem", text };
        self.certificates.identity = Some((pem(chain.into()), pem(key.into())));
        self
    }

    /// The same from two files in PEM, or twice the same one that holds both. They are read when the transport is built, and
    /// again when they have changed, so that a certificate may be renewed under a program that runs on: whenever a connection is
    /// to be opened they are looked at, once a second at most. A connection that is open stays as it is; it ends
    /// after five minutes or 10,000 requests.
    ///
    /// While a file is missing or half written, or the key is not that of the certificate yet, what was read before stays
    /// in use, and they are read again at the next look. The error of a request that fails meanwhile says so.
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
