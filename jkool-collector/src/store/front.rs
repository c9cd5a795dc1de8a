//! What stands in front of every store: the thread that acknowledges, the journal that it writes, and what is in no index yet.

mod folder;
mod state;
mod writer;

pub(crate) use folder::aside;
pub(super) use folder::{Lock, make_folders, take, with_suffix};
pub(super) use state::{COMMIT, Group, Shared, State, find};
pub(super) use writer::{Follower, TAIL, Work, Writer, closed};

use super::progress::Report;
use super::{Durability, Retention};
use crate::clock::Clock;
use std::path::PathBuf;

/// How a store is opened.
#[derive(Debug)]
pub(super) struct Settings {
    /// The folder; none for one in memory.
    pub(super) path: Option<PathBuf>,
    pub(super) durability: Durability,
    pub(super) retention: Retention,
    pub(super) clock: Clock,
    /// How many bytes may wait to be written.
    pub(super) waiting: usize,
    /// At which size of a journal's file the disk counts as full, for tests.
    pub(super) disk: Option<u64>,
    pub(super) report: Report,
}
