//! Values that are read at the end of an interval instead of being recorded.

use jkool_client::model::Snapshot;
use std::fmt::Debug;
use std::time::Instant;

/// A source of such values.
pub(crate) trait Probe: Debug + Send {
    /// Returns the values at the end of an interval; `None` if they cannot be read.
    fn look(&mut self, now: Instant) -> Option<Snapshot>;
}

/// The category of their snapshots.
#[cfg(any(feature = "process", feature = "tokio"))]
pub(crate) const CATEGORY: &str = "System";
