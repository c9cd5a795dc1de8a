//! Lists the files of a folder, with a key that stays the same when a file is renamed or compressed.

use flate2::read::MultiGzDecoder;
use jkool_client::model::Timestamp;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The number of bytes of the first line that identify a file.
const HEAD: u64 = 4 << 10;

/// What identifies a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Identity {
    pub(super) device: u64,
    pub(super) inode: u64,
    /// The digest of its first line, uncompressed.
    pub(super) head: u64,
}

/// A file in the folder.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) identity: Identity,
    /// The size on disk.
    pub(super) len: u64,
    /// The time of the last change, for entities without a time.
    pub(super) modified: Option<Timestamp>,
}

impl Found {
    pub(super) fn is_gzip(&self) -> bool {
        is_gzip(&self.path)
    }

    /// Opens the file, and decompresses it if necessary.
    pub(super) fn open(&self) -> io::Result<Box<dyn Read>> {
        open(&self.path)
    }
}

/// Lists the files that have a first line, by name: rolled files have a number, so they come before the current one.
/// While a file is being compressed there are two; the compressed one is left out. Errors of single files are passed to
/// `failed`.
pub(super) fn list(folder: &Path, mut failed: impl FnMut(&Path, io::Error)) -> io::Result<Vec<Found>> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !name.starts_with('.') && (name.ends_with(".jsonl") || name.ends_with(".jsonl.gz")) {
            paths.push(path);
        }
    }
    paths.sort_unstable();
    let mut found: Vec<Found> = Vec::new();
    for path in paths {
        match look(&path) {
            Ok(Some(file)) => {
                let twin =
                    |plain: &Found| plain.identity.head == file.identity.head && path.with_extension("") == plain.path;
                if !(file.is_gzip() && found.iter().any(twin)) {
                    found.push(file);
                }
            }
            // It was rolled or removed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => failed(&path, error),
            Ok(None) => {}
        }
    }
    Ok(found)
}

fn look(path: &Path) -> io::Result<Option<Found>> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() || metadata.len() == 0 {
        return Ok(None);
    }
    let mut head = Vec::new();
    open(path)?.take(HEAD).read_to_end(&mut head)?;
    let line = match memchr::memchr(b'\n', &head) {
        Some(end) => &head[..end],
        None if head.len() as u64 == HEAD || is_gzip(path) => &head[..],
        None => return Ok(None),
    };
    let (device, inode) = numbers(&metadata);
    let identity = Identity { device, inode, head: digest(line) };
    let modified = metadata.modified().ok().map(Timestamp::from);
    Ok(Some(Found { path: path.to_owned(), identity, len: metadata.len(), modified }))
}

fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let file = File::open(path)?;
    Ok(if is_gzip(path) { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}

fn is_gzip(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "gz")
}

#[cfg(unix)]
fn numbers(metadata: &fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn numbers(_: &fs::Metadata) -> (u64, u64) {
    (0, 0)
}

/// 64-bit FNV-1a: the same in every version.
pub(super) fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |digest, byte| (digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
