//! Imports a file that version 0.1 left at the path of the store.

use super::progress::Report;
use super::{StoreError, StoreErrorKind};
use std::fs::File;
use std::io::Read;
use std::path::Path;

#[cfg(feature = "sqlite")]
mod sqlite;

/// The first bytes of a file of version 0.1.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// Imports the file at `path`, if there is one, and returns messages about it.
pub(super) fn take_over(path: &Path, report: &Report) -> Result<Vec<String>, StoreError> {
    #[cfg(feature = "sqlite")]
    sqlite::finish(path)?;
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(SQLITE.len() as u64).read_to_end(&mut head));
    read.map_err(|error| StoreError::io(&error).at(path))?;
    if head == SQLITE {
        return convert(path, report);
    }
    // It may be any file of the user, named by mistake.
    Err(StoreError::new(StoreErrorKind::Corrupt, "a file that is not a store, and was left as it is").at(path))
}

#[cfg(feature = "sqlite")]
fn convert(path: &Path, report: &Report) -> Result<Vec<String>, StoreError> {
    sqlite::convert(path, report)
}

#[cfg(not(feature = "sqlite"))]
fn convert(path: &Path, _: &Report) -> Result<Vec<String>, StoreError> {
    let error = StoreError::new(StoreErrorKind::TooNew, "a file of version 0.1, which needs the feature `sqlite`");
    Err(error.at(path))
}
