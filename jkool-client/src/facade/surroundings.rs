//! The operation that a thread is working on, for a panic hook, which cannot ask the adapter.

use jkool_model::{Text, TrackingId};
use std::sync::OnceLock;

/// The current operation of a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// The id of its activity.
    pub parent_id: TrackingId,
    /// The correlator of everything that belongs to it.
    pub correlator: Text,
}

static LOOK: OnceLock<fn() -> Option<Surroundings>> = OnceLock::new();

/// Registers `look`. It may run while a thread panics, so it must take no lock that the program's code may hold. Only the first
/// registration counts.
pub fn ask(look: fn() -> Option<Surroundings>) {
    LOOK.get_or_init(|| look);
}

/// Returns the operation of the current thread.
pub fn here() -> Option<Surroundings> {
    LOOK.get().and_then(|look| look())
}
