//! The time and thread of a call, for adapters that record operations longer than a call.

use crate::emit::{clock, host};
use jkool_model::Timestamp;
use std::time::Instant;

/// The monotonic clock, to measure durations.
pub fn instant() -> Instant {
    clock::now()
}

/// The system clock, for the times of events.
pub fn timestamp() -> Timestamp {
    clock::timestamp()
}

/// The id of the current thread.
pub fn tid() -> i64 {
    host::current_tid()
}
