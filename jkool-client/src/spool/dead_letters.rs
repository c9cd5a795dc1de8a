//! What the service refuses for good is kept for a person to look at.

use super::error::SpoolError;
use super::store::Store;
use std::io;

const DEAD_LETTERS: &str = "dead-letters.jsonl";
const OLD_DEAD_LETTERS: &str = "dead-letters.old.jsonl";
/// A file of them may be as large as this part of the spool.
const SHARE: u64 = 16;

impl Store {
    /// Appends a line to the letters that can't be delivered. Few are kept: when the file is large it replaces the one before.
    pub(crate) fn dead_letter(&mut self, line: &[u8]) -> Result<(), SpoolError> {
        self.try_dead_letter(line).map_err(|error| SpoolError::io(&self.dir.join(DEAD_LETTERS), "can't write", error))
    }

    fn try_dead_letter(&mut self, line: &[u8]) -> io::Result<()> {
        let size = self.disk.stat(DEAD_LETTERS).map_or(0, |stat| stat.len) + line.len() as u64;
        if size > self.max_bytes / SHARE {
            match self.disk.rename(DEAD_LETTERS, OLD_DEAD_LETTERS) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => self.torn_letter = false,
            }
        }
        // In one write, so that processes don't mix theirs.
        let torn: &[u8] = if self.torn_letter { b"\n" } else { b"" };
        let written = self.disk.append(DEAD_LETTERS, &[torn, line, b"\n"].concat());
        self.torn_letter = written.is_err();
        written
    }
}
