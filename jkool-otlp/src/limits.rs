//! Limits on the result of an export.

/// Limits on the result of an export. A small request can need much memory, because the attributes of a resource are copied to
/// each of its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limits {
    /// The maximum number of entities.
    pub entities: usize,
    /// The maximum memory in bytes: for the messages while they are decoded, and again for the entities.
    pub bytes: usize,
}

impl Limits {
    /// No limits, for messages that the program created itself.
    pub const NONE: Self = Self { entities: usize::MAX, bytes: usize::MAX };
}
