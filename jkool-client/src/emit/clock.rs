//! The only place that asks for the time. Code that decides by time gets an instant as an argument.

use jkool_model::Timestamp;
use std::time::{Duration, Instant};

/// For measuring: it never jumps.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Adds a duration. A timeout of centuries means no timeout, and must not overflow.
pub(crate) fn later(now: Instant, timeout: Duration) -> Instant {
    now + timeout.min(Duration::from_secs(60 * 60 * 24 * 365))
}

/// For the times of events.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(crate) fn timestamp() -> Timestamp {
    std::time::SystemTime::now().into()
}
