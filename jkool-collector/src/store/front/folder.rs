//! The folder of a store, which one process at a time can open.

use crate::store::{StoreError, StoreErrorKind};
use std::fmt;
use std::fs::{self, DirBuilder};
use std::path::{Path, PathBuf};
use tantivy::Directory;
use tantivy::directory::error::LockError;
use tantivy::directory::{DirectoryLock, Lock as LockFile, MmapDirectory};

/// The version of the format.
const VERSION: u32 = 2;

const LOCK: &str = "lock";
const OWNER: &str = "owner";
const FORMAT: &str = "format";

/// A lock on the folder. The system releases it when the process ends, also after a crash.
pub(in crate::store) struct Lock {
    _held: DirectoryLock,
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lock")
    }
}

/// Creates missing folders, readable only by their owner, because they contain what programs log.
pub(in crate::store) fn make_folders(paths: &[&Path]) -> Result<(), StoreError> {
    for path in paths {
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(StoreError::io(&error).at(path));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Locks the folder, and checks that this version can read its format.
pub(in crate::store) fn take(path: &Path) -> Result<Lock, StoreError> {
    let directory = MmapDirectory::open(path).map_err(|error| StoreError::new(StoreErrorKind::Io, error).at(path))?;
    let held = directory.acquire_lock(&LockFile { filepath: LOCK.into(), is_blocking: false });
    let held = held.map_err(|error| match error {
        LockError::LockBusy => {
            let owner = fs::read_to_string(path.join(OWNER)).unwrap_or_default();
            let owner = if owner.is_empty() { String::new() } else { format!(" (process {})", owner.trim()) };
            StoreError::new(StoreErrorKind::Locked, format!("in use by another collector{owner}")).at(path)
        }
        LockError::IoError(error) => StoreError::io(&error).at(path),
    })?;
    let io = |error: std::io::Error| StoreError::io(&error).at(path);
    fs::write(path.join(OWNER), std::process::id().to_string()).map_err(io)?;
    match fs::read_to_string(path.join(FORMAT)) {
        Ok(version) if version.trim().parse().is_ok_and(|version: u32| version > VERSION) => {
            let error = format!(
                "written by a newer version: its format is {}, this version supports {VERSION}",
                version.trim()
            );
            return Err(StoreError::new(StoreErrorKind::TooNew, error).at(path));
        }
        Ok(version) if version.trim().parse() == Ok(VERSION) => {}
        _ => fs::write(path.join(FORMAT), format!("{VERSION}\n")).map_err(io)?,
    }
    Ok(Lock { _held: held })
}

/// Returns an unused name next to `path`.
pub(crate) fn aside(path: &Path) -> PathBuf {
    let name = |number: u64| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".corrupt-{number}"));
        PathBuf::from(name)
    };
    (1..).map(name).find(|aside| !aside.exists()).unwrap_or_else(|| name(0))
}

/// Returns `path` with a suffix.
pub(in crate::store) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
