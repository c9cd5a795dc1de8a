//! Opening a store.

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

/// So many questions from async code are answered at the same time at most: one on each core, and two where there is one.
const READERS: RangeInclusive<usize> = 2..=8;

/// What is kept of what was received. Clones are handles of one store.
#[derive(Debug, Clone)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    engine: Box<dyn Engine>,
    /// How long a question may take.
    patience: Duration,
    /// For those who read from async code.
    turns: Arc<Semaphore>,
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
    /// A builder: in memory, unless it is given a file.
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

    /// Stores all of `records` or none of them, and returns when that is done as [`Durability`] says.
    ///
    /// # Errors
    /// When too much waits already, when the disk is full, or when the file can't be written.
    pub async fn append(&self, records: Vec<Record>) -> Result<Appended, StoreError> {
        if records.is_empty() {
            return Ok(Appended::default());
        }
        let reply = self.0.engine.put(records)?;
        reply.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Reads, on a thread where that may take its time. All that was acknowledged before is there.
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
        read(&Reader::new(&*self.0.engine, Deadline::within(self.0.patience)))
    }

    /// What is stored from now on, in the order of arrival. Who is too slow is told how much it missed.
    pub(crate) fn tail(&self) -> broadcast::Receiver<Arc<Fresh>> {
        self.0.engine.tail()
    }

    /// How it is now.
    pub(crate) fn health(&self) -> Health {
        self.0.engine.health()
    }

    /// What a person should know of it now: why what is acknowledged can't get to where it is kept, or what was refused there.
    /// None if all is well.
    pub fn troubles(&self) -> Vec<String> {
        self.health().notices
    }

    /// What opening it had to say: a damaged file that was set aside, for example.
    pub fn notices(&self) -> &[String] {
        &self.0.notices
    }
}

impl StoreBuilder {
    /// Keeps everything in a folder of this name, which is made if there is none. A file of this name that an older version
    /// made is taken over, and kept beside it with `.old` behind its name.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The folder that [`file`](Self::file) names.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Has everything kept by [VictoriaLogs](https://docs.victoriametrics.com/victorialogs/), one server or the front of a
    /// cluster, at this url. The folder that [`file`](Self::file) names holds the journal in front of it. How long events are
    /// kept is up to that server.
    #[must_use]
    pub fn victoria_logs(mut self, url: impl Into<String>) -> Self {
        self.victoria_logs = Some(url.into());
        self
    }

    /// After how long VictoriaLogs surely has on its disk what it was sent: a good deal longer than its
    /// `-inmemoryDataFlushInterval`, which is 5 seconds unless said otherwise. 30 seconds unless said otherwise. So long the
    /// journal keeps it too.
    #[must_use]
    pub fn flushed_after(mut self, duration: Duration) -> Self {
        self.flushed_after = duration;
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

    /// The disk is full when a file of the journal has so many bytes, for tests.
    #[doc(hidden)]
    #[must_use]
    pub fn disk(mut self, bytes: u64) -> Self {
        self.disk = Some(bytes);
        self
    }

    /// Told how far work is that takes long before the store is open.
    #[must_use]
    pub fn on_progress(mut self, tell: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.report = Report::to(tell);
        self
    }

    /// Opens it. What is damaged is set aside, and what can be read of it is taken, see [`Store::notices`].
    ///
    /// # Errors
    /// When the folder can't be opened or made, another process has it, or a newer version wrote it.
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
