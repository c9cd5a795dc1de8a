//! The position up to which VictoriaLogs has all entities on its disk. It is stored next to the journal.

use crate::store::{StoreError, StoreErrorKind};
use std::collections::hash_map::RandomState;
use std::fs::{self, File};
use std::hash::BuildHasher;
use std::io::Write;
use std::path::{Path, PathBuf};

const NAME: &str = "victorialogs";

/// The number of bits that count the entities of one collector; the other bits are random, so that several collectors
/// can share one VictoriaLogs.
const NUMBERS: u32 = 40;

#[derive(Debug)]
pub(super) struct Position {
    folder: PathBuf,
    pub(super) durable: u64,
}

impl Position {
    /// Reads the position. For a new folder it is the start of a random range of numbers.
    pub(super) fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(NAME);
        let durable = match fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().map_err(|_| {
                StoreError::new(StoreErrorKind::Corrupt, "expected a number, up to which all is stored").at(&path)
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let random = RandomState::new().hash_one(std::process::id());
                let mut new = Self { folder: folder.to_owned(), durable: 0 };
                // The number must not be negative when read as a signed integer.
                new.set((random >> (NUMBERS + 1)) << NUMBERS)?;
                new.durable
            }
            Err(error) => return Err(StoreError::io(&error).at(&path)),
        };
        Ok(Self { folder: folder.to_owned(), durable })
    }

    /// Stores the position, synced to disk.
    pub(super) fn set(&mut self, durable: u64) -> Result<(), StoreError> {
        let (path, new) = (self.folder.join(NAME), self.folder.join(format!("{NAME}.new")));
        let write = || {
            let mut file = File::create(&new)?;
            writeln!(file, "{durable}")?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            crate::store::journal::sync_folder(&self.folder)
        };
        write().map_err(|error: std::io::Error| StoreError::io(&error).at(&path))?;
        self.durable = durable;
        Ok(())
    }
}
