//! The TLS settings of a connection. Certificates are always verified: there is no code here that could switch it off.

use super::config_error;
use crate::error::TransportError;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use std::sync::Arc;

/// Whether connections need the authorities that the platform trusts. Reading them takes a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Roots {
    /// TLS is certain: without a single authority there is no point in starting.
    Needed,
    /// TLS is possible, by a proxy that the environment may name.
    Useful,
    /// No connection will use TLS.
    Unused,
}

/// What the user adds to the platform's settings, in PEM.
#[derive(Default)]
pub(super) struct Certificates {
    pub(super) authorities: Vec<Vec<u8>>,
    pub(super) identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl Certificates {
    /// The settings for rustls, by its ring provider and without touching what the process has as its default.
    pub(super) fn config(&self, roots: Roots) -> Result<ClientConfig, TransportError> {
        let authorities = self.authorities()?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable("tls", error))?;
        let builder = match roots {
            Roots::Unused => builder.with_root_certificates(RootCertStore::empty()),
            Roots::Needed | Roots::Useful => match Verifier::new_with_extra_roots(authorities, provider) {
                // rustls calls every verifier dangerous that is not its own; this one is the platform's, at its strictest.
                Ok(verifier) => builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
                Err(_) if roots == Roots::Useful => builder.with_root_certificates(RootCertStore::empty()),
                Err(error) => {
                    let text = "tls: no certificate authority could be loaded; this machine may have none \
                                (install ca-certificates, or add one with ca_certificate_pem)";
                    return Err(config_error(text).with_source(error));
                }
            },
        };
        let mut config = match self.identity()? {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                builder.with_client_auth_cert(chain, key).map_err(|error| unusable("client_identity_pem", error))?
            }
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    fn authorities(&self) -> Result<Vec<CertificateDer<'static>>, TransportError> {
        let mut all = Vec::new();
        for pem in &self.authorities {
            all.append(&mut certificates("ca_certificate_pem", pem)?);
        }
        // Found here, a certificate that is none is told from a machine without authorities.
        let mut store = RootCertStore::empty();
        for authority in &all {
            store.add(authority.clone()).map_err(|error| unusable("ca_certificate_pem", error))?;
        }
        Ok(all)
    }

    fn identity(&self) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, TransportError> {
        let Some((chain, key)) = &self.identity else { return Ok(None) };
        let chain = certificates("client_identity_pem", chain)?;
        // The parser's error is not kept: what it could quote is the key.
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|_| config_error("client_identity_pem: there is no private key in PEM in the second argument"))?;
        Ok(Some((chain, key)))
    }
}

fn certificates(setting: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TransportError> {
    let certificates = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| config_error(format!("{setting}: the certificate is damaged PEM")))?;
    if certificates.is_empty() {
        return Err(config_error(format!("{setting}: there is no certificate in PEM in it")));
    }
    Ok(certificates)
}

fn unusable(setting: &str, error: rustls::Error) -> TransportError {
    config_error(format!("{setting}: {error}")).with_source(error)
}
