//! Opening a store.

use super::apply::Memory;
use super::connections::{Connections, READERS};
use super::file::{open_file, open_reader, prepared, set_aside};
use super::reader::Reader;
use super::writer::{self, Fresh, Writer};
use super::{Appended, Record, Retention, StoreError, StoreErrorKind, schema};
use crate::clock::Clock;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Semaphore, broadcast};

/// What is kept of what was received. Clones are handles of one store.
#[derive(Debug, Clone)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Closed before the writer, for only who may write can put the journal away.
    connections: Connections,
    writer: Writer,
    /// For those who read from async code.
    turns: Arc<Semaphore>,
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
    patience: Duration,
    waiting: usize,
    max_pages: Option<u32>,
}

impl Store {
    /// A builder: in memory, unless it is given a file.
    pub fn builder() -> StoreBuilder {
        StoreBuilder {
            path: None,
            durability: Durability::default(),
            retention: None,
            clock: Clock::default(),
            patience: Duration::from_secs(10),
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
    /// What `read` says, that the file can't be read, or that it takes too long.
    pub async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Reader<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        // Who waits for a turn shall hold no thread meanwhile.
        let turn = Arc::clone(&self.0.turns).acquire_owned().await;
        let turn = turn.map_err(|error| StoreError::new(StoreErrorKind::Internal, error))?;
        let store = self.clone();
        let result = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            store.read_now(read)
        });
        let result = result.await;
        result.unwrap_or_else(|error| Err(StoreError::new(StoreErrorKind::Internal, error)))
    }

    /// As [`read`](Self::read), on this thread.
    ///
    /// # Errors
    /// What `read` says, that the file can't be read, or that it takes too long.
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

    /// How long a question may take, before it ends as [`StoreErrorKind::TooSlow`]. 10 seconds unless said otherwise.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
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
                (Arc::new(Mutex::new(writing)), Connections::own(readers, self.patience))
            }
            None => {
                let mut connection = Connection::open_in_memory()?;
                schema::migrate(&mut connection, schema::MIGRATIONS)?;
                let shared = Arc::new(Mutex::new(prepared(connection)));
                (Arc::clone(&shared), Connections::shared(shared, self.patience))
            }
        };
        let retention = self.retention.unwrap_or(match &self.path {
            Some(_) => Retention::ALL,
            None => Retention::IN_MEMORY,
        });
        let (tail, _) = broadcast::channel(1_024);
        let writer = Writer::start(writing, Memory::default(), retention, self.clock, self.waiting, tail.clone())?;
        Ok(Store(Arc::new(Inner { connections, writer, turns: Arc::new(Semaphore::new(READERS)), tail, notices })))
    }
}
