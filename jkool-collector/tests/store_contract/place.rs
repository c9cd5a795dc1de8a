//! Where a store of a test keeps its entities.

use crate::common::Folder;
use crate::server::Server;
use jkool_collector::{Store, StoreBuilder};
use std::time::Duration;

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
