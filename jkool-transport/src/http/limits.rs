//! The limits of requests and connections, for all senders.

use std::time::Duration;

/// The maximum age and number of requests of a connection, so that a DNS change, or a new server behind a load balancer, takes
/// effect.
pub(super) const MAX_AGE: Duration = Duration::from_secs(5 * 60);
pub(super) const MAX_REQUESTS: u32 = 10_000;

/// The maximum total time of a request, as a multiple of the timeout.
pub(super) const SLOWEST: u32 = 10;

/// A time longer than any program runs, for deadlines without a limit.
pub(super) const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
