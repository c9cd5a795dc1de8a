//! Up to where VictoriaLogs has everything on its disk, kept beside the journal.

use crate::store::{StoreError, StoreErrorKind};
use std::collections::hash_map::RandomState;
use std::fs::{self, File};
use std::hash::BuildHasher;
use std::io::Write;
use std::path::{Path, PathBuf};

const NAME: &str = "victorialogs";

/// So many bits of a sequence number the entities of one collector: several collectors may share one VictoriaLogs.
const NUMBERS: u32 = 40;

#[derive(Debug)]
pub(super) struct Position {
    folder: PathBuf,
    pub(super) durable: u64,
}

impl Position {
    /// Reads it; of a new folder it is the beginning of numbers that are the folder's own.
    pub(super) fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(NAME);
        let durable = match fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().map_err(|_| {
                StoreError::new(StoreErrorKind::Corrupt, "expected a number, up to which all is stored").at(&path)
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let random = RandomState::new().hash_one(std::process::id());
                let mut new = Self { folder: folder.to_owned(), durable: 0 };
                // Never negative, in whatever reads it.
                new.set((random >> (NUMBERS + 1)) << NUMBERS)?;
                new.durable
            }
            Err(error) => return Err(StoreError::io(&error).at(&path)),
        };
        Ok(Self { folder: folder.to_owned(), durable })
    }

    /// Moves it, safely on the disk.
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
