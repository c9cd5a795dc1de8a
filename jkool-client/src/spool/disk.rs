//! All that the spool asks of a disk, each about one system call, so that tests can fail or crash between any two.

use std::io;
use std::path::Path;

/// A folder on a disk. Names are relative to it, with `/` between a sub-folder and a file; the empty name is the folder
/// itself. No call follows a symbolic link.
pub(crate) trait Disk: Send {
    /// Makes the folder (mode 0700), and those above it, when it is missing, and enters it when it is a folder.
    fn enter(&mut self, dir: &Path, sync: bool) -> io::Result<Stat>;

    /// Makes a sub-folder, mode 0700.
    fn create_dir(&self, name: &str) -> io::Result<()>;

    /// The names in a folder, in any order.
    fn list(&self, name: &str) -> io::Result<Vec<String>>;

    fn stat(&self, name: &str) -> io::Result<Stat>;

    /// Makes a file (mode 0600) that must not be there yet, writes it, and syncs it by the same handle if asked, so that no
    /// failed write goes unseen. After an error there may be a part of it.
    fn create(&self, name: &str, bytes: &[u8], sync: bool) -> io::Result<()>;

    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Makes durable what was added to a file.
    fn sync(&self, name: &str) -> io::Result<()>;

    /// Makes durable which names are in a folder.
    fn sync_dir(&self, name: &str) -> io::Result<()>;

    /// The file's first bytes, as many as it has up to `limit`.
    fn read(&self, name: &str, limit: u64) -> io::Result<Vec<u8>>;

    /// Overwrites a part of a file.
    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Adds to the end of a file, which is made (mode 0600) when it is missing.
    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    fn remove(&self, name: &str) -> io::Result<()>;

    fn remove_dir(&self, name: &str) -> io::Result<()>;

    /// Locks a file, made when it is missing, until the guard is dropped or the process ends. `None` when another holds it,
    /// or when it was removed meanwhile.
    fn lock(&self, name: &str) -> io::Result<Option<Box<dyn Send>>>;
}

/// What is behind a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) kind: FileKind,
    /// The user of this process owns it.
    pub(crate) ours: bool,
    /// Other users may write to it.
    pub(crate) shared: bool,
    pub(crate) len: u64,
    /// When it was written to last, in microseconds since 1970.
    pub(crate) modified: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    File,
    Dir,
    Symlink,
    Other,
}
