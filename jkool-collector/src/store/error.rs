//! The errors of the store.

use std::fmt;
use std::io;

/// An error of the store. [`kind`](Self::kind) tells how to react to it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
}

/// The kinds of a [`StoreError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// Too many bytes wait to be written. Retry later.
    Busy,
    /// A query exceeded its timeout.
    TooSlow,
    /// The disk is full, or a file must not grow.
    Full,
    /// Files are damaged.
    Corrupt,
    /// A newer version wrote the files.
    TooNew,
    /// Another process has it open.
    Locked,
    /// The data to store is not an event, activity or snapshot.
    NoEntity,
    /// A field cannot be grouped by, or not in this way.
    NoSuchField,
    /// The server that stores the entities cannot be reached, or reports a failure.
    Server,
    /// The store was closed.
    Closed,
    /// Files cannot be opened, read or written.
    Io,
    /// Any other error, which is a bug in this crate.
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

    /// Adds the file to the error.
    pub(crate) fn at(mut self, path: &std::path::Path) -> Self {
        self.message = format!("{}: {}", path.display(), self.message);
        self
    }

    /// Returns the kind of the error.
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
