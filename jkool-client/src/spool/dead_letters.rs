//! Stores events that the service rejected, for people to examine.

use super::error::SpoolError;
use super::store::Store;
use std::io;

const DEAD_LETTERS: &str = "dead-letters.jsonl";
const OLD_DEAD_LETTERS: &str = "dead-letters.old.jsonl";
/// The lock for a process that makes room.
const ROTATION: &str = "dead-letters.lock";
/// The maximum size of a file, as a fraction of the spool.
const SHARE: u64 = 16;

impl Store {
    /// Appends a line to the dead letters. Only few are kept: when the file is full, it replaces the previous one.
    pub(crate) fn dead_letter(&mut self, line: &[u8]) -> Result<(), SpoolError> {
        self.try_dead_letter(line).map_err(|error| SpoolError::io(&self.dir.join(DEAD_LETTERS), "can't write", error))
    }

    fn try_dead_letter(&mut self, line: &[u8]) -> io::Result<()> {
        if self.is_full_with(line) {
            self.rotate(line)?;
        }
        // In one write, so that lines of several processes are not mixed.
        let torn: &[u8] = if self.torn_letter { b"\n" } else { b"" };
        let written = self.disk.append(DEAD_LETTERS, &[torn, line, b"\n"].concat());
        self.torn_letter = written.is_err();
        written
    }

    /// Makes the written letters durable: once for many, because a sync takes milliseconds.
    pub(crate) fn sync_dead_letters(&self) -> Result<(), SpoolError> {
        let synced =
            if self.sync { self.disk.sync(DEAD_LETTERS).and_then(|()| self.disk.sync_dir("")) } else { Ok(()) };
        synced.map_err(|error| SpoolError::io(&self.dir.join(DEAD_LETTERS), "can't sync", error))
    }

    fn is_full_with(&self, line: &[u8]) -> bool {
        let size = self.disk.stat(DEAD_LETTERS).map_or(0, |stat| stat.len);
        size + line.len() as u64 > self.max_bytes / SHARE
    }

    /// Under a lock, and after checking again whether it is full: if several processes see a full file, one of them renames it,
    /// and the others would overwrite it with the new one.
    fn rotate(&mut self, line: &[u8]) -> io::Result<()> {
        let Some(_held) = self.disk.lock(ROTATION)? else { return Ok(()) };
        if self.is_full_with(line) {
            match self.disk.rename(DEAD_LETTERS, OLD_DEAD_LETTERS) {
                // On Windows, somebody who reads one of them prevents that. Until then the file grows.
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {}
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => self.torn_letter = false,
            }
        }
        self.disk.remove(ROTATION)
    }
}
