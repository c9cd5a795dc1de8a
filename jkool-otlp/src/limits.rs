//! How much an export may become.

/// How much an export may become. A few bytes of a request can be much in memory: what describes a resource is told of each of its
/// records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// So many entities.
    pub entities: usize,
    /// So many bytes: of the messages while they are read, and again of the entities.
    pub bytes: usize,
}

impl Limits {
    /// None, for messages of one's own.
    pub const NONE: Self = Self { entities: usize::MAX, bytes: usize::MAX };
}
