//! Flush and shutdown: what callers wait for, and until when.

use crate::emit::{clock, delivery_thread, thread};
use crate::queue::completion::{Completed, Completion};
use crate::queue::shared::Shared;
use crate::report::stats::Report;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The goal of a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// All queued events are delivered.
    Delivered,
    /// All queued events are delivered, or at least durable.
    Durable,
    /// The queue is closed, and all events are delivered.
    Closed,
}

impl Shared {
    /// Answers waiters whose deadline has passed, and gives up the remaining events when the deadline of a shutdown has
    /// passed.
    fn expire(&self, now: Instant) {
        self.expire_in(&mut self.lock(), now);
    }

    /// Answers waiters whose deadline has passed; returns the next deadline of a waiter.
    pub(super) fn answer_the_late(&self, now: Instant) -> Option<Instant> {
        let mut accounts = self.lock();
        self.expire_in(&mut accounts, now);
        accounts.ledger.deadline()
    }

    /// Closes the queue; events that are not delivered within `timeout` are given up. Of several deadlines the first
    /// one counts.
    pub(crate) fn close(&self, timeout: Duration, now: Instant) {
        self.start_wait(timeout, Goal::Closed, now);
    }

    /// Starts a wait, and returns its deadline. Closing and waiting is one step, because otherwise the worker could
    /// finish in between.
    pub(crate) fn start_wait(&self, timeout: Duration, goal: Goal, now: Instant) -> (Instant, Arc<Completion<Report>>) {
        let completion = Arc::new(Completion::default());
        let mut deadline = clock::later(now, timeout);
        let mut accounts = self.lock();
        if goal == Goal::Closed {
            if self.spooling {
                // Even a shutdown with a timeout of zero writes events to the spool.
                accounts.write_down_at.get_or_insert(deadline - (timeout / 4).min(MAX_WRITE_DOWN));
                deadline += GRACE;
            }
            accounts.give_up_at.get_or_insert(deadline);
            self.shards.signals.close();
        }
        if !(goal == Goal::Durable && self.spooling) {
            accounts.new_wait = accounts.new_wait.into_iter().chain([deadline]).min();
        }
        let mut shards = self.shards.lock_all();
        let next = accounts.ledger.wait(&self.shards.sum(&shards), deadline, goal == Goal::Durable, &completion);
        for shard in &mut shards {
            shard.begin_generation(next);
            if goal == Goal::Closed {
                shard.close();
            }
        }
        drop(shards);
        drop(accounts);
        if goal == Goal::Closed {
            self.shards.wake_blocked();
        }
        self.wake.notify_one();
        (deadline, completion)
    }

    /// Waits until `goal` is reached, at most for `timeout`. This does not depend on the worker, which may be blocked.
    ///
    /// On the delivery thread, in a hook, this would wait for itself, so it returns the current numbers at once.
    pub(crate) fn wait(&self, timeout: Duration, goal: Goal) -> Report {
        if self.shards.origin.look() {
            return self.shards.origin.report();
        }
        if delivery_thread::is_current() {
            return self.report_at_once(timeout, goal);
        }
        let (deadline, completion) = self.start_wait(timeout, goal, clock::now());
        let report = completion.wait_until(deadline).unwrap_or_else(|| {
            self.expire(clock::now().max(deadline));
            self.wake.notify_one();
            completion.wait_until(deadline).unwrap_or_default()
        });
        if goal == Goal::Closed {
            // The thread ends shortly after the last event; a program that ends now should not interrupt it.
            let left = (deadline + GRACE).saturating_duration_since(clock::now());
            drop(self.lock().wait_while(&self.end, left, |accounts| !accounts.ended));
        }
        report
    }

    fn report_at_once(&self, timeout: Duration, goal: Goal) -> Report {
        let now = clock::now();
        if goal == Goal::Closed {
            self.close(timeout, now);
        }
        let (deadline, completion) = self.start_wait(Duration::ZERO, Goal::Delivered, now);
        self.expire(deadline);
        completion.wait_until(deadline).unwrap_or_default()
    }
}

/// The same wait for a task. Cancelling it removes the waiter.
pub(crate) async fn wait_async(shared: &Arc<Shared>, timeout: Duration, goal: Goal) -> Report {
    if shared.shards.origin.look() {
        return shared.shards.origin.report();
    }
    if delivery_thread::is_current() {
        return shared.report_at_once(timeout, goal);
    }
    if goal == Goal::Closed {
        return close_async(shared, timeout).await;
    }
    let (deadline, completion) = shared.start_wait(timeout, goal, clock::now());
    let waiting = Arc::clone(shared);
    shared.timer.keep(deadline, move |now| waiting.answer_the_late(now));
    let _forgotten = Forget(shared, &completion);
    Completed(Arc::clone(&completion)).await
}

/// A shutdown also waits for the end of the thread, which needs a thread of its own. There is one for each client.
async fn close_async(shared: &Arc<Shared>, timeout: Duration) -> Report {
    let answer = Arc::<Completion<Report>>::default();
    let (waiting, filled) = (Arc::clone(shared), Arc::clone(&answer));
    let wait = move || filled.fill(waiting.wait(timeout, Goal::Closed));
    match thread::spawn("jkool-wait", wait) {
        Ok(_) => Completed(answer).await,
        Err(_) => Completed(shared.start_wait(timeout, Goal::Closed, clock::now()).1).await,
    }
}

/// Removes the waiter from the ledger when it is dropped.
struct Forget<'a>(&'a Shared, &'a Arc<Completion<Report>>);

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.0.lock().ledger.forget(self.1);
    }
}

/// The time that a shutdown may take beyond its deadline, to write events to the spool and for the thread to end.
const GRACE: Duration = Duration::from_millis(50);

/// How long before its deadline a shutdown begins to write events to the spool; less if the timeout is short.
const MAX_WRITE_DOWN: Duration = Duration::from_secs(1);
