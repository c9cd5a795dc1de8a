//! The only place that asks what time it is. What works out rates is handed an instant.

use std::time::{Duration, Instant};

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// So much later. An interval of centuries is as good as none, and must not overflow.
pub(crate) fn later(now: Instant, interval: Duration) -> Instant {
    now + interval.min(Duration::from_secs(60 * 60 * 24 * 365))
}
