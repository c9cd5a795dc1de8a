//! When and where a call is made, for adapters that tell it of what lasts longer than a call.

use crate::emit::{clock, host};
use jkool_model::Timestamp;
use std::time::Instant;

/// For measuring: never jumps.
pub fn instant() -> Instant {
    clock::now()
}

/// For the times of events.
pub fn timestamp() -> Timestamp {
    clock::timestamp()
}

/// The number of the current thread.
pub fn tid() -> i64 {
    host::current_tid()
}
