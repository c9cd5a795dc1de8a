//! What nobody records, and is looked at when an interval ends.

use jkool_client::model::Snapshot;
use std::fmt::Debug;
use std::time::Instant;

/// Something that can be looked at.
pub(crate) trait Probe: Debug + Send {
    /// How it is at the end of an interval; `None` when that can't be told.
    fn look(&mut self, now: Instant) -> Option<Snapshot>;
}

/// What the snapshots of all of them belong to.
#[cfg(any(feature = "process", feature = "tokio"))]
pub(crate) const CATEGORY: &str = "System";
