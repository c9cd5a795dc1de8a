//! Why the store can't.

use std::fmt;
use std::sync::Arc;

/// Why something couldn't be stored or read. [`kind`](Self::kind) tells what to do about it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
    #[source]
    source: Option<Arc<rusqlite::Error>>,
}

/// What a [`StoreError`] means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// More is waiting to be written than is allowed: later it works.
    Busy,
    /// A question took longer than it may.
    TooSlow,
    /// The disk is full, or the file may not grow.
    Full,
    /// The file is damaged, or no database at all.
    Corrupt,
    /// A newer version wrote the file.
    TooNew,
    /// Another process is at it, for longer than we wait.
    Locked,
    /// What was to be stored is no event, activity or snapshot.
    NoEntity,
    /// The store was closed.
    Closed,
    /// The file can't be opened, read or written.
    Io,
    /// Anything else: a fault of ours.
    Internal,
}

impl StoreError {
    pub(crate) fn new(kind: StoreErrorKind, message: impl fmt::Display) -> Self {
        Self { kind, message: message.to_string(), source: None }
    }

    /// Says of which file.
    pub(crate) fn at(mut self, path: &std::path::Path) -> Self {
        self.message = format!("{}: {}", path.display(), self.message);
        self
    }

    /// What it means.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

#[doc(hidden)]
impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let kind = match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => StoreErrorKind::TooSlow,
            Some(ErrorCode::DiskFull) => StoreErrorKind::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreErrorKind::Corrupt,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreErrorKind::Locked,
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::ReadOnly
                | ErrorCode::FileLockingProtocolFailed,
            ) => StoreErrorKind::Io,
            _ => StoreErrorKind::Internal,
        };
        Self { kind, message: format!("the store: {error}"), source: Some(Arc::new(error)) }
    }
}
