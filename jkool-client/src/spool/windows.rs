//! A real disk on Windows. The folder is held open, so that neither it nor a folder above it can be renamed or removed.

use super::disk::{Disk, FileKind, Stat};
use super::store::LOCK;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::windows::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

#[derive(Debug, Default)]
pub(crate) struct Windows {
    root: Option<Root>,
}

#[derive(Debug)]
struct Root {
    path: PathBuf,
    _held: File,
}

const FILE_SHARE_READ: u32 = 1;
const FILE_SHARE_WRITE: u32 = 2;
const FILE_SHARE_DELETE: u32 = 4;
/// Opens folders, too.
const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
const ERROR_ACCESS_DENIED: i32 = 5;
const ERROR_SHARING_VIOLATION: i32 = 32;

impl Windows {
    fn root(&self) -> io::Result<&Path> {
        self.root.as_ref().map(|root| &*root.path).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn path(&self, name: &str) -> io::Result<PathBuf> {
        // Each part alone: a path that begins with `\\?\` takes no slash as a separator.
        Ok(self.root()?.iter().chain(name.split('/').filter(|part| !part.is_empty()).map(AsRef::as_ref)).collect())
    }

    fn open(&self, name: &str, options: &OpenOptions) -> io::Result<File> {
        let path = self.path(name)?;
        // Only administrators and developers may create links to files, and not between this and the next line.
        if fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink()) {
            return Err(io::Error::other("is a symbolic link"));
        }
        options.open(path)
    }
}

impl Disk for Windows {
    /// NTFS writes the names of all folders to one log, in order, so a later sync covers those above this one.
    fn enter(&mut self, dir: &Path, _sync: bool) -> io::Result<Stat> {
        // Absolute, because the program may change its working folder; without a separator at the end, before which a link
        // would be followed.
        let path: PathBuf = std::path::absolute(dir)?.components().collect();
        let look = || fs::symlink_metadata(&path).map(|found| stat(&found));
        let found = match look() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(&path)?;
                look()?
            }
            found => found?,
        };
        if found.kind == FileKind::Dir {
            let mut options = OpenOptions::new();
            options.read(true).share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE).custom_flags(FILE_FLAG_BACKUP_SEMANTICS);
            self.root = Some(Root { _held: options.open(&path)?, path });
        }
        Ok(found)
    }

    fn create_dir(&self, name: &str) -> io::Result<()> {
        fs::create_dir(self.path(name)?)
    }

    fn list(&self, name: &str) -> io::Result<Vec<String>> {
        let names = fs::read_dir(self.path(name)?)?.map(|entry| Ok(entry?.file_name().into_string()));
        // All our names are ASCII.
        names.filter_map(|name| name.map(Result::ok).transpose()).collect()
    }

    fn stat(&self, name: &str) -> io::Result<Stat> {
        Ok(stat(&fs::symlink_metadata(self.path(name)?)?))
    }

    fn create(&self, name: &str, bytes: &[u8], sync: bool) -> io::Result<()> {
        let mut file = self.open(name, File::options().write(true).create_new(true))?;
        file.write_all(bytes)?;
        if sync { file.sync_all() } else { Ok(()) }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from)?, self.path(to)?).map_err(|error| match error.raw_os_error() {
            Some(ERROR_ACCESS_DENIED | ERROR_SHARING_VIOLATION) => io::Error::new(io::ErrorKind::ResourceBusy, error),
            _ => error,
        })
    }

    fn sync_dir(&self, name: &str) -> io::Result<()> {
        let dir = self.open(name, File::options().write(true).custom_flags(FILE_FLAG_BACKUP_SEMANTICS));
        match dir.and_then(|dir| dir.sync_all()) {
            // A file system that has nothing to sync there.
            Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::PermissionDenied) => {
                Ok(())
            }
            synced => synced,
        }
    }

    fn read(&self, name: &str, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(name, File::options().read(true))?.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.open(name, File::options().write(true))?;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }

    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.open(name, File::options().append(true).create(true))?.write_all(bytes)
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        self.open(name, File::options().write(true))?.sync_all()
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let path = self.path(name)?;
        if !name.ends_with(LOCK) {
            return fs::remove_file(path);
        }
        // A file that is open may keep its name, and so its folder, until it is closed. A lock is open when it is removed.
        let aside = self.path(&format!("{:016x}.gone", fastrand::u64(..)))?;
        fs::rename(path, &aside)?;
        fs::remove_file(aside)
    }

    fn remove_dir(&self, name: &str) -> io::Result<()> {
        fs::remove_dir(self.path(name)?)
    }

    /// An open file is the lock: others may remove it, as its holder does, but not open it.
    fn lock(&self, name: &str) -> io::Result<Option<Box<dyn Send>>> {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false).share_mode(FILE_SHARE_DELETE);
        match self.open(name, &options) {
            Err(error) if error.raw_os_error() == Some(ERROR_SHARING_VIOLATION) => Ok(None),
            opened => Ok(Some(Box::new(opened?))),
        }
    }
}

/// The permissions of a folder are access lists, which it inherits from the folder above it; they are left to who sets that up.
fn stat(found: &Metadata) -> Stat {
    let kind = match found.file_type() {
        kind if kind.is_symlink() => FileKind::Symlink,
        kind if kind.is_dir() => FileKind::Dir,
        kind if kind.is_file() => FileKind::File,
        _ => FileKind::Other,
    };
    let age = found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    let modified = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
    Stat { kind, ours: true, shared: false, len: found.len(), modified }
}
