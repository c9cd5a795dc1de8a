//! The operations of the spool on a disk, each about one system call, so that tests can make any of them fail, or crash between
//! any two.

use std::io;
use std::path::Path;

/// A folder on a disk. Names are relative to it, with `/` between a sub-folder and a file; the empty name is the folder itself.
/// No operation follows a symbolic link. Modes are those of Unix.
pub(crate) trait Disk: Send {
    /// Creates the folder (mode 0700) and its parents if it is missing, and opens it.
    fn enter(&mut self, dir: &Path, sync: bool) -> io::Result<Stat>;

    /// Creates a sub-folder, mode 0700.
    fn create_dir(&self, name: &str) -> io::Result<()>;

    /// Returns the names in a folder, in any order.
    fn list(&self, name: &str) -> io::Result<Vec<String>>;

    fn stat(&self, name: &str) -> io::Result<Stat>;

    /// Creates a file (mode 0600), which must not exist, writes it, and syncs it by the same handle if asked, so that no failed
    /// write is missed. After an error a part of it may exist.
    fn create(&self, name: &str, bytes: &[u8], sync: bool) -> io::Result<()>;

    /// Replaces `to`. `ResourceBusy` if another process has one of them open and the system does not rename such files.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Makes the content of a file durable.
    fn sync(&self, name: &str) -> io::Result<()>;

    /// Makes the names in a folder durable.
    fn sync_dir(&self, name: &str) -> io::Result<()>;

    /// Returns the first bytes of a file, at most `limit`.
    fn read(&self, name: &str, limit: u64) -> io::Result<Vec<u8>>;

    /// Overwrites a part of a file.
    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Appends to a file, which is created (mode 0600) if it is missing.
    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    fn remove(&self, name: &str) -> io::Result<()>;

    fn remove_dir(&self, name: &str) -> io::Result<()>;

    /// Locks a file, which is created if it is missing, until the guard is dropped or the process ends. `None` if another
    /// process holds it, or if it was removed in the meantime.
    fn lock(&self, name: &str) -> io::Result<Option<Box<dyn Send>>>;
}

/// The metadata of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) kind: FileKind,
    /// Whether the user of this process owns it.
    pub(crate) ours: bool,
    /// Whether other users may write to it.
    pub(crate) shared: bool,
    pub(crate) len: u64,
    /// The time of the last write, in microseconds since 1970.
    pub(crate) modified: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    File,
    Dir,
    Symlink,
    Other,
}
