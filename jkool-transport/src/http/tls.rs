//! The TLS settings of a connection. Certificates are always verified: no code here can disable it.

use super::config_error;
use super::pem::Pem;
use crate::error::TransportError;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use std::sync::Arc;

/// Whether connections need the platform's certificate authorities. Loading them takes a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Roots {
    /// TLS is used: without any authority, building fails.
    Needed,
    /// TLS may be used, by a proxy from the environment.
    Useful,
    /// TLS is not used.
    Unused,
}

/// The certificates that the user adds to the platform's.
#[derive(Default)]
pub(crate) struct Certificates {
    pub(crate) authorities: Vec<Pem>,
    /// The certificate chain, starting with the client certificate, and its private key.
    pub(crate) identity: Option<(Pem, Pem)>,
}

impl Certificates {
    /// Builds the rustls settings with its ring provider, without changing the process-wide default.
    pub(super) fn config(&self, roots: Roots) -> Result<ClientConfig, TransportError> {
        let authorities = self.authorities()?;
        let identity = self.identity()?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable("tls", error))?;
        let builder = match roots {
            Roots::Unused => builder.with_root_certificates(RootCertStore::empty()),
            Roots::Needed | Roots::Useful => match Verifier::new_with_extra_roots(authorities, provider) {
                // rustls calls every custom verifier dangerous; this one is the platform's, with its strictest settings.
                Ok(verifier) => builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
                Err(_) if roots == Roots::Useful => builder.with_root_certificates(RootCertStore::empty()),
                Err(error) => {
                    let text = "tls: no certificate authority was found on this machine; install ca-certificates, or \
                                add one by ca_certificate_pem or ca_certificate_file";
                    return Err(config_error(text).with_source(error));
                }
            },
        };
        let mut config = match (identity, &self.identity) {
            (Some((chain, key)), Some(from)) => {
                builder.with_client_auth_cert(chain, key).map_err(|error| unusable(&names(from), error))?
            }
            _ => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    fn authorities(&self) -> Result<Vec<CertificateDer<'static>>, TransportError> {
        let mut all = Vec::new();
        // Checked here, so that an invalid certificate has another error than a machine without authorities.
        let mut store = RootCertStore::empty();
        for pem in &self.authorities {
            for authority in pem.certificates()? {
                store.add(authority.clone()).map_err(|error| unusable(&pem.name(), error))?;
                all.push(authority);
            }
        }
        Ok(all)
    }

    fn identity(&self) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, TransportError> {
        let Some((chain, key)) = &self.identity else { return Ok(None) };
        Ok(Some((chain.certificates()?, key.private_key()?)))
    }

    /// All PEM texts and files.
    pub(super) fn all(&self) -> impl Iterator<Item = &Pem> {
        let identity = self.identity.iter().flat_map(|(chain, key)| [chain, key]);
        self.authorities.iter().chain(identity)
    }
}

/// The name of the two settings in an error about certificate and key.
fn names((chain, key): &(Pem, Pem)) -> String {
    match key {
        Pem::Text { .. } => chain.name(),
        Pem::File { path, .. } => format!("{} and {path:?}", chain.name()),
    }
}

fn unusable(setting: &str, error: rustls::Error) -> TransportError {
    config_error(format!("{setting}: {error}")).with_source(error)
}
