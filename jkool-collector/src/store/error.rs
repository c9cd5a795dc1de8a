//! Why the store can't.

use std::fmt;
use std::io;

/// Why something couldn't be stored or read. [`kind`](Self::kind) tells what to do about it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
}

/// What a [`StoreError`] means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// More is waiting to be written than is allowed: later it works.
    Busy,
    /// A question took longer than it may.
    TooSlow,
    /// The disk is full, or a file may not grow.
    Full,
    /// Files are damaged.
    Corrupt,
    /// A newer version wrote the files.
    TooNew,
    /// Another process has it open.
    Locked,
    /// What was to be stored is no event, activity or snapshot.
    NoEntity,
    /// A field that can't be grouped by, or not in this way.
    NoSuchField,
    /// The server that keeps the entities can't be reached, or says that it can't.
    Server,
    /// The store was closed.
    Closed,
    /// Files can't be opened, read or written.
    Io,
    /// Anything else: a fault of ours.
    Internal,
}

impl StoreError {
    pub(crate) fn new(kind: StoreErrorKind, message: impl fmt::Display) -> Self {
        Self { kind, message: message.to_string() }
    }

    pub(crate) fn io(error: &io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::FileTooLarge | io::ErrorKind::QuotaExceeded => {
                StoreErrorKind::Full
            }
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => StoreErrorKind::Corrupt,
            _ => StoreErrorKind::Io,
        };
        Self::new(kind, format_args!("the store: {error}"))
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
impl From<tantivy::TantivyError> for StoreError {
    fn from(error: tantivy::TantivyError) -> Self {
        use tantivy::TantivyError;
        use tantivy::directory::error::OpenReadError;
        let kind = match &error {
            TantivyError::IoError(error)
            | TantivyError::OpenReadError(OpenReadError::IoError { io_error: error, .. }) => {
                return Self::io(error);
            }
            TantivyError::DataCorruption(_) | TantivyError::OpenReadError(OpenReadError::FileDoesNotExist(_)) => {
                StoreErrorKind::Corrupt
            }
            TantivyError::IncompatibleIndex(_) => StoreErrorKind::TooNew,
            TantivyError::LockFailure(..) => StoreErrorKind::Locked,
            TantivyError::OpenReadError(_) | TantivyError::OpenWriteError(_) | TantivyError::OpenDirectoryError(_) => {
                StoreErrorKind::Io
            }
            _ => StoreErrorKind::Internal,
        };
        Self::new(kind, format_args!("the index: {error}"))
    }
}
