//! The backoff after a failure. Pure: the random number is passed in.

use std::time::Duration;

/// When failed deliveries are retried. Set it by [`ClientBuilder::retry`](crate::ClientBuilder::retry).
///
/// The client does not stop retrying while the server is in trouble; the limits of queue and spool determine how many events
/// are kept. An event that the server rejects, or fails over again and again while others get through, is given up in the end;
/// it does not delay other events.
///
/// After a temporary failure, the wait is a random time up to a bound that doubles with each failure in a row (exponential
/// backoff with full jitter), and at least the time that the server asks for. If three failures in a row say that only a person
/// can fix the problem (a refused token, a wrong url), all events are kept and one of them is tried at long intervals. As long
/// as a single event may be the cause that nothing gets through, no wait is longer than 20 s.
///
/// ```
/// use jkool_client::RetryPolicy;
/// use std::time::Duration;
/// let policy = RetryPolicy::default().initial(Duration::from_millis(100)).max(Duration::from_secs(10));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a policy does nothing until it is passed to a builder"]
pub struct RetryPolicy {
    initial: Duration,
    max: Duration,
    max_retry_after: Duration,
    probe_initial: Duration,
    probe_max: Duration,
}

/// Waits from 250 ms to 30 s; when only a person can fix the problem, from 30 s to 15 min.
impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(250),
            max: Duration::from_secs(30),
            max_retry_after: Duration::from_secs(300),
            probe_initial: Duration::from_secs(30),
            probe_max: Duration::from_secs(900),
        }
    }
}

/// A year; longer waits make no difference and could overflow.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The minimum wait, whatever the random number is.
const MIN_DELAY: Duration = Duration::from_millis(10);

impl RetryPolicy {
    /// The bound of the first wait. The default is 250 ms.
    pub fn initial(mut self, initial: Duration) -> Self {
        self.initial = initial;
        self
    }

    /// The maximum of the bound. The default is 30 s.
    pub fn max(mut self, max: Duration) -> Self {
        self.max = max;
        self
    }

    /// The maximum wait that a server can ask for by `Retry-After`. The default is 5 minutes.
    pub fn max_retry_after(mut self, max: Duration) -> Self {
        self.max_retry_after = max;
        self
    }

    /// The first and the longest wait between tries while only a person can fix the problem. The defaults are 30 s and 15
    /// minutes.
    pub fn probe(mut self, initial: Duration, max: Duration) -> Self {
        self.probe_initial = initial;
        self.probe_max = max;
        self
    }

    /// The same policy, with waits that cannot overflow.
    pub(crate) fn bounded(self) -> Self {
        let Self { initial, max, max_retry_after, probe_initial, probe_max } = self;
        let [initial, max, max_retry_after, probe_initial, probe_max] =
            [initial, max, max_retry_after, probe_initial, probe_max].map(|wait| wait.min(LONGEST));
        Self { initial, max, max_retry_after, probe_initial, probe_max }
    }

    /// The wait after the `failures`-th failure in a row; `random` is in `0..1`, `after` is what the server asked for.
    pub(crate) fn backoff(&self, failures: u32, random: f64, after: Option<Duration>) -> Duration {
        let jittered = doubled(self.initial, failures, self.max).mul_f64(random);
        let floor = after.unwrap_or_default().min(self.max_retry_after);
        // Adds jitter to the time that the server asked for, or all its clients would come back at once.
        let asked = floor + if floor.is_zero() { Duration::ZERO } else { jittered.min(self.initial) };
        jittered.max(asked).max(MIN_DELAY)
    }

    /// The longest wait after temporary failures.
    pub(crate) fn longest(&self) -> Duration {
        self.max
    }

    /// The wait between tries while only a person can fix the problem, with jitter, so that many clients do not retry at the
    /// same time.
    pub(crate) fn probe_delay(&self, failures: u32, random: f64) -> Duration {
        doubled(self.probe_initial, failures, self.probe_max).mul_f64(0.8 + 0.2 * random).max(MIN_DELAY)
    }
}

fn doubled(initial: Duration, failures: u32, max: Duration) -> Duration {
    initial.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX)).min(max)
}

#[cfg(test)]
mod tests {
    use super::RetryPolicy;
    use proptest::prelude::{any, prop, proptest};
    use std::time::Duration;

    #[test]
    fn the_bound_doubles_up_to_the_maximum() {
        let policy = RetryPolicy::default();
        let bounds: Vec<u128> = (1..=9).map(|n| policy.backoff(n, 1.0, None).as_millis()).collect();
        assert_eq!(bounds, [250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        let probes: Vec<u64> = (1..=7).map(|n| policy.probe_delay(n, 1.0).as_secs()).collect();
        assert_eq!(probes, [30, 60, 120, 240, 480, 900, 900]);
    }

    proptest! {
        #[test]
        fn a_wait_is_never_zero_nor_endless_nor_shorter_than_asked(
            failures in any::<u32>(), random in 0.0..1.0_f64, after in prop::option::of(0..u64::MAX / 2)
        ) {
            let policy = RetryPolicy::default();
            let after = after.map(Duration::from_millis);
            let delay = policy.backoff(failures, random, after);
            assert!(delay >= Duration::from_millis(10));
            assert!(delay >= after.unwrap_or_default().min(Duration::from_secs(300)));
            assert!(delay <= Duration::from_secs(301));
            let probe = policy.probe_delay(failures, random);
            assert!((24..=900).contains(&probe.as_secs()));
        }
    }
}
