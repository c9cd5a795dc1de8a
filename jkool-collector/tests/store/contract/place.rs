//! Where a store of a test keeps its entities.

use super::server::Server;
use crate::common::Folder;
use jkool_collector::{Appended, EntityId, Filter, Record, Store, StoreBuilder, StoreError, Stored};
use jkool_model::Timestamp;
use std::time::{Duration, Instant};

pub(crate) struct Place {
    folder: Folder,
    is_in_memory: bool,
    pub(crate) server: Option<Server>,
}

impl Place {
    pub(crate) fn embedded() -> Option<Self> {
        Some(Self { folder: Folder::new(), is_in_memory: false, server: None })
    }

    pub(crate) fn in_memory() -> Option<Self> {
        Some(Self { folder: Folder::new(), is_in_memory: true, server: None })
    }

    /// `None` where VictoriaLogs is not installed.
    pub(crate) fn victoria_logs() -> Option<Self> {
        Some(Self { folder: Folder::new(), is_in_memory: false, server: Some(Server::start()?) })
    }

    /// `None` where VictoriaLogs is not installed.
    pub(crate) fn cluster() -> Option<Self> {
        Some(Self { folder: Folder::new(), is_in_memory: false, server: Some(Server::cluster()?) })
    }

    pub(crate) fn builder(&self) -> StoreBuilder {
        let builder = Store::builder().patience(Duration::from_secs(60));
        let builder = if self.is_in_memory { builder } else { builder.file(self.folder.path("store")) };
        match &self.server {
            // Its last second is in memory.
            Some(server) => builder.victoria_logs(server.url()).flushed_after(Duration::from_secs(4)),
            None => builder,
        }
    }

    pub(crate) fn open(&self) -> Store {
        self.builder().open().unwrap()
    }

    /// The files of the journal.
    pub(crate) fn journal(&self) -> usize {
        std::fs::read_dir(self.folder.path("store").join("journal")).map_or(0, Iterator::count)
    }

    pub(crate) fn refused(&self) -> String {
        std::fs::read_to_string(self.folder.path("store").join("refused.jsonl")).unwrap_or_default()
    }
}

pub(crate) fn append(store: &Store, records: &[Record]) -> Result<Appended, StoreError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(store.append(records.to_vec()))
}

/// The youngest that are older than `before`.
pub(crate) fn find(store: &Store, limit: usize, before: Option<EntityId>) -> Vec<Stored> {
    let now = Timestamp::from_usec(0);
    store.read_now(|reader| reader.find(&Filter::default(), limit, before, now)).unwrap()
}

/// How many are found.
pub(crate) fn count(store: &Store) -> usize {
    find(store, 100_000, None).len()
}

/// Waits until it holds, two minutes at most.
#[expect(clippy::disallowed_methods, reason = "it waits for another process")]
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(120), "it never came to that: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
