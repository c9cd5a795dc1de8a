//! The journal of acknowledged entities that may not be in an index yet: files that are only appended to, and synced
//! before an acknowledgement. Files whose entities are all indexed are removed.

mod frame;
mod replay;

pub(super) use replay::{Replayed, replay};

use super::{Durability, StoreError, StoreErrorKind, Stored};
use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The first bytes of a file.
const MAGIC: &[u8; 8] = b"jkooljn1";

/// The size in bytes after which a new file is started.
const FILE: u64 = 8 << 20;

/// The journal of a store.
#[derive(Debug)]
pub(super) struct Journal {
    folder: PathBuf,
    durability: Durability,
    /// The full files, with the number of the last entity in each.
    full: Vec<(PathBuf, u64)>,
    current: Option<Current>,
    frame: Vec<u8>,
    /// The size at which the disk counts as full; for tests.
    limit: Option<u64>,
}

#[derive(Debug)]
struct Current {
    path: PathBuf,
    file: File,
    /// The length up to which the file is valid.
    length: u64,
    last: u64,
}

impl Journal {
    /// Opens a journal after `files`, each with the number of its last entity.
    pub(super) fn open(folder: &Path, durability: Durability, files: Vec<(PathBuf, u64)>, limit: Option<u64>) -> Self {
        Self { folder: folder.to_owned(), durability, full: files, current: None, frame: Vec::new(), limit }
    }

    /// Appends all entities, or none if an error is returned.
    pub(super) fn append(&mut self, group: &[Arc<Stored>]) -> Result<(), StoreError> {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { return Ok(()) };
        frame::write(&mut self.frame, group);
        let mut current = match self.current.take() {
            Some(current) if current.length < FILE => current,
            full => {
                self.full.extend(full.map(|full| (full.path, full.last)));
                self.begin(first.id.sequence())?
            }
        };
        match self.write(&mut current) {
            Ok(()) => {
                current.length += self.frame.len() as u64;
                current.last = last.id.sequence();
                self.current = Some(current);
                Ok(())
            }
            Err(error) => {
                // Data that was written in part, or may not be on the disk, must not be read later. If it cannot be
                // removed, the next group goes to another file, and the next start treats the rest of this one as
                // incomplete.
                let is_cut = current.file.set_len(current.length).and_then(|()| current.file.sync_data()).is_ok();
                let is_cut = is_cut && current.file.seek(SeekFrom::Start(current.length)).is_ok();
                match (is_cut, current.last) {
                    (true, _) => self.current = Some(current),
                    (false, 0) => drop(fs::remove_file(&current.path)),
                    (false, last) => self.full.push((current.path, last)),
                }
                Err(StoreError::io(&error).at(&self.folder))
            }
        }
    }

    fn write(&self, current: &mut Current) -> std::io::Result<()> {
        let left = self.limit.map(|limit| limit.saturating_sub(current.length) as usize);
        if let Some(part) = left.and_then(|left| self.frame.get(..left)) {
            current.file.write_all(part)?;
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        current.file.write_all(&self.frame)?;
        match self.durability {
            Durability::Disk => current.file.sync_data(),
            Durability::System => Ok(()),
        }
    }

    fn begin(&self, first: u64) -> Result<Current, StoreError> {
        let path = self.folder.join(format!("{first:020}.log"));
        let begin = || {
            let mut options = OpenOptions::new();
            // An existing file of this name contains no entity; otherwise these numbers would be in use.
            options.write(true).create(true).truncate(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&path)?;
            file.write_all(MAGIC)?;
            if self.durability == Durability::Disk {
                file.sync_data()?;
                sync_folder(&self.folder)?;
            }
            Ok(file)
        };
        let file = begin().map_err(|error: std::io::Error| StoreError::io(&error).at(&path))?;
        Ok(Current { path, file, length: MAGIC.len() as u64, last: 0 })
    }

    /// Removes files whose entities are all indexed, which is all up to `indexed`.
    pub(super) fn cut(&mut self, indexed: u64) {
        if self.current.as_ref().is_some_and(|current| current.last <= indexed) {
            self.full.extend(self.current.take().map(|current| (current.path, current.last)));
        }
        // A file that cannot be removed now is recognised as indexed when it is read again.
        self.full.retain(|(path, last)| *last > indexed || fs::remove_file(path).is_err_and(|_| path.exists()));
    }

    pub(super) fn bytes(&self) -> u64 {
        super::index::bytes_in(&self.folder)
    }

    /// Returns an error if a file was removed or moved.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if self.folder.exists() {
            return Ok(());
        }
        Err(StoreError::new(StoreErrorKind::Io, "the store's folder was removed").at(&self.folder))
    }
}

/// Syncs the creation and removal of files in a folder to disk.
pub(super) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}
