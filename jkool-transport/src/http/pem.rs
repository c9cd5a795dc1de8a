//! The origin of certificates and keys: a text from the program, or a file.

use super::config_error;
use crate::error::TransportError;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::borrow::Cow;
use std::fs::Metadata;
use std::path::PathBuf;
use std::time::SystemTime;

/// A PEM text or file, and the setting that it came from.
pub(crate) enum Pem {
    Text { setting: &'static str, text: Vec<u8> },
    File { setting: &'static str, path: PathBuf },
}

impl Pem {
    /// Its name in an error.
    pub(super) fn name(&self) -> String {
        match self {
            Pem::Text { setting, .. } => (*setting).to_owned(),
            Pem::File { setting, path } => format!("{setting} {path:?}"),
        }
    }

    pub(super) fn setting(&self) -> &'static str {
        match self {
            Pem::Text { setting, .. } | Pem::File { setting, .. } => setting,
        }
    }

    pub(super) fn is_file(&self) -> bool {
        matches!(self, Pem::File { .. })
    }

    /// All certificates in it; at least one is required.
    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TransportError> {
        let certificates = CertificateDer::pem_slice_iter(&self.read()?)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| config_error(format!("{}: the certificate is not valid PEM", self.name())))?;
        if certificates.is_empty() {
            return Err(config_error(format!("{}: contains no certificate in PEM format", self.name())));
        }
        Ok(certificates)
    }

    /// The first private key in it. The parser's error is discarded, because it could quote the key.
    pub(super) fn private_key(&self) -> Result<PrivateKeyDer<'static>, TransportError> {
        PrivateKeyDer::from_pem_slice(&self.read()?).map_err(|_| {
            let place = if self.is_file() { "the file" } else { "the second argument" };
            config_error(format!("{}: {place} contains no private key in PEM format", self.name()))
        })
    }

    fn read(&self) -> Result<Cow<'_, [u8]>, TransportError> {
        match self {
            Pem::Text { text, .. } => Ok(text.into()),
            Pem::File { path, .. } => match std::fs::read(path) {
                Ok(text) => Ok(text.into()),
                Err(error) => Err(config_error(format!("{}: cannot be read: {error}", self.name())).with_source(error)),
            },
        }
    }

    /// The data by which a change of the file is detected. `None` for a text, and for a missing file.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        match self {
            Pem::Text { .. } => None,
            // Of the target of a link: secrets are often replaced by changing a link.
            Pem::File { path, .. } => std::fs::metadata(path).ok().map(|metadata| Stamp::of(&metadata)),
        }
    }
}

/// The data that differ between a file and its previous version.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    modified: Option<SystemTime>,
    len: u64,
    /// Device and inode number: a file that was moved here may be older than the previous one.
    id: (u64, u64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self { modified: metadata.modified().ok(), len: metadata.len(), id: id(metadata) }
    }
}

#[cfg(unix)]
fn id(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn id(_: &Metadata) -> (u64, u64) {
    (0, 0)
}
