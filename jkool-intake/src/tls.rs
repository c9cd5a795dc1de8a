//! TLS, with a certificate that is given.

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// Why a certificate or its key can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The file can't be read, or holds no certificate (no key) in the PEM format.
    #[error("{}: {error}", path.display())]
    File {
        /// Of the two the one that is meant.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The certificate can't be used, or the key is that of another.
    #[error("{} with {}: {error}", chain.display(), key.display())]
    Certificate {
        /// The file of the certificate.
        chain: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// What is wrong with them.
        #[source]
        error: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Reads a chain of certificates, the server's own first, and its key, for a server of these protocols (ALPN).
///
/// # Errors
/// If a file can't be read, or the two do not belong together.
pub fn acceptor(chain: &Path, key: &Path, protocols: &[&str]) -> Result<TlsAcceptor, TlsError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error: pem::Error| TlsError::File { path, error: error.into() }
    };
    let certificates = CertificateDer::pem_file_iter(chain).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates =
        certificates.and_then(|some| if some.is_empty() { Err(pem::Error::NoItemsFound) } else { Ok(some) });
    let certificates = certificates.map_err(at(chain))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(at(key))?;
    let bad =
        |error: rustls::Error| TlsError::Certificate { chain: chain.into(), key: key.into(), error: error.into() };
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(bad)?
        .with_no_client_auth()
        .with_single_cert(certificates, private)
        .map_err(bad)?;
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Ok(Arc::new(config).into())
}
