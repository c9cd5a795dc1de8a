//! The settings of a spool.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// A folder in which events wait that cannot be delivered now. The next start of the program delivers them. Pass it to
/// [`ClientBuilder::spool`](crate::ClientBuilder::spool).
///
/// Several processes can use the same folder: each has a sub-folder of its own, and takes over those of processes that have
/// ended. Damaged files are set aside there as `*.corrupt`, at most 16, and events that the service rejects are appended to
/// `dead-letters.jsonl`.
///
/// The folder is created with mode 0700 and its files with 0600, because they contain what the program logs, unencrypted. A
/// folder that another user owns or can write to is refused, and so is a symbolic link. On Windows, modes and owners are not
/// checked, and the folder inherits the permissions of the one above it. Use a local disk: on a network file
/// system without locks, processes cannot detect whether another one still runs.
///
/// ```
/// use jkool_client::{Spool, SpoolMode};
/// let spool = Spool::new("/var/spool/web-orders").mode(SpoolMode::WriteAhead).max_bytes(100 << 20);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[must_use = "a spool does nothing until it is passed to a builder"]
pub struct Spool {
    pub(crate) dir: PathBuf,
    pub(crate) mode: SpoolMode,
    pub(super) max_bytes: u64,
    pub(super) sync: bool,
    pub(super) max_age: Option<Duration>,
}

/// Which events are written to the spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum SpoolMode {
    /// Only events that cannot be delivered now, and those that are left at shutdown. It costs nothing in normal operation.
    #[default]
    Overflow,
    /// Every event, before it is sent. An event that was written is not lost when the process is killed.
    WriteAhead,
}

const DEFAULT_MAX_BYTES: u64 = 1 << 30;

impl Spool {
    /// A spool in this folder, which is created if it is missing.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), mode: SpoolMode::default(), max_bytes: DEFAULT_MAX_BYTES, sync: true, max_age: None }
    }

    /// Sets which events are written. The default is [`SpoolMode::Overflow`].
    pub fn mode(mut self, mode: SpoolMode) -> Self {
        self.mode = mode;
        self
    }

    /// The maximum size of the events that one process keeps on disk, in bytes. The default is 1 GiB. Dead letters take up to
    /// an eighth of this in addition.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// The maximum time that an event waits in the spool. The default is no limit. Older events are dropped and counted as
    /// [`LossReason::Expired`](crate::LossReason::Expired), a file at a time: when the youngest event in the file has reached
    /// this age.
    ///
    /// For events of an earlier process, the age is that of the file, by the system clock. If the clock is years ahead, all of
    /// them have expired.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Whether files are synced before their events count as durable, so that they survive a power failure. The default is
    /// true. Without syncs events survive `kill -9`, and writing is much faster.
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
