//! What an event in memory is known by.

use crate::queue::lane::Lane;
use crate::queue::receipts::ReceiptId;

/// What an event in memory is known by: its place among the flushes, about how many bytes it takes, its place in the spool, if
/// it is there too, its lane, its receipt, if somebody asked for one, and when it came, or a little before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) generation: u64,
    pub(crate) weight: usize,
    pub(crate) slot: Option<Slot>,
    pub(crate) lane: Lane,
    pub(crate) receipt: Option<ReceiptId>,
    pub(crate) since: Since,
}

/// A time in nanoseconds after the client was built; below 0 for what an earlier process has left.
pub(crate) type Since = i64;

/// A segment by its number in this process, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SegmentId(pub(crate) u64);

/// Where a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) segment: SegmentId,
    pub(crate) index: u32,
}
