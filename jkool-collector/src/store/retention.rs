//! What is kept, and for how long.

use jkool_model::Timestamp;
use std::time::Duration;

/// How much is kept; what is oldest goes first. By default all of it, for a file, and 512 MiB in memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// No longer than this, by the entities' own times, and since they were received.
    pub age: Option<Duration>,
    /// No more than this, in bytes.
    pub bytes: Option<u64>,
}

impl Retention {
    /// Everything is kept.
    pub const ALL: Self = Self { age: None, bytes: None };

    /// What a store in memory keeps unless told otherwise: 512 MiB.
    pub const IN_MEMORY: Self = Self { age: None, bytes: Some(512 << 20) };

    /// Keeps nothing longer than `age`.
    #[must_use]
    pub fn age(mut self, age: Duration) -> Self {
        self.age = Some(age);
        self
    }

    /// What is older than this at `now` is not kept; `None` when all is.
    pub(super) fn oldest(&self, now: Timestamp) -> Option<Timestamp> {
        let age = i64::try_from(self.age?.as_micros()).unwrap_or(i64::MAX);
        Some(Timestamp::from_usec(now.as_usec().saturating_sub(age)))
    }

    /// Keeps no more than so many bytes.
    #[must_use]
    pub fn bytes(mut self, bytes: u64) -> Self {
        self.bytes = Some(bytes);
        self
    }
}
