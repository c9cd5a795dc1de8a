//! What a thread is in the middle of, for those who can't ask the adapter that knows: a panic hook.

use jkool_model::{Text, TrackingId};
use std::sync::OnceLock;

/// The operation that is under way on a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// The id of its activity.
    pub parent_id: TrackingId,
    /// What it shares with all that belongs to it.
    pub correlator: Text,
}

static LOOK: OnceLock<fn() -> Option<Surroundings>> = OnceLock::new();

/// From now on, `look` is asked. It may run while a panic is on its way, so it takes no lock that the program's own code may
/// hold. Of several, the first is asked.
pub fn ask(look: fn() -> Option<Surroundings>) {
    LOOK.get_or_init(|| look);
}

/// Of the current thread.
pub fn here() -> Option<Surroundings> {
    LOOK.get().and_then(|look| look())
}
