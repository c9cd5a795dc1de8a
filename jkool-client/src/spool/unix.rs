//! A real disk. All operations use the handle of the spool's folder, so it stays the same folder whatever happens to its path.

use super::disk::{Disk, FileKind, Stat};
use rustix::fs::{self, AtFlags, FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use std::fs::{DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};

#[derive(Debug, Default)]
pub(crate) struct Unix {
    /// The open folder.
    root: Option<File>,
}

const FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR);
const SAFE: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC);
const DIR: OFlags = SAFE.union(OFlags::DIRECTORY);

impl Unix {
    fn root(&self) -> io::Result<&File> {
        self.root.as_ref().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn open(&self, name: &str, flags: OFlags) -> io::Result<File> {
        // The folder itself has an empty name.
        let name = if name.is_empty() { "." } else { name };
        Ok(fs::openat(self.root()?, name, flags | SAFE, FILE_MODE)?.into())
    }
}

impl Disk for Unix {
    fn enter(&mut self, dir: &Path, sync: bool) -> io::Result<Stat> {
        // With a slash at the end, the system would follow a link before it.
        let dir: PathBuf = dir.components().collect();
        let look = || Ok(stat(&fs::statat(fs::CWD, &dir, AtFlags::SYMLINK_NOFOLLOW)?));
        let found = match look() {
            Err(error) if error == Errno::NOENT => {
                make(&dir, sync)?;
                look()
            }
            found => found,
        };
        let found = found.map_err(|error: Errno| io::Error::from(error))?;
        if found.kind != FileKind::Dir {
            return Ok(found);
        }
        let root: File = fs::openat(fs::CWD, &dir, DIR, Mode::empty())?.into();
        keep_for_us(&root)?;
        // Read from the handle, because the path may refer to something else by now.
        let found = stat(&fs::fstat(&root)?);
        self.root = Some(root);
        Ok(found)
    }

    fn create_dir(&self, name: &str) -> io::Result<()> {
        Ok(fs::mkdirat(self.root()?, name, Mode::RWXU)?)
    }

    fn list(&self, name: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::Dir::new(self.open(name, DIR)?)? {
            // All our names are ASCII.
            if let Ok(name) = entry?.file_name().to_str() {
                names.push(name.to_owned());
            }
        }
        names.retain(|name| name != "." && name != "..");
        Ok(names)
    }

    fn stat(&self, name: &str) -> io::Result<Stat> {
        Ok(stat(&fs::statat(self.root()?, name, AtFlags::SYMLINK_NOFOLLOW)?))
    }

    fn create(&self, name: &str, bytes: &[u8], sync: bool) -> io::Result<()> {
        let mut file = self.open(name, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL)?;
        file.write_all(bytes)?;
        if sync { file.sync_all() } else { Ok(()) }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(fs::renameat(self.root()?, from, self.root()?, to)?)
    }

    fn sync_dir(&self, name: &str) -> io::Result<()> {
        sync_dir(&self.open(name, DIR)?)
    }

    fn read(&self, name: &str, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(name, OFlags::RDONLY)?.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.open(name, OFlags::WRONLY)?.write_all_at(bytes, offset)
    }

    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.open(name, OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND)?.write_all(bytes)
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        self.open(name, OFlags::WRONLY)?.sync_all()
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        Ok(fs::unlinkat(self.root()?, name, AtFlags::empty())?)
    }

    fn remove_dir(&self, name: &str) -> io::Result<()> {
        Ok(fs::unlinkat(self.root()?, name, AtFlags::REMOVEDIR)?)
    }

    fn lock(&self, name: &str) -> io::Result<Option<Box<dyn Send>>> {
        self.lock_file(name, self.open(name, OFlags::RDWR | OFlags::CREATE)?)
    }
}

impl Unix {
    /// The second half of locking; anything may have happened to the file since the first.
    fn lock_file(&self, name: &str, file: File) -> io::Result<Option<Box<dyn Send>>> {
        match fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => return Ok(None),
            locked => locked?,
        }
        let ours = fs::fstat(&file)?;
        match fs::statat(self.root()?, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(named) if (named.st_dev, named.st_ino) == (ours.st_dev, ours.st_ino) => Ok(Some(Box::new(file))),
            // The previous holder has removed it, and another one may have been created.
            Ok(_) | Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Removes the write permission of the group from our folder. Kubernetes grants it whenever it mounts a volume (`fsGroup`).
/// Files that the group has put there in the meantime are not read, because we do not own them.
fn keep_for_us(dir: &File) -> io::Result<()> {
    let found = fs::fstat(dir)?;
    let mode = Mode::from_raw_mode(found.st_mode);
    if stat(&found).ours && mode.contains(Mode::WGRP) && !mode.contains(Mode::WOTH) {
        // Without permission for this, an error reports that others may write.
        fs::fchmod(dir, mode - Mode::WGRP).unwrap_or_default();
    }
    Ok(())
}

/// Creates a folder and its parents, each durable in its parent.
fn make(dir: &Path, sync: bool) -> io::Result<()> {
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let create = || DirBuilder::new().mode(0o700).create(dir);
    match create() {
        Err(error) if error.kind() == io::ErrorKind::NotFound && parent != dir => {
            make(parent, sync)?;
            create().or_else(made_meanwhile)?;
        }
        made => made.or_else(made_meanwhile)?,
    }
    // A parent that we may not read is as durable as we can make it.
    match File::open(parent) {
        Ok(parent) if sync => sync_dir(&parent),
        _ => Ok(()),
    }
}

fn made_meanwhile(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) }
}

/// A file system that returns "invalid" has nothing to sync there.
fn sync_dir(dir: &File) -> io::Result<()> {
    match dir.sync_all() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

fn stat(stat: &fs::Stat) -> Stat {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Dir,
        FileType::Symlink => FileKind::Symlink,
        _ => FileKind::Other,
    };
    let ours = stat.st_uid == rustix::process::geteuid().as_raw();
    let shared = Mode::from_raw_mode(stat.st_mode).intersects(Mode::WGRP | Mode::WOTH);
    let modified = stat.st_mtime.saturating_mul(1_000_000);
    Stat { kind, ours, shared, len: u64::try_from(stat.st_size).unwrap_or(0), modified }
}

#[cfg(test)]
mod tests {
    use super::{Disk, OFlags, Unix};

    #[test]
    fn a_lock_on_a_file_that_was_removed_is_none() {
        let dir = std::env::temp_dir().join(format!("jkool-lock-{}-{:016x}", std::process::id(), fastrand::u64(..)));
        let mut disk = Unix::default();
        disk.enter(&dir, false).unwrap();
        let open = || disk.open("lock", OFlags::RDWR | OFlags::CREATE).unwrap();
        let (held, late, later) = (disk.lock("lock").unwrap(), open(), open());
        assert!(held.is_some() && disk.lock("lock").unwrap().is_none());
        disk.remove("lock").unwrap();
        drop(held);
        assert!(disk.lock_file("lock", late).unwrap().is_none(), "removed");
        let held = disk.lock("lock").unwrap();
        assert!(held.is_some() && disk.lock_file("lock", later).unwrap().is_none(), "another is there");
        std::fs::remove_dir_all(dir).unwrap();
    }
}
