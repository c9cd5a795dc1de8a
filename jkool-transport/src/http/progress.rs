//! The progress of a request, and its timeout.

use super::limits::{FOREVER, SLOWEST};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// The time at which bytes were last written. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    since: Instant,
    /// Nanoseconds since the start; 0 before the first byte.
    after: Arc<AtomicU64>,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { since: Instant::now(), after: Arc::default() }
    }

    pub(super) fn last(&self) -> Instant {
        self.since + Duration::from_nanos(self.after.load(Ordering::Relaxed))
    }

    pub(super) fn has_begun(&self) -> bool {
        self.after.load(Ordering::Relaxed) > 0
    }

    pub(super) fn moved(&self) {
        let nanos = u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.after.store(nanos.max(1), Ordering::Relaxed);
    }
}

/// The time limit of a request: the timeout since its start or its last progress, and several times the timeout in total.
pub(super) struct Patience {
    progress: Progress,
    timeout: Duration,
    latest: Instant,
}

impl Patience {
    pub(super) fn new(progress: Progress, timeout: Duration) -> Self {
        let timeout = timeout.min(FOREVER);
        let latest = progress.since + timeout.saturating_mul(SLOWEST).min(FOREVER);
        Self { progress, timeout, latest }
    }

    /// Waits for `work`; `None` on a timeout.
    pub(super) async fn wait<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        let mut alarm = pin!(sleep_until(self.late()));
        poll_fn(|context| {
            if let Poll::Ready(done) = work.as_mut().poll(context) {
                return Poll::Ready(Some(done));
            }
            while alarm.as_mut().poll(context).is_ready() {
                let late = self.late();
                if late <= alarm.deadline() {
                    return Poll::Ready(None);
                }
                alarm.as_mut().reset(late);
            }
            Poll::Pending
        })
        .await
    }

    /// The time of the timeout, as known now.
    fn late(&self) -> Instant {
        (self.progress.last() + self.timeout).min(self.latest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{advance, sleep};

    const SECOND: Duration = Duration::from_secs(1);

    /// After how many seconds a request is given up of which bytes move so often, in seconds.
    async fn given_up(every: u64, times: usize) -> u64 {
        let progress = Progress::new();
        let start = progress.last();
        let patience = Patience::new(progress.clone(), 30 * SECOND);
        let work = async {
            for _ in 0..times {
                sleep(u32::try_from(every).expect("few") * SECOND).await;
                progress.moved();
            }
            std::future::pending::<()>().await;
        };
        assert!(patience.wait(work).await.is_none());
        start.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_late_so_long_after_the_last_byte_and_never_later_than_in_all() {
        assert_eq!(given_up(29, 0).await, 30);
        assert_eq!(given_up(29, 1).await, 59);
        assert_eq!(given_up(29, 3).await, 117);
        assert_eq!(given_up(31, 3).await, 30);
        assert_eq!(given_up(29, 100).await, 300);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_byte_counts_though_no_time_has_passed() {
        let progress = Progress::new();
        assert!(!progress.has_begun());
        progress.moved();
        assert!(progress.has_begun());
        advance(SECOND).await;
        assert!(progress.last().elapsed() > SECOND / 2);
    }
}
