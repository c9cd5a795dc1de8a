//! Folders of a test's own, and what a spool has put into them.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses its part, and a test may panic")]

use super::common::{PATIENCE, client, messages};
use jkool_client::transport::{MemoryTransport, Transport};
use jkool_client::{Client, ClientBuilder, Report, RetryPolicy, Spool};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A folder of a test's own, and where its spool is in it. Gone when this is dropped.
pub(crate) struct TempDir {
    root: PathBuf,
    spool: PathBuf,
}

impl TempDir {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let root = std::env::temp_dir().join(format!("jkool-test-{}-{number}", std::process::id()));
            match make(&root) {
                // Left by a process that was killed, and had the same number.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                made => {
                    made.unwrap();
                    return Self { spool: root.join("spool"), root };
                }
            }
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the spool; not there before a client has made it.
    pub(crate) fn spool(&self) -> &Path {
        &self.spool
    }

    /// A spool there. What only power cuts would take needs no waiting for the disk.
    pub(crate) fn quick(&self) -> Spool {
        Spool::new(&self.spool).sync(false)
    }

    /// Every file under the spool's folder. One that goes meanwhile may be missing.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let (mut found, mut folders) = (Vec::new(), vec![self.spool.clone()]);
        while let Some(folder) = folders.pop() {
            let Ok(entries) = fs::read_dir(folder) else { continue };
            for entry in entries.map(Result::unwrap) {
                if entry.path().is_dir() { folders.push(entry.path()) } else { found.push(entry.path()) }
            }
        }
        found.sort();
        found
    }

    /// The files that hold events.
    pub(crate) fn segments(&self) -> Vec<PathBuf> {
        let mut files = self.files();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "segment"));
        files
    }

    /// Whether these bytes are in a segment.
    pub(crate) fn holds(&self, bytes: &[u8]) -> bool {
        let holds = |path: &PathBuf| {
            let contents = fs::read(path).unwrap_or_default();
            contents.windows(bytes.len()).any(|window| window == bytes)
        };
        self.segments().iter().any(holds)
    }

    /// The spool as a `kill -9` at this moment would leave it.
    pub(crate) fn as_killed(&self) -> Self {
        let copy = Self::new();
        make(&copy.spool).unwrap();
        for path in self.files() {
            if path.ends_with("lock") {
                continue; // It is made when it is missing, and on Windows nobody else can read it.
            }
            let to = copy.spool.join(path.strip_prefix(&self.spool).unwrap());
            if !to.parent().unwrap().exists() {
                make(to.parent().unwrap()).unwrap();
            }
            match fs::copy(path, to) {
                Err(error) if error.kind() != ErrorKind::NotFound => panic!("{error}"),
                _ => {}
            }
        }
        copy
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.root));
    }
}

fn make(folder: &Path) -> io::Result<()> {
    let builder = &mut fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(builder, 0o700);
    builder.create(folder)
}

/// A client with a spool that tries again quickly, sends in order, and does not wait when it is dropped.
pub(crate) fn spooling(transport: impl Transport, spool: Spool) -> ClientBuilder {
    let retry = RetryPolicy::default().initial(Duration::from_millis(1)).max(Duration::from_millis(5));
    client(&MemoryTransport::new())
        .transport(transport)
        .retry(retry)
        .in_flight(1)
        .spool(spool)
        .shutdown_timeout(Duration::ZERO)
}

/// Emits these numbers.
pub(crate) fn emit(client: &Client, numbers: std::ops::Range<usize>) {
    for number in numbers {
        client.event("op").message(format!("event {number}.")).emit();
    }
}

/// These numbers arrived, each once and in order.
#[track_caller]
pub(crate) fn assert_arrived(memory: &MemoryTransport, numbers: std::ops::Range<usize>) {
    assert_eq!(messages(memory), numbers.map(|number| format!("event {number}.")).collect::<Vec<_>>());
}

/// Shuts down, and waits until the thread has let go of the folder, for which a busy machine may take a while.
pub(crate) fn leave(client: &Client, timeout: Duration) -> Report {
    let report = client.shutdown(timeout);
    let _nothing_new = client.shutdown(PATIENCE);
    report
}

/// Lets delivery go on until `done`.
pub(crate) fn until(client: &Client, done: impl Fn() -> bool) {
    patiently(|| {
        // This waits as long as something is pending, and does no harm.
        let _report = client.flush(Duration::from_millis(2));
        done()
    });
}

/// Waits until the client's thread is gone, and the transport with it.
pub(crate) fn gone<T>(transport: &Arc<T>) {
    patiently(|| Arc::strong_count(transport) == 1);
}

#[expect(clippy::disallowed_methods, reason = "a test measures real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

fn patiently(done: impl Fn() -> bool) {
    let start = now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "it never comes to that");
        std::thread::yield_now();
    }
}
