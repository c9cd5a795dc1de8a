//! Opening a store.

use super::apply::Memory;
use super::reader::Reader;
use super::writer::{self, Fresh, Writer};
use super::{Appended, Record, Retention, StoreError, StoreErrorKind, schema};
use crate::Clock;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast;

/// What is kept of what was received. Clones are handles of one store.
#[derive(Debug, Clone)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Closed before the writer, for only who may write can put the journal away.
    connections: Connections,
    writer: Writer,
    tail: broadcast::Sender<Arc<Fresh>>,
    notices: Vec<String>,
}

/// When an entity counts as stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// When it is on the disk: it survives a power failure.
    #[default]
    Disk,
    /// When the operating system has it: it survives the end of the process, however that comes.
    System,
}

/// Sets up a [`Store`].
#[derive(Debug, Clone)]
pub struct StoreBuilder {
    path: Option<PathBuf>,
    durability: Durability,
    retention: Option<Retention>,
    clock: Clock,
    waiting: usize,
    max_pages: Option<u32>,
}

/// What a store in memory keeps unless told otherwise.
const IN_MEMORY: u64 = 512 << 20;

impl Store {
    /// A builder: in memory, unless it is given a file.
    pub fn builder() -> StoreBuilder {
        StoreBuilder {
            path: None,
            durability: Durability::default(),
            retention: None,
            clock: Clock::default(),
            waiting: 64 << 20,
            max_pages: None,
        }
    }

    /// Stores all of `records` or none of them, and returns when that is done as [`Durability`] says.
    ///
    /// # Errors
    /// When too much waits already, when the disk is full, or when the file can't be written.
    pub async fn append(&self, records: Vec<Record>) -> Result<Appended, StoreError> {
        if records.is_empty() {
            return Ok(Appended::default());
        }
        let done = self.0.writer.submit(records)?;
        done.await.unwrap_or_else(|_| Err(writer::closed())).map(|done| done.appended)
    }

    /// Reads, on a thread where that may take its time. What `read` sees is one state of the store.
    ///
    /// # Errors
    /// What `read` says, or that the file can't be read.
    pub async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Reader<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let store = self.clone();
        let result = tokio::task::spawn_blocking(move || store.read_now(read)).await;
        result.unwrap_or_else(|error| Err(StoreError::new(StoreErrorKind::Internal, error)))
    }

    /// As [`read`](Self::read), on this thread.
    ///
    /// # Errors
    /// What `read` says, or that the file can't be read.
    pub fn read_now<T>(&self, read: impl FnOnce(&Reader<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.0.connections.with(|connection| {
            let transaction = connection.unchecked_transaction()?;
            read(&Reader::new(&transaction))
        })
    }

    /// What is stored from now on, in the order of arrival. Who is too slow is told how much it missed.
    pub(crate) fn tail(&self) -> broadcast::Receiver<Arc<Fresh>> {
        self.0.tail.subscribe()
    }

    /// What opening it had to say: a damaged file that was set aside, for example.
    pub fn notices(&self) -> &[String] {
        &self.0.notices
    }
}

impl StoreBuilder {
    /// Keeps everything in this file, which is made if there is none.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// When an entity counts as stored; [`Durability::Disk`] unless said otherwise.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// How much is kept.
    #[must_use]
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = Some(retention);
        self
    }

    /// Who says what time it is.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// How many bytes may wait to be written; more are refused as [`StoreErrorKind::Busy`]. 64 MiB unless said otherwise.
    #[must_use]
    pub fn waiting(mut self, bytes: usize) -> Self {
        self.waiting = bytes;
        self
    }

    /// The file may not grow beyond so many pages of 8 KiB: what a full disk looks like, for tests.
    #[doc(hidden)]
    #[must_use]
    pub fn max_pages(mut self, pages: u32) -> Self {
        self.max_pages = Some(pages);
        self
    }

    /// Opens it. A damaged file is set aside and a new one begun, see [`Store::notices`].
    ///
    /// # Errors
    /// When the file can't be opened or made, another process has it, or a newer version wrote it.
    pub fn open(self) -> Result<Store, StoreError> {
        let mut notices = Vec::new();
        let (writing, connections) = match &self.path {
            Some(path) => {
                let writing = match open_file(path, self.durability) {
                    Err(error) if error.kind() == StoreErrorKind::Corrupt => {
                        notices.push(set_aside(path, &error)?);
                        open_file(path, self.durability)?
                    }
                    opened => opened?,
                };
                if let Some(pages) = self.max_pages {
                    writing.pragma_update(None, "max_page_count", pages)?;
                }
                let readers = (0..READERS).map(|_| open_reader(path)).collect::<Result<_, _>>()?;
                (Arc::new(Mutex::new(writing)), Connections::own(readers))
            }
            None => {
                let mut connection = Connection::open_in_memory()?;
                schema::migrate(&mut connection, schema::MIGRATIONS)?;
                let shared = Arc::new(Mutex::new(prepared(connection)));
                (Arc::clone(&shared), Connections::Shared(shared))
            }
        };
        let retention = self.retention.unwrap_or(match &self.path {
            Some(_) => Retention::ALL,
            None => Retention::ALL.bytes(IN_MEMORY),
        });
        let (tail, _) = broadcast::channel(1_024);
        let writer = Writer::start(writing, Memory::default(), retention, self.clock, self.waiting, tail.clone())?;
        Ok(Store(Arc::new(Inner { writer, connections, tail, notices })))
    }
}

/// How much of the file each connection keeps in memory: 32 MiB, in SQLite's way to say KiB.
const CACHE: i64 = -32_768;

/// So many read at the same time.
const READERS: usize = 2;

#[derive(Debug)]
enum Connections {
    /// Of a file: readers don't wait for the writer, nor it for them.
    Own { free: Mutex<Vec<Connection>>, freed: Condvar },
    /// In memory there is one for all.
    Shared(Arc<Mutex<Connection>>),
}

impl Connections {
    fn own(connections: Vec<Connection>) -> Self {
        Self::Own { free: Mutex::new(connections), freed: Condvar::new() }
    }

    fn with<T>(&self, read: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        match self {
            Connections::Shared(connection) => read(&connection.lock().unwrap_or_else(PoisonError::into_inner)),
            Connections::Own { free, freed } => {
                let free = || free.lock().unwrap_or_else(PoisonError::into_inner);
                let mut connections = free();
                let connection = loop {
                    match connections.pop() {
                        Some(connection) => break connection,
                        None => connections = freed.wait(connections).unwrap_or_else(PoisonError::into_inner),
                    }
                };
                drop(connections);
                // Given back even if `read` panics.
                let lent = Lent {
                    connection: Some(connection),
                    give_back: |connection| {
                        free().push(connection);
                        freed.notify_one();
                    },
                };
                match &lent.connection {
                    Some(connection) => read(connection),
                    None => Err(StoreError::new(StoreErrorKind::Internal, "no connection")),
                }
            }
        }
    }
}

struct Lent<F: Fn(Connection)> {
    connection: Option<Connection>,
    give_back: F,
}

impl<F: Fn(Connection)> Drop for Lent<F> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            (self.give_back)(connection);
        }
    }
}

fn open_file(path: &Path, durability: Durability) -> Result<Connection, StoreError> {
    // A journal that is still there was left by a process that had no time to close.
    let was_cut_off = with_suffix(path, "-wal").exists();
    make_private(path);
    let mut connection = Connection::open(path).map_err(|error| at(path, error))?;
    connection.busy_timeout(Duration::from_secs(2))?;
    connection.pragma_update(None, "page_size", 8_192)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(|error| at(path, error))?;
    connection.pragma_update(
        None,
        "synchronous",
        match durability {
            Durability::Disk => "FULL",
            Durability::System => "NORMAL",
        },
    )?;
    if was_cut_off {
        let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if verdict != "ok" {
            return Err(StoreError::new(StoreErrorKind::Corrupt, verdict));
        }
    }
    connection.pragma_update(None, "cache_size", CACHE)?;
    // In pages: fewer trips from the journal to the file, for 16 MiB more of journal.
    connection.pragma_update(None, "wal_autocheckpoint", 2_048)?;
    schema::migrate(&mut connection, schema::MIGRATIONS)?;
    Ok(prepared(connection))
}

/// Makes the file, for its owner alone: it holds what programs log. SQLite gives its journals the same rights.
fn make_private(path: &Path) {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // It is there already, or can't be made: SQLite says why.
    drop(options.open(path));
}

fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| at(path, error))?;
    connection.busy_timeout(Duration::from_secs(2))?;
    connection.pragma_update(None, "cache_size", CACHE)?;
    Ok(prepared(connection))
}

fn prepared(connection: Connection) -> Connection {
    connection.set_prepared_statement_cache_capacity(64);
    connection
}

fn at(path: &Path, error: rusqlite::Error) -> StoreError {
    StoreError::from(error).at(path)
}

/// Moves a damaged file and its journals out of the way.
fn set_aside(path: &Path, error: &StoreError) -> Result<String, StoreError> {
    let free = (1..).map(|number| with_suffix(path, &format!(".corrupt-{number}"))).find(|aside| !aside.exists());
    let aside = free.unwrap_or_else(|| with_suffix(path, ".corrupt"));
    std::fs::rename(path, &aside).map_err(|error| StoreError::new(StoreErrorKind::Io, error))?;
    for journal in ["-wal", "-shm"] {
        // They belong to the file; without one there is nothing to move.
        drop(std::fs::rename(with_suffix(path, journal), with_suffix(&aside, journal)));
    }
    Ok(format!("{} is damaged ({error}): it was set aside as {}, and a new one begun", path.display(), aside.display()))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
