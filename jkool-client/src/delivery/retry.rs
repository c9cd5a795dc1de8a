//! How long to wait after a failure. Pure: the random part is handed in.

use std::time::Duration;

/// How often a failed delivery is tried again. It is never given up while the server is in trouble: what fails is kept, and how
/// much that is, the limits of queue and spool say. An event that the server refuses, or fails over again and again, while others
/// get through, is rejected in the end; it holds up no other.
///
/// After a failure that may pass, the wait is a random time up to a bound that doubles with each failure in a row
/// ("full jitter"), and never less than the server asked for. When three in a row say that only a person can mend it (a refused
/// token, a wrong url), everything is kept and one event is tried from time to time. As long as it may be for a single event that
/// nothing gets through, no wait is longer than 20 s.
///
/// ```
/// use jkool_client::RetryPolicy;
/// use std::time::Duration;
/// let policy = RetryPolicy::default().initial(Duration::from_millis(100)).max(Duration::from_secs(10));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    initial: Duration,
    max: Duration,
    max_retry_after: Duration,
    probe_initial: Duration,
    probe_max: Duration,
}

/// 250 ms to 30 s; when only a person can mend it, 30 s to 15 min.
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

/// A wait of centuries is as good as one of this.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Even the luckiest draw does not try again at once.
const MIN_DELAY: Duration = Duration::from_millis(10);

impl RetryPolicy {
    /// The bound of the first wait.
    pub fn initial(mut self, initial: Duration) -> Self {
        self.initial = initial;
        self
    }

    /// What the bound grows to.
    pub fn max(mut self, max: Duration) -> Self {
        self.max = max;
        self
    }

    /// The longest that a server may ask for by `Retry-After`; 5 minutes unless said otherwise.
    pub fn max_retry_after(mut self, max: Duration) -> Self {
        self.max_retry_after = max;
        self
    }

    /// The first wait, and the longest, between tries while only a person can mend it.
    pub fn probe(mut self, initial: Duration, max: Duration) -> Self {
        self.probe_initial = initial;
        self.probe_max = max;
        self
    }

    /// The same with waits that can be counted with.
    pub(crate) fn bounded(self) -> Self {
        let Self { initial, max, max_retry_after, probe_initial, probe_max } = self;
        let [initial, max, max_retry_after, probe_initial, probe_max] =
            [initial, max, max_retry_after, probe_initial, probe_max].map(|wait| wait.min(LONGEST));
        Self { initial, max, max_retry_after, probe_initial, probe_max }
    }

    /// The wait after the `failures`-th failure in a row; `random` is from 0 up to 1, `after` what the server asked for.
    pub(crate) fn backoff(&self, failures: u32, random: f64, after: Option<Duration>) -> Duration {
        let jittered = doubled(self.initial, failures, self.max).mul_f64(random);
        let floor = after.unwrap_or_default().min(self.max_retry_after);
        // On top of what the server asked for there is some jitter too, or all its clients come back at once.
        let asked = floor + if floor.is_zero() { Duration::ZERO } else { jittered.min(self.initial) };
        jittered.max(asked).max(MIN_DELAY)
    }

    /// The longest wait for what may pass.
    pub(crate) fn longest(&self) -> Duration {
        self.max
    }

    /// The wait between tries while only a person can mend it; a little random, so that a fleet does not keep step.
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
