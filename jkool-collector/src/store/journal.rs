//! What was acknowledged and may not be in an index yet: files that are only appended to, and synced before anything is
//! acknowledged. What the indexes have committed is cut off, file by file.

mod frame;
mod replay;

pub(super) use replay::{Replayed, replay};

use super::{Durability, StoreError, StoreErrorKind, Stored};
use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How a file begins.
const MAGIC: &[u8; 8] = b"jkooljn1";

/// A file that is as large as this is followed by another.
const FILE: u64 = 8 << 20;

/// The journal of a store.
#[derive(Debug)]
pub(super) struct Journal {
    folder: PathBuf,
    durability: Durability,
    /// Those that are full, with the last entity in each.
    full: Vec<(PathBuf, u64)>,
    current: Option<Current>,
    frame: Vec<u8>,
    /// The size at which the disk counts as full, for tests.
    limit: Option<u64>,
}

#[derive(Debug)]
struct Current {
    path: PathBuf,
    file: File,
    /// Up to here all is well.
    length: u64,
    last: u64,
}

impl Journal {
    /// Goes on behind `files`, of which each has its last entity.
    pub(super) fn open(folder: &Path, durability: Durability, files: Vec<(PathBuf, u64)>, limit: Option<u64>) -> Self {
        Self { folder: folder.to_owned(), durability, full: files, current: None, frame: Vec::new(), limit }
    }

    /// Appends entities as one: after a failure none of them is there.
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
                // What was written in part, or may not be on the disk, must not come back. If it can't be cut off, what
                // follows goes to another file, and a start takes it for torn.
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
            // One of that name holds nothing: else its entities had these numbers.
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

    /// Lets go of what is in an index: all up to that entity.
    pub(super) fn cut(&mut self, indexed: u64) {
        if self.current.as_ref().is_some_and(|current| current.last <= indexed) {
            self.full.extend(self.current.take().map(|current| (current.path, current.last)));
        }
        // One that can't be removed now is known to be indexed when it is read again.
        self.full.retain(|(path, last)| *last > indexed || fs::remove_file(path).is_err_and(|_| path.exists()));
    }

    pub(super) fn bytes(&self) -> u64 {
        super::index::bytes_in(&self.folder)
    }

    /// Whether the files are still where they were made.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if self.folder.exists() {
            return Ok(());
        }
        Err(StoreError::new(StoreErrorKind::Io, "the store's folder was removed").at(&self.folder))
    }
}

/// Makes sure that new and removed files of a folder are on the disk.
pub(super) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}
