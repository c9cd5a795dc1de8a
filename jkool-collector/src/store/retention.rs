//! Retention: how much is kept, and for how long.

use jkool_model::Timestamp;
use std::time::Duration;

/// How much is kept. The oldest entities are removed first. By default, a store in a folder keeps everything, and a store in memory 512
/// MiB.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// The maximum age, both by the entities' own times and since they were received.
    pub age: Option<Duration>,
    /// The maximum size in bytes.
    pub bytes: Option<u64>,
}

impl Retention {
    /// Keeps everything.
    pub const ALL: Self = Self { age: None, bytes: None };

    /// The default of a store in memory: 512 MiB.
    pub const IN_MEMORY: Self = Self { age: None, bytes: Some(512 << 20) };

    /// Removes entities that are older than `age`.
    #[must_use]
    pub fn age(mut self, age: Duration) -> Self {
        self.age = Some(age);
        self
    }

    /// Returns the time before which entities are not kept at `now`, or `None` if there is no limit.
    pub(super) fn oldest(&self, now: Timestamp) -> Option<Timestamp> {
        let age = i64::try_from(self.age?.as_micros()).unwrap_or(i64::MAX);
        Some(Timestamp::from_usec(now.as_usec().saturating_sub(age)))
    }

    /// Keeps at most this number of bytes.
    #[must_use]
    pub fn bytes(mut self, bytes: u64) -> Self {
        self.bytes = Some(bytes);
        self
    }
}
