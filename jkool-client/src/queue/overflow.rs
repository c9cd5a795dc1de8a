//! What to do when the queue is full.

use std::time::Duration;

/// Decides what happens to an event that is emitted while the queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum OverflowPolicy {
    /// The event is dropped and counted. This is the default, because the events that are already in the queue show how the problem
    /// began.
    #[default]
    DropNewest,
    /// The oldest waiting events are dropped and counted, until there is room for the event.
    DropOldest,
    /// The worker moves events that would fill more than half of the queue to the [spool](crate::Spool). If the queue is full all
    /// the same, because the disk is too slow or the spool is full too, the event is dropped and counted. This is the default with
    /// a spool, and not available without one.
    Spill,
    /// The caller waits for room, at most for the given time; then the event is dropped and counted. This is the only policy
    /// under which an emit or log call can block.
    Block(Duration),
}

/// Whether an event was accepted when it was emitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Admission {
    /// The event is in the queue.
    Accepted,
    /// The event was dropped at once and counted, for this reason.
    Dropped(crate::report::loss::LossReason),
}
