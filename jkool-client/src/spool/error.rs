//! Errors of a spool.

use std::path::{Path, PathBuf};
use std::{fmt, io};

/// What failed, and for which path.
#[derive(Debug)]
pub(crate) struct SpoolError {
    path: PathBuf,
    what: &'static str,
    source: Option<io::Error>,
}

impl SpoolError {
    /// An I/O error.
    pub(crate) fn io(path: &Path, what: &'static str, source: io::Error) -> Self {
        Self { path: path.to_owned(), what, source: Some(source) }
    }

    /// Whether the disk is full.
    pub(crate) fn is_full(&self) -> bool {
        let kind = self.source.as_ref().map(io::Error::kind);
        matches!(kind, Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
    }

    /// The folder must not be used as a spool.
    pub(crate) fn not_ours(path: &Path, what: &'static str) -> Self {
        Self { path: path.to_owned(), what, source: None }
    }
}

impl fmt::Display for SpoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "spool {}: {}", self.path.display(), self.what)?;
        self.source.as_ref().map_or(Ok(()), |source| write!(f, ": {source}"))
    }
}
