//! The store, its settings, and how it is opened.

use super::engine::{Deadline, Engine, Fresh, Health};
use super::front::{Settings, closed};
use super::local::Local;
use super::progress::{Progress, Report};
use super::reader::Reader;
use super::victoria::Victoria;
use super::{Appended, Record, Retention, StoreError, StoreErrorKind};
use crate::clock::Clock;
use std::num::NonZero;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, broadcast};

/// The maximum number of concurrent queries from async code: one per core, or two on a single core.
const READERS: RangeInclusive<usize> = 2..=8;

/// The store of received entities. Clones are handles to the same store.
#[derive(Debug, Clone)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    engine: Box<dyn Engine>,
    /// The timeout of a query.
    patience: Duration,
    /// Limits concurrent queries from async code.
    turns: Arc<Semaphore>,
    notices: Vec<String>,
}

/// Decides when an entity counts as stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// When it is synced to disk: it survives a power failure. This is the default.
    #[default]
    Disk,
    /// When it is handed to the operating system: it survives the end of the process in any way, but not a power failure.
    System,
}

/// A builder for a [`Store`]; [`Store::builder`] creates it.
#[derive(Debug, Clone)]
pub struct StoreBuilder {
    path: Option<PathBuf>,
    victoria_logs: Option<String>,
    flushed_after: Duration,
    durability: Durability,
    retention: Option<Retention>,
    clock: Clock,
    patience: Duration,
    waiting: usize,
    disk: Option<u64>,
    report: Report,
}

impl Store {
    /// Returns a builder. By default, the store is in memory.
    pub fn builder() -> StoreBuilder {
        StoreBuilder {
            path: None,
            victoria_logs: None,
            flushed_after: Duration::from_secs(30),
            durability: Durability::default(),
            retention: None,
            clock: Clock::default(),
            patience: Duration::from_secs(10),
            waiting: 64 << 20,
            disk: None,
            report: Report::default(),
        }
    }

    /// Stores all of `records` or none of them, and returns when they are stored according to [`Durability`].
    ///
    /// # Errors
    /// Returns an error if too many bytes wait to be written, if the disk is full, or if a file cannot be written.
    pub async fn append(&self, records: Vec<Record>) -> Result<Appended, StoreError> {
        if records.is_empty() {
            return Ok(Appended::default());
        }
        let reply = self.0.engine.put(records)?;
        reply.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Runs `read` on a thread for blocking work. It sees all entities that were acknowledged before.
    ///
    /// # Errors
    /// Returns the error of `read`, or an error if a file cannot be read or the query takes too long.
    pub async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Reader<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        // The permit is awaited here, so that a waiting query does not block a thread.
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

    /// Like [`read`](Self::read), but on the calling thread.
    ///
    /// # Errors
    /// Returns the error of `read`, or an error if a file cannot be read or the query takes too long.
    pub fn read_now<T>(&self, read: impl FnOnce(&Reader<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        read(&Reader::new(&*self.0.engine, Deadline::within(self.0.patience)))
    }

    /// Subscribes to the entities that are stored from now on, in the order of arrival. A receiver that is too slow gets the number of
    /// those that it missed.
    pub(crate) fn tail(&self) -> broadcast::Receiver<Arc<Fresh>> {
        self.0.engine.tail()
    }

    /// Returns the current state of the store.
    pub(crate) fn health(&self) -> Health {
        self.0.engine.health()
    }

    /// Returns the current problems of the store, as text for people: why acknowledged entities cannot be written to their final place, or
    /// what was refused there. Empty if there are no problems.
    pub fn troubles(&self) -> Vec<String> {
        self.health().notices
    }

    /// Returns the messages of opening the store, for example that a damaged file was set aside.
    pub fn notices(&self) -> &[String] {
        &self.0.notices
    }
}

impl StoreBuilder {
    /// Sets the folder in which everything is stored. It is created if it does not exist. If there is a file of this name that version 0.1
    /// wrote, its content is imported, and the file is kept with the extension `.old`.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Returns the folder that was set by [`file`](Self::file).
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Stores everything in [VictoriaLogs](https://docs.victoriametrics.com/victorialogs/) at this url: a single server, or the front server
    /// of a cluster. The folder set by [`file`](Self::file) contains the journal in front of it. Retention is configured in VictoriaLogs.
    #[must_use]
    pub fn victoria_logs(mut self, url: impl Into<String>) -> Self {
        self.victoria_logs = Some(url.into());
        self
    }

    /// Sets the time after which VictoriaLogs has certainly written received entities to disk. The journal keeps them for this time.
    /// Default: 30 seconds. It must be considerably longer than the server's `-inmemoryDataFlushInterval`, whose default is 5 seconds.
    #[must_use]
    pub fn flushed_after(mut self, duration: Duration) -> Self {
        self.flushed_after = duration;
        self
    }

    /// Sets when an entity counts as stored. Default: [`Durability::Disk`].
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Sets how much is kept, and for how long.
    #[must_use]
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = Some(retention);
        self
    }

    /// Sets the clock, for tests.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the timeout of a query, after which it fails with [`StoreErrorKind::TooSlow`]. Default: 10 seconds.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sets how many bytes may wait to be written. Further records are refused with [`StoreErrorKind::Busy`]. Default: 64 MiB.
    #[must_use]
    pub fn waiting(mut self, bytes: usize) -> Self {
        self.waiting = bytes;
        self
    }

    /// Simulates a full disk when a journal file has this number of bytes, for tests.
    #[doc(hidden)]
    #[must_use]
    pub fn disk(mut self, bytes: u64) -> Self {
        self.disk = Some(bytes);
        self
    }

    /// Sets a function that receives the progress of long work during opening.
    #[must_use]
    pub fn on_progress(mut self, tell: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.report = Report::to(tell);
        self
    }

    /// Opens the store. Damaged files are set aside, and what can be read of them is kept; see [`Store::notices`].
    ///
    /// # Errors
    /// Returns an error if the folder cannot be opened or created, if another process has it open, or if a newer version wrote it.
    pub fn open(self) -> Result<Store, StoreError> {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let turns = Arc::new(Semaphore::new(cores.clamp(*READERS.start(), *READERS.end())));
        let (patience, victoria_logs, flushed_after) = (self.patience, self.victoria_logs.clone(), self.flushed_after);
        let (engine, notices): (Box<dyn Engine>, _) = match victoria_logs {
            Some(url) => {
                let (engine, notices) = Victoria::open(self.settings(), &url, flushed_after)?;
                (Box::new(engine), notices)
            }
            None => {
                let mut notices = Vec::new();
                if let Some(path) = &self.path {
                    notices.extend(super::takeover::take_over(path, &self.report)?);
                }
                let (engine, more) = Local::open(self.settings())?;
                notices.extend(more);
                (Box::new(engine), notices)
            }
        };
        Ok(Store(Arc::new(Inner { engine, patience, turns, notices })))
    }

    fn settings(self) -> Settings {
        let retention = self.retention.unwrap_or(match &self.path {
            Some(_) => Retention::ALL,
            None => Retention::IN_MEMORY,
        });
        Settings {
            path: self.path,
            durability: self.durability,
            retention,
            clock: self.clock,
            waiting: self.waiting,
            disk: self.disk,
            report: self.report,
        }
    }
}
