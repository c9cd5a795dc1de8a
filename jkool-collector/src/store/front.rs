//! The common front of all stores: the thread that acknowledges, the journal that it writes, and the entities that are
//! not indexed yet.

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

/// The options for opening a store.
#[derive(Debug)]
pub(super) struct Settings {
    /// The folder; `None` for a store in memory.
    pub(super) path: Option<PathBuf>,
    pub(super) durability: Durability,
    pub(super) retention: Retention,
    pub(super) clock: Clock,
    /// The maximum number of bytes that wait to be written.
    pub(super) waiting: usize,
    /// The size of a journal file at which the disk counts as full, for tests.
    pub(super) disk: Option<u64>,
    pub(super) report: Report,
}
