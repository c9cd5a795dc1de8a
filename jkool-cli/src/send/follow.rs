//! Follows log files that grow, are renamed or truncated, and finds new ones.

use super::feed::{Feed, How, Lines, Stop};
use super::identity::Identity;
use super::positions::{Position, Positions};
use crate::out;
use jkool_client::model::error_chain;
use jkool_client::{Client, Condition};
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// The interval at which files are checked while nothing is new.
const LOOK: Duration = Duration::from_millis(250);
/// After this number of checks with nothing new, the open record is complete.
const SETTLED: u32 = 2;
/// A renamed file is read for this number of checks: its program may still have it open.
const GONE: u32 = 20;
/// The number of bytes read from a file at once; they are delivered before more is read.
const PIECE: usize = 1 << 20;
const PIECES: usize = 4;

/// The files that are followed.
pub(super) struct Follower {
    patterns: Vec<String>,
    positions: Positions,
    files: Vec<Followed>,
}

struct Followed {
    file: File,
    path: PathBuf,
    id: (u64, u64),
    /// The position up to which it was read.
    offset: u64,
    lines: Lines,
    /// The number of checks with nothing new.
    quiet: u32,
}

impl Follower {
    pub(super) fn new(patterns: Vec<String>, positions: Positions) -> Result<Self, String> {
        for pattern in &patterns {
            glob::Pattern::new(pattern).map_err(|error| format!("--follow {pattern}: {error}"))?;
        }
        Ok(Self { patterns, positions, files: Vec::new() })
    }

    /// Follows the files until a message arrives or the channel is closed.
    pub(super) fn run(&mut self, feed: &Feed, how: &How, stop: &Receiver<()>) {
        self.resume(feed, how);
        while self.look(feed, how).is_ok() {
            if !self.files.iter().any(|followed| followed.quiet == 0)
                && stop.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout)
            {
                return;
            }
        }
    }

    fn look(&mut self, feed: &Feed, how: &How) -> Result<(), Stop> {
        self.discover(feed, how);
        // Everything read before is delivered. From here on a new file is known, even if this process ends or the file
        // is renamed.
        self.keep(feed, how)?;
        for followed in &mut self.files {
            followed.read(feed, how)?;
        }
        self.deliver(feed, how)?;
        self.keep(feed, how)?;
        self.files.retain(|followed| followed.quiet < GONE || followed.is_at_its_path());
        Ok(())
    }

    /// Continues with files that were renamed since the last run.
    fn resume(&mut self, feed: &Feed, how: &How) {
        for position in self.positions.last().to_vec() {
            let renamed = || {
                let entries = fs::read_dir(position.path.parent()?).ok()?;
                let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
                paths.find(|path| fs::metadata(path).is_ok_and(|metadata| id(&metadata, path) == position.id))
            };
            let path = if is(&position.path, position.id) { Some(position.path.clone()) } else { renamed() };
            match path {
                Some(path) => self.open(&path, feed, how),
                None => out::note(format_args!(
                    "jkool: {} was removed; the part that was not read yet is lost",
                    position.path.display()
                )),
            }
        }
    }

    fn discover(&mut self, feed: &Feed, how: &How) {
        let found =
            self.patterns.iter().filter_map(|pattern| glob::glob(pattern).ok()).flatten().filter_map(Result::ok);
        let paths: Vec<PathBuf> = found.filter(|path| path.extension().is_none_or(|end| end != "gz")).collect();
        for path in paths {
            self.open(&path, feed, how);
        }
    }

    /// Opens a file that is not open yet.
    fn open(&mut self, path: &Path, feed: &Feed, how: &How) {
        let Ok(metadata) = fs::metadata(path) else { return };
        let id = id(&metadata, path);
        if !metadata.is_file() || self.files.iter().any(|followed| followed.id == id) {
            return;
        }
        match Followed::open(path, self.positions.last(), how) {
            Ok(followed) => self.files.push(followed),
            Err(error) => feed.fail_once(how, format_args!("{}: {error}", path.display())),
        }
    }

    /// Waits until everything that was read is delivered.
    fn deliver(&self, feed: &Feed, how: &How) -> Result<(), Stop> {
        let Some(client) = &how.client else { return Ok(()) };
        let mut waited = 0;
        while client.flush(Duration::from_secs(1)).pending() > 0 {
            waited += 1;
            if waited == 10 {
                tell_trouble(client);
            }
            if feed.is_stopped() {
                return Err(Stop);
            }
        }
        if waited >= 10 {
            out::note("jkool: delivery resumed");
        }
        Ok(())
    }

    /// Stores the positions, when everything that was read is delivered.
    fn keep(&mut self, feed: &Feed, how: &How) -> Result<(), Stop> {
        if how.client.is_none() {
            return Ok(());
        }
        let positions = self.files.iter().map(Followed::position).collect();
        self.positions.save(positions).map_err(|error| {
            feed.fail(how, format_args!("the positions can't be stored: {error}"));
            Stop
        })
    }
}

fn tell_trouble(client: &Client) {
    match client.health().condition {
        Condition::BackingOff { error, .. } | Condition::Paused { error, .. } | Condition::Refused { error, .. } => {
            out::note(format_args!("jkool: delivery failed, retrying: {}", error_chain(&error)));
        }
        _ => out::note("jkool: the server is slow"),
    }
}

impl Followed {
    fn open(path: &Path, positions: &[Position], how: &How) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        let id = id(&metadata, path);
        let mut identity = Identity::of_file(path, metadata.modified().ok().map(Into::into));
        // Two successive files with the same name are different, even if they begin with the same bytes.
        identity.next(&id.1.to_le_bytes());
        let known = positions.iter().find(|position| position.id == id && position.offset <= metadata.len());
        let (mut offset, mut line) = (0, 0);
        if let Some(position) = known
            && let Ok(digest) = u128::from_str_radix(&position.digest, 16)
        {
            identity.go_on(digest);
            (offset, line) = (position.offset, position.line);
        }
        file.seek(SeekFrom::Start(offset))?;
        let lines = Lines::of_path(path, how.format, identity).after(line);
        Ok(Self { file, path: path.to_path_buf(), id, offset, lines, quiet: 0 })
    }

    fn read(&mut self, feed: &Feed, how: &How) -> Result<(), Stop> {
        if self.file.metadata().is_ok_and(|metadata| metadata.len() < self.offset) {
            // It was truncated, as by `copytruncate`: start again.
            self.lines.finish(feed, how)?;
            self.offset = 0;
            drop(self.file.seek(SeekFrom::Start(0)));
        }
        let before = self.offset;
        let mut piece = vec![0; PIECE];
        for _ in 0..PIECES {
            match self.file.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => {
                    self.offset += read as u64;
                    self.lines.push(&piece[..read], feed, how)?;
                }
                Err(error) => {
                    feed.fail_once(how, format_args!("{}: {error}", self.path.display()));
                    break;
                }
            }
        }
        self.quiet = if self.offset == before { self.quiet.saturating_add(1) } else { 0 };
        if self.quiet == SETTLED {
            self.lines.settle(feed, how)?;
        }
        if self.quiet == GONE && !self.is_at_its_path() {
            self.lines.finish(feed, how)?;
        }
        Ok(())
    }

    fn is_at_its_path(&self) -> bool {
        is(&self.path, self.id)
    }

    /// The position up to which events were emitted: the next process reads the rest again.
    fn position(&self) -> Position {
        Position {
            path: self.path.clone(),
            id: self.id,
            offset: self.offset - self.lines.held(),
            line: self.lines.line(),
            digest: format!("{:x}", self.lines.identity().digest()),
        }
    }
}

fn is(path: &Path, wanted: (u64, u64)) -> bool {
    fs::metadata(path).is_ok_and(|metadata| id(&metadata, path) == wanted)
}

#[cfg(unix)]
fn id(metadata: &Metadata, _: &Path) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

/// Without an inode, a file is identified by its name and creation time.
#[cfg(not(unix))]
fn id(metadata: &Metadata, path: &Path) -> (u64, u64) {
    let made = metadata.created().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let name = path.to_string_lossy().bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    (name, made.map_or(0, |made| made.as_nanos() as u64))
}
