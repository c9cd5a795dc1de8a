//! The only place that asks what time it is. What decides by time is handed an instant.

use jkool_model::Timestamp;
use std::time::Instant;

/// For measuring: never jumps.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// For the times of events.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(crate) fn timestamp() -> Timestamp {
    std::time::SystemTime::now().into()
}
