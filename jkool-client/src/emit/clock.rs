//! The only place that asks what time it is. What decides by time is handed an instant.

use jkool_model::Timestamp;
use std::time::{Duration, Instant};

/// For measuring: never jumps.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// So much later. A time-out of centuries is as good as none, and must not overflow.
pub(crate) fn later(now: Instant, timeout: Duration) -> Instant {
    now + timeout.min(Duration::from_secs(60 * 60 * 24 * 365))
}

/// For the times of events.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(crate) fn timestamp() -> Timestamp {
    std::time::SystemTime::now().into()
}
