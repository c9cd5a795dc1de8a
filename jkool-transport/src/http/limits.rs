//! How long requests and connections may live, whichever way they go.

use std::time::Duration;

/// An older connection ends, and one with more requests, so that a name which moves to another address, or a balancer with a new
/// server behind it, is followed.
pub(super) const MAX_AGE: Duration = Duration::from_secs(5 * 60);
pub(super) const MAX_REQUESTS: u32 = 10_000;

/// A request over a slow line may take so many times the time-out in all.
pub(super) const SLOWEST: u32 = 10;

/// Longer than any program runs. A deadline must be a point in time.
pub(super) const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
