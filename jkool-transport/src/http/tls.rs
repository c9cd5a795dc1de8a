//! The TLS settings of a connection. Certificates are always verified: there is no code here that could switch it off.

use super::config_error;
use super::pem::Pem;
use crate::error::TransportError;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use std::sync::Arc;

/// Whether connections need the authorities that the platform trusts. Reading them takes a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Roots {
    /// TLS is certain: without a single authority there is no point in starting.
    Needed,
    /// TLS is possible, by a proxy that the environment may name.
    Useful,
    /// No connection will use TLS.
    Unused,
}

/// What the user adds to the platform's settings.
#[derive(Default)]
pub(crate) struct Certificates {
    pub(crate) authorities: Vec<Pem>,
    /// The chain, the own certificate first, and its private key.
    pub(crate) identity: Option<(Pem, Pem)>,
}

impl Certificates {
    /// The settings for rustls, by its ring provider and without touching what the process has as its default.
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
                // rustls calls every verifier dangerous that is not its own; this one is the platform's, at its strictest.
                Ok(verifier) => builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
                Err(_) if roots == Roots::Useful => builder.with_root_certificates(RootCertStore::empty()),
                Err(error) => {
                    let text = "tls: no certificate authority could be loaded; this machine may have none \
                                (install ca-certificates, or add one with ca_certificate_pem or ca_certificate_file)";
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
        // Found here, a certificate that is none is told from a machine without authorities.
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

    /// All texts and files.
    pub(super) fn all(&self) -> impl Iterator<Item = &Pem> {
        let identity = self.identity.iter().flat_map(|(chain, key)| [chain, key]);
        self.authorities.iter().chain(identity)
    }
}

/// What an error over a certificate and its key calls the two.
fn names((chain, key): &(Pem, Pem)) -> String {
    match key {
        Pem::Text { .. } => chain.name(),
        Pem::File { path, .. } => format!("{} and {path:?}", chain.name()),
    }
}

fn unusable(setting: &str, error: rustls::Error) -> TransportError {
    config_error(format!("{setting}: {error}")).with_source(error)
}
