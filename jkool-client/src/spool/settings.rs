//! What a program says of its spool.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// A folder where events wait that can't be delivered now, and from which the next start of the program delivers them.
///
/// Many processes may name the same folder: each has a sub-folder of its own in it, and takes over those of processes that
/// have died. What is damaged is set aside there as `*.corrupt`, 16 files at most, and what the service refuses is appended
/// to `dead-letters.jsonl`. It needs Unix.
///
/// The folder is made with mode 0700 and its files with 0600, because they hold what the program logs, as plain text. One
/// that somebody else owns or may write to is refused, and so is a symbolic link. Choose a local disk: on a network file
/// system without locks, processes can't tell whether another is still alive.
///
/// ```
/// use jkool_client::{Spool, SpoolMode};
/// let spool = Spool::new("/var/spool/web-orders").mode(SpoolMode::WriteAhead).max_bytes(100 << 20);
/// ```
#[derive(Debug, Clone)]
pub struct Spool {
    pub(crate) dir: PathBuf,
    pub(crate) mode: SpoolMode,
    pub(super) max_bytes: u64,
    pub(super) sync: bool,
    pub(super) max_age: Option<Duration>,
}

/// What is written to the spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SpoolMode {
    /// Only what can't be delivered now, and what is left at shutdown: costs nothing while all goes well.
    #[default]
    Overflow,
    /// Everything, before it is sent: nothing that was written is lost when the process is killed.
    WriteAhead,
}

const DEFAULT_MAX_BYTES: u64 = 1 << 30;

impl Spool {
    /// A spool in that folder, which is made when it is missing.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), mode: SpoolMode::default(), max_bytes: DEFAULT_MAX_BYTES, sync: true, max_age: None }
    }

    /// What is written to it; [`SpoolMode::Overflow`] unless said otherwise.
    pub fn mode(mut self, mode: SpoolMode) -> Self {
        self.mode = mode;
        self
    }

    /// How many bytes of events one process keeps on disk; 1 GiB unless said otherwise. Dead letters take up to an eighth of
    /// that beside them.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// How long an event may wait in the spool; without this, however long the outage lasts. What is older is dropped and counted
    /// as [`LossReason::Expired`](crate::LossReason::Expired), a file at a time: when the youngest event in it is that old.
    ///
    /// Of what an earlier process has left, the age is that of the file, by the system's clock: one that is years ahead makes all
    /// of it old.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Whether events count as durable only when the disk says that they would survive a loss of power; they do unless said
    /// otherwise. Without, they survive a `kill -9`, and writing is much quicker.
    pub fn sync(mut self, sync: bool) -> Self {
        self.sync = sync;
        self
    }
}

impl From<&str> for Spool {
    fn from(dir: &str) -> Self {
        Self::new(dir)
    }
}

impl From<String> for Spool {
    fn from(dir: String) -> Self {
        Self::new(dir)
    }
}

impl From<&Path> for Spool {
    fn from(dir: &Path) -> Self {
        Self::new(dir)
    }
}

impl From<PathBuf> for Spool {
    fn from(dir: PathBuf) -> Self {
        Self::new(dir)
    }
}
