//! Idle connections, which wait for the next request.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// The maximum idle time: servers and load balancers close idle connections after a minute or two.
const MOST: Duration = Duration::from_secs(90);

/// The idle connections, as many as there were concurrent requests. The one that was returned last is reused first, so that
/// those of a burst which are not needed any more expire.
pub(super) struct Idle<T> {
    /// `None` after closing.
    waiting: Mutex<Option<Waiting<T>>>,
}

struct Waiting<T> {
    /// With the time since when each is idle, oldest first.
    connections: VecDeque<(Instant, T)>,
    /// The task that checks them periodically. It ends when there are none, and with its runtime.
    tender: Option<AbortHandle>,
}

impl<T> Idle<T> {
    pub(super) fn new() -> Self {
        Self { waiting: Mutex::new(Some(Waiting { connections: VecDeque::new(), tender: None })) }
    }

    /// Returns the most recently used one that has not expired. Expired ones are closed.
    pub(super) fn take(&self, now: Instant) -> Option<T> {
        let mut old = Vec::new();
        let mut waiting = self.lock();
        let connections = &mut waiting.as_mut()?.connections;
        while connections.front().is_some_and(|(since, _)| is_too_old(*since, now)) {
            old.extend(connections.pop_front());
        }
        connections.pop_back().map(|(_, connection)| connection)
    }

    /// Stores `connection`, unless the transport is closed. `tend` starts the task that calls [`sweep`](Self::sweep) if none
    /// runs.
    pub(super) fn put(&self, connection: T, now: Instant, tend: impl FnOnce() -> AbortHandle) {
        if let Some(waiting) = self.lock().as_mut() {
            waiting.connections.push_back((now, connection));
            // The previous runtime may have ended, with the task, and another one may run now.
            if waiting.tender.as_ref().is_none_or(AbortHandle::is_finished) {
                waiting.tender = Some(tend());
            }
        }
    }

    /// Closes those that have expired or that the other side closed. Returns false if none is left: then the calling task is no
    /// longer needed.
    pub(super) fn sweep(&self, now: Instant, mut has_ended: impl FnMut(&mut T) -> bool) -> bool {
        // They are dropped outside of the lock, because each sends its TLS close.
        let mut ended = Vec::new();
        let mut waiting = self.lock();
        let Some(all) = waiting.as_mut() else { return false };
        let mut stay = VecDeque::with_capacity(all.connections.len());
        for (since, mut connection) in all.connections.drain(..) {
            if is_too_old(since, now) || has_ended(&mut connection) {
                ended.push(connection);
            } else {
                stay.push_back((since, connection));
            }
        }
        all.connections = stay;
        let is_needed = !all.connections.is_empty();
        if !is_needed {
            all.tender = None;
        }
        drop(waiting);
        is_needed
    }

    /// Closes the idle connections, and those that are returned later.
    pub(super) fn close(&self) {
        let ended = self.lock().take();
        drop(ended);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Waiting<T>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stops the task when nothing is left to check.
impl<T> Drop for Waiting<T> {
    fn drop(&mut self) {
        if let Some(tender) = &self.tender {
            tender.abort();
        }
    }
}

fn is_too_old(since: Instant, now: Instant) -> bool {
    now.saturating_duration_since(since) > MOST
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn later(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
    fn tend() -> AbortHandle {
        tokio::spawn(std::future::pending::<()>()).abort_handle()
    }

    #[tokio::test]
    async fn the_last_one_goes_out_first() {
        let (idle, start) = (Idle::new(), Instant::now());
        for number in 0..3 {
            idle.put(number, start, tend);
        }
        assert_eq!(
            [idle.take(start), idle.take(start), idle.take(start), idle.take(start)],
            [Some(2), Some(1), Some(0), None]
        );
    }

    #[tokio::test]
    async fn what_is_not_needed_grows_old_and_ends() {
        let (idle, start) = (Idle::new(), Instant::now());
        let connections = [Arc::new(0), Arc::new(1), Arc::new(2)];
        for connection in &connections {
            idle.put(Arc::clone(connection), start, tend);
        }
        for seconds in (0..=90).step_by(10) {
            let used = idle.take(later(start, seconds)).expect("a connection");
            assert_eq!(*used, 2);
            idle.put(used, later(start, seconds), tend);
        }
        let count = || connections.each_ref().map(Arc::strong_count);
        assert_eq!(count(), [2, 2, 2]);
        let used = idle.take(later(start, 91));
        assert_eq!(used.as_deref(), Some(&2));
        assert_eq!(count(), [1, 1, 2], "the others have ended");
        assert!(idle.take(later(start, 91)).is_none());
    }

    #[tokio::test]
    async fn one_that_is_too_old_is_not_used() {
        let (idle, start) = (Idle::new(), Instant::now());
        idle.put((), start, tend);
        assert_eq!(idle.take(later(start, 91)), None);
    }

    #[tokio::test]
    async fn closing_ends_what_waits_and_what_comes_back() {
        let (idle, start) = (Idle::new(), Instant::now());
        let connections = [Arc::new(0), Arc::new(1)];
        idle.put(Arc::clone(&connections[0]), start, tend);
        idle.close();
        idle.put(Arc::clone(&connections[1]), start, tend);
        assert_eq!(connections.each_ref().map(Arc::strong_count), [1, 1]);
        assert!(idle.take(start).is_none());
    }

    #[tokio::test]
    async fn what_has_ended_goes_and_the_rest_keeps_its_order() {
        let (idle, start) = (Idle::new(), Instant::now());
        for number in 0..6 {
            idle.put(number, later(start, number), tend);
        }
        assert!(idle.sweep(later(start, 91), |number| *number % 2 == 1), "some are left");
        assert_eq!(
            [idle.take(later(start, 91)), idle.take(later(start, 91)), idle.take(later(start, 91))],
            [Some(4), Some(2), None],
            "the first is too old, and the odd ones have ended"
        );
    }

    #[tokio::test]
    async fn one_task_looks_at_them_while_there_are_any() {
        let (idle, start) = (Idle::new(), Instant::now());
        let mut tasks = Vec::new();
        let mut put = |number: i32| {
            idle.put(number, start, || {
                tasks.push(tend());
                tasks.last().expect("a task").clone()
            });
            tasks.len()
        };
        assert_eq!((put(1), put(2)), (1, 1));
        assert!(!idle.sweep(start, |_| true), "none is left, and the task ends");
        assert_eq!((put(3), put(4)), (2, 2), "another one");
        // A runtime ends its tasks.
        tasks.last().expect("a task").abort();
        tokio::task::yield_now().await;
        idle.put(5, start, || {
            tasks.push(tend());
            tasks.last().expect("a task").clone()
        });
        assert_eq!(tasks.len(), 3);
        idle.close();
        tokio::task::yield_now().await;
        assert!(tasks[2].is_finished(), "nothing is left to run");
        assert!(!idle.sweep(start, |_| false));
    }
}
