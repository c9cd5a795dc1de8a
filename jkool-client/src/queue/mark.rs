//! What an event in memory is known by.

/// What an event in memory is known by: its place among the flushes, about how many bytes it takes, and its place in the
/// spool, if it is there too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) generation: u64,
    pub(crate) weight: usize,
    pub(crate) slot: Option<Slot>,
}

/// A segment by its number in this process, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SegmentId(pub(crate) u64);

/// Where a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) segment: SegmentId,
    pub(crate) index: u32,
}
