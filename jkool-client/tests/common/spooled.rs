//! Numbered events, what servers received of them, and the folder of a spool as it must look at any time.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses its part, and a test may panic"
)]

use crate::faults::server::{Reply, Request};
use serde_json::Value;
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Which event it is: of which round or process, of which of its threads, and the how manieth of that, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number {
    pub round: u32,
    pub thread: u32,
    pub sequence: u32,
}

impl Number {
    /// The event's message: the number, and of that length what follows from it.
    pub fn message(self) -> String {
        let Self { round, thread, sequence } = self;
        let filler = if sequence % 61 == 0 { 9_000 } else { sequence as usize * 7 % 300 };
        let letter = char::from(b'a' + (sequence % 26) as u8);
        format!("{round}.{thread}.{sequence} {}", String::from(letter).repeat(filler))
    }

    fn parse(message: &str) -> Option<Self> {
        let mut parts = message.split(' ').next()?.split('.').map(str::parse);
        let mut part = || parts.next()?.ok();
        Some(Self { round: part()?, thread: part()?, sequence: part()? })
    }
}

/// What is known of an event that came.
struct Seen {
    /// Of its bytes.
    hash: u64,
    taken: bool,
    /// It was taken, or no answer said whether it was.
    maybe_taken: bool,
}

/// What servers received.
#[derive(Default)]
pub struct Received {
    /// In which order each was taken first.
    pub taken: Vec<Number>,
    /// How often an event came again that had been taken.
    pub repeats: u64,
    /// How many copies there may be beside the first of each: what came again and was taken, or was not answered.
    pub copies: u64,
    seen: HashMap<Number, Seen>,
}

impl Received {
    pub fn of(requests: &[Request]) -> Self {
        let mut received = Self::default();
        received.add(requests);
        received
    }

    /// What came is what was emitted, and comes in the same bytes each time.
    pub fn add(&mut self, requests: &[Request]) {
        for request in requests {
            let took = matches!(request.reply, Reply::Status(202));
            let in_doubt = matches!(request.reply, Reply::Stall | Reply::Reset | Reply::Close | Reply::RawThenClose(_));
            for line in std::str::from_utf8(&request.body).unwrap().lines() {
                let event: Value = serde_json::from_str(line).unwrap();
                let message = event["msg-text"].as_str().unwrap();
                let number = Number::parse(message).unwrap();
                assert_eq!(message, number.message(), "nobody emitted that");
                self.add_line(number, line, took, in_doubt);
            }
        }
    }

    fn add_line(&mut self, number: Number, line: &str, took: bool, in_doubt: bool) {
        let mut hasher = DefaultHasher::new();
        line.hash(&mut hasher);
        let hash = hasher.finish();
        let seen = self.seen.entry(number).or_insert(Seen { hash, taken: false, maybe_taken: false });
        assert_eq!(seen.hash, hash, "{number:?} came again, and changed");
        self.repeats += u64::from(seen.taken);
        if took || in_doubt {
            self.copies += u64::from(std::mem::replace(&mut seen.maybe_taken, true));
        }
        if took && !std::mem::replace(&mut seen.taken, true) {
            self.taken.push(number);
        }
    }

    pub fn has_taken(&self, number: Number) -> bool {
        self.seen.get(&number).is_some_and(|seen| seen.taken)
    }

    /// Each process' events before those of the next, and each thread's one after the other.
    pub fn assert_in_order(&self) {
        let (mut last, mut current) = (HashMap::new(), 0);
        for &Number { round, thread, sequence } in &self.taken {
            assert!(round >= current, "{round} after {current}");
            current = round;
            let before = last.insert((round, thread), sequence).unwrap_or(0);
            assert!(sequence > before, "{round}.{thread}: {sequence} after {before}");
        }
    }
}

/// A spool's folder that is not there yet, and will not be any more.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let folder = std::env::temp_dir().join(format!("jkool-{name}-{number}-{}", std::process::id()));
        std::fs::remove_dir_all(&folder).unwrap_or_default();
        Self(folder)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Only its owner may look into it, and no token is in it. Files may come and go meanwhile.
    pub fn inspect(&self) {
        inspect(&self.0);
    }

    /// The names of all files and folders in it.
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        list(&self.0, &mut names);
        names
    }

    pub fn assert_empty(&self) {
        assert_eq!(self.names(), [""; 0]);
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap_or_default();
    }
}

/// What is not there any more is nothing.
fn there<T>(result: io::Result<T>) -> Option<T> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        result => Some(result.unwrap()),
    }
}

fn inspect(path: &Path) {
    let Some(metadata) = there(path.symlink_metadata()) else { return };
    let mode = metadata.permissions().mode() & 0o7777;
    if metadata.is_dir() {
        assert_eq!(mode, 0o700, "{}", path.display());
        for entry in there(path.read_dir()).into_iter().flatten() {
            inspect(&entry.unwrap().path());
        }
        return;
    }
    assert!(metadata.is_file(), "{}", path.display());
    assert_eq!(mode, 0o600, "{}", path.display());
    let bytes = there(std::fs::read(path)).unwrap_or_default();
    assert!(!bytes.windows(7).any(|bytes| bytes == b"canary-"), "a token in {}", path.display());
}

fn list(path: &Path, names: &mut Vec<String>) {
    for entry in there(path.read_dir()).into_iter().flatten() {
        let entry = entry.unwrap();
        names.push(entry.file_name().into_string().unwrap());
        if entry.file_type().unwrap().is_dir() {
            list(&entry.path(), names);
        }
    }
}
