//! The only code that reads the clock. Code that computes rates gets the time as an argument.

use std::time::{Duration, Instant};

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Adds a duration. Very long intervals are limited, so that this does not overflow.
pub(crate) fn later(now: Instant, interval: Duration) -> Instant {
    now + interval.min(Duration::from_secs(60 * 60 * 24 * 365))
}
