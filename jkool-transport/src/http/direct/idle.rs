//! Connections that wait for the next request.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// What waits for longer is most likely gone: servers and what stands before them close after a minute or two.
const MOST: Duration = Duration::from_secs(90);

/// As many as there were requests at once. The last one that came back goes out first, so that those of a burst which are
/// not needed any more grow old.
pub(super) struct Idle<T> {
    /// With the time since when each waits, the oldest first. None once closed.
    waiting: Mutex<Option<VecDeque<(Instant, T)>>>,
}

impl<T> Idle<T> {
    pub(super) fn new() -> Self {
        Self { waiting: Mutex::new(Some(VecDeque::new())) }
    }

    /// The youngest, if there is one that is not too old. Those that are too old end here.
    pub(super) fn take(&self, now: Instant) -> Option<T> {
        let mut old = Vec::new();
        let mut waiting = self.lock();
        let waiting = waiting.as_mut()?;
        while waiting.front().is_some_and(|(since, _)| now.saturating_duration_since(*since) > MOST) {
            old.extend(waiting.pop_front());
        }
        waiting.pop_back().map(|(_, connection)| connection)
    }

    /// Keeps `connection`, unless all is over.
    pub(super) fn put(&self, connection: T, now: Instant) {
        if let Some(waiting) = self.lock().as_mut() {
            waiting.push_back((now, connection));
        }
    }

    /// Ends those that wait, and those that come back later.
    pub(super) fn close(&self) {
        let ended = self.lock().take();
        drop(ended);
    }

    fn lock(&self) -> MutexGuard<'_, Option<VecDeque<(Instant, T)>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn later(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn the_last_one_goes_out_first() {
        let (idle, start) = (Idle::new(), Instant::now());
        for number in 0..3 {
            idle.put(number, start);
        }
        assert_eq!(
            [idle.take(start), idle.take(start), idle.take(start), idle.take(start)],
            [Some(2), Some(1), Some(0), None]
        );
    }

    #[test]
    fn what_is_not_needed_grows_old_and_ends() {
        let (idle, start) = (Idle::new(), Instant::now());
        let connections = [Arc::new(0), Arc::new(1), Arc::new(2)];
        for connection in &connections {
            idle.put(Arc::clone(connection), start);
        }
        for seconds in (0..=90).step_by(10) {
            let used = idle.take(later(start, seconds)).expect("a connection");
            assert_eq!(*used, 2);
            idle.put(used, later(start, seconds));
        }
        let count = || connections.each_ref().map(Arc::strong_count);
        assert_eq!(count(), [2, 2, 2]);
        let used = idle.take(later(start, 91));
        assert_eq!(used.as_deref(), Some(&2));
        assert_eq!(count(), [1, 1, 2], "the others have ended");
        assert!(idle.take(later(start, 91)).is_none());
    }

    #[test]
    fn one_that_is_too_old_is_not_used() {
        let (idle, start) = (Idle::new(), Instant::now());
        idle.put((), start);
        assert_eq!(idle.take(later(start, 91)), None);
    }

    #[test]
    fn closing_ends_what_waits_and_what_comes_back() {
        let (idle, start) = (Idle::new(), Instant::now());
        let connections = [Arc::new(0), Arc::new(1)];
        idle.put(Arc::clone(&connections[0]), start);
        idle.close();
        idle.put(Arc::clone(&connections[1]), start);
        assert_eq!(connections.each_ref().map(Arc::strong_count), [1, 1]);
        assert!(idle.take(start).is_none());
    }
}
