//! The position in each file, in memory and on disk.

use super::listing::{Found, Identity, digest};
use crate::source::{Position, SourceError};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file that is missing in this many listings is forgotten.
const FORGET: u32 = 240;

/// The known files.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Known {
    files: Vec<KnownFile>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct KnownFile {
    partition: u64,
    #[serde(flatten)]
    identity: Identity,
    is_gzip: bool,
    /// The committed position, in bytes, uncompressed.
    offset: u64,
    /// The position up to which the file was read.
    #[serde(skip)]
    read: u64,
    /// The number of listings in which it was missing.
    #[serde(skip)]
    missing: u32,
}

/// The position at which to continue in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) partition: u64,
    pub(super) read: u64,
}

impl Known {
    /// Records which files exist, and returns where to continue in each. A compressed file continues at the position of
    /// the plain file with the same first line, if that one is gone; a file that became shorter starts again.
    pub(super) fn note(&mut self, found: &[Found]) -> Vec<Place> {
        let is_there = |identity: &Identity| found.iter().any(|file| file.identity == *identity);
        for file in &mut self.files {
            file.missing = if is_there(&file.identity) { 0 } else { file.missing + 1 };
        }
        let places = found.iter().map(|file| self.place(file)).collect();
        self.files.retain(|file| file.missing < FORGET);
        places
    }

    fn place(&mut self, found: &Found) -> Place {
        let is_gzip = found.is_gzip();
        let same = self.files.iter().position(|file| file.identity == found.identity);
        let before = || {
            let head = found.identity.head;
            let is_it = |file: &KnownFile| file.missing > 0 && !file.is_gzip && file.identity.head == head;
            self.files.iter().position(is_it).filter(|_| is_gzip)
        };
        match same.or_else(before) {
            Some(index) => {
                let file = &mut self.files[index];
                (file.identity, file.is_gzip, file.missing) = (found.identity, is_gzip, 0);
                if !is_gzip && found.len < file.read {
                    (file.partition, file.offset, file.read) = (digest(&file.partition.to_le_bytes()), 0, 0);
                }
                Place { partition: file.partition, read: file.read }
            }
            None => {
                let Identity { device, inode, head } = found.identity;
                let partition = digest([device, inode, head].map(u64::to_le_bytes).as_flattened());
                let identity = found.identity;
                self.files.push(KnownFile { partition, identity, is_gzip, offset: 0, read: 0, missing: 0 });
                Place { partition, read: 0 }
            }
        }
    }

    /// The file was read up to this position.
    pub(super) fn read(&mut self, place: Place) {
        if let Some(file) = self.files.iter_mut().find(|file| file.partition == place.partition) {
            file.read = place.read;
        }
    }

    /// These positions are committed.
    pub(super) fn commit(&mut self, positions: &[Position]) {
        for position in positions {
            if let Some(file) = self.files.iter_mut().find(|file| file.partition == position.partition) {
                file.offset = position.offset;
            }
        }
    }
}

/// The file with the positions, locked for one process.
#[derive(Debug)]
pub(super) struct Positions {
    path: PathBuf,
    /// Locked while it is open.
    _lock: File,
}

impl Positions {
    /// The last positions that were written, and the file to write to.
    pub(super) fn open(path: PathBuf) -> Result<(Self, Known), SourceError> {
        let shown = path.display();
        let failed = |what: &str, error| SourceError::new(format!("{shown}: {what}")).with_source(error);
        let lock = lock(&path.with_extension("lock")).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => SourceError::new(format!("{shown}: in use by another relay")),
            _ => failed("the file with the positions can't be locked", error),
        })?;
        let mut known = match fs::read(&path) {
            Ok(json) => {
                serde_json::from_slice(&json).map_err(|error| failed("is not a file with positions", error.into()))?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Known::default(),
            Err(error) => return Err(failed("can't be read", error)),
        };
        known.files.iter_mut().for_each(|file| file.read = file.offset);
        let positions = Self { path, _lock: lock };
        // Fail now rather than after records were relayed.
        positions.write(&known)?;
        Ok((positions, known))
    }

    /// Writes the positions: all of them, or none.
    pub(super) fn write(&self, known: &Known) -> Result<(), SourceError> {
        self.try_write(known).map_err(|error| {
            SourceError::new(format!("{}: positions can't be written", self.path.display())).with_source(error)
        })
    }

    fn try_write(&self, known: &Known) -> io::Result<()> {
        let part = self.path.with_extension("part");
        let mut file = File::create(&part)?;
        file.write_all(&serde_json::to_vec(known)?)?;
        file.sync_all()?;
        fs::rename(&part, &self.path)
    }
}

#[cfg(unix)]
fn lock(path: &Path) -> io::Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(path)?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}

#[cfg(not(unix))]
fn lock(path: &Path) -> io::Result<File> {
    File::options().create(true).truncate(false).write(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::{FORGET, Found, Identity, Known, Place};
    use crate::source::Position;

    fn found(path: &str, inode: u64, head: u64, len: u64) -> Found {
        Found { path: path.into(), identity: Identity { device: 1, inode, head }, len, modified: None }
    }

    fn read_all(known: &mut Known, file: &Found) -> Place {
        let [mut place] = known.note(std::slice::from_ref(file))[..] else { panic!("one place") };
        place.read = file.len;
        known.read(place);
        known.commit(&[Position { partition: place.partition, offset: place.read }]);
        place
    }

    #[test]
    fn a_file_that_was_renamed_or_compressed_goes_on_where_it_was_left() {
        let mut known = Known::default();
        let place = read_all(&mut known, &found("e.jsonl", 1, 7, 100));
        assert_eq!(known.note(&[found("e.000001.jsonl", 1, 7, 120)]), [place]);
        let both = [found("e.000001.jsonl.gz", 2, 7, 60), found("e.jsonl", 3, 8, 10)];
        let after = known.note(&both);
        assert_eq!((after[0], after[1].read), (place, 0));
        assert_ne!(after[1].partition, place.partition);
        let json = serde_json::to_vec(&known).expect("JSON");
        let mut again: Known = serde_json::from_slice(&json).expect("positions");
        again.files.iter_mut().for_each(|file| file.read = file.offset);
        assert_eq!(again.note(&both)[0], place);
    }

    #[test]
    fn two_files_with_the_same_first_line_are_two() {
        let mut known = Known::default();
        let place = read_all(&mut known, &found("a.jsonl", 1, 7, 100));
        let places = known.note(&[found("a.jsonl", 1, 7, 100), found("b.jsonl", 2, 7, 100)]);
        assert_eq!((places[0], places[1].read), (place, 0));
    }

    #[test]
    fn a_file_that_was_cut_off_begins_anew_and_old_commits_say_nothing_of_it() {
        let mut known = Known::default();
        let old = read_all(&mut known, &found("a.jsonl", 1, 7, 100));
        let [new] = known.note(&[found("a.jsonl", 1, 7, 50)])[..] else { panic!("one place") };
        assert!(new.read == 0 && new.partition != old.partition);
        known.commit(&[Position { partition: old.partition, offset: 100 }]);
        assert_eq!(known.files[0].offset, 0);
    }

    #[test]
    fn what_is_gone_for_long_is_forgotten() {
        let mut known = Known::default();
        read_all(&mut known, &found("a.jsonl", 1, 7, 100));
        (1..FORGET).for_each(|_| drop(known.note(&[])));
        assert_eq!(known.files.len(), 1);
        known.note(&[]);
        assert!(known.files.is_empty());
    }
}
