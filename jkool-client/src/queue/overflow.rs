//! What to do when the queue is full.

use std::time::Duration;

/// What happens to an event that comes while the queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OverflowPolicy {
    /// It is dropped and counted. The default: what is already queued tells how the trouble began.
    #[default]
    DropNewest,
    /// The oldest waiting events make room, and are counted.
    DropOldest,
    /// The worker moves to the [spool](crate::Spool) what would fill more than half of the queue. What comes while the queue
    /// is full all the same, because the disk is slower or the spool is full too, is dropped and counted. The default with
    /// a spool, and impossible without.
    Spill,
    /// The caller waits for room, at most so long; then the event is dropped and counted. This is the only setting under
    /// which an emit or log call can block.
    Block(Duration),
}

/// What became of an event at the moment it was emitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is on its way.
    Accepted,
    /// It was dropped at once, and counted.
    Dropped(crate::report::loss::LossReason),
}
