//! Flush and shutdown: who waits for what, and until when.

use crate::emit::{clock, delivery_thread, thread};
use crate::queue::completion::{Completed, Completion};
use crate::queue::shared::Shared;
use crate::report::stats::Report;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a wait is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// All that is here is delivered.
    Delivered,
    /// All that is here is delivered, or durable at least.
    Durable,
    /// Nothing comes in any more, and all that is here is delivered.
    Closed,
}

impl Shared {
    /// Answers those whose deadline has passed, and gives up what is left when that of a shutdown has.
    fn expire(&self, now: Instant) {
        self.expire_in(&mut self.lock(), now);
    }

    /// Answers those whose deadline has passed; when the next of those who wait is to be answered.
    pub(super) fn answer_the_late(&self, now: Instant) -> Option<Instant> {
        let mut accounts = self.lock();
        self.expire_in(&mut accounts, now);
        accounts.ledger.deadline()
    }

    /// Nothing comes in any more, and what is not delivered within `timeout` is given up. Of several deadlines the first one
    /// counts.
    pub(crate) fn close(&self, timeout: Duration, now: Instant) {
        self.start_wait(timeout, Goal::Closed, now);
    }

    /// Starts a wait, and says until when it lasts. Closing and waiting is one step, or the worker could finish in between
    /// with nobody to count for.
    pub(crate) fn start_wait(&self, timeout: Duration, goal: Goal, now: Instant) -> (Instant, Arc<Completion<Report>>) {
        let completion = Arc::new(Completion::default());
        let mut deadline = clock::later(now, timeout);
        let mut accounts = self.lock();
        if goal == Goal::Closed {
            if self.spooling {
                // Even a shutdown without patience gets to write down something.
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

    /// Waits until `goal` is reached, at most for `timeout`. The worker may be held up then; what is true is known here too.
    ///
    /// The delivery thread, in a hook, would wait for itself: it learns at once what is true.
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
            // The thread ends a moment after the last event has; a program that ends now should not cut it short.
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

/// The same wait for a task. One that is dropped leaves nothing behind.
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

/// A shutdown also waits for the end of the thread, which only a thread can. There is one for each client.
async fn close_async(shared: &Arc<Shared>, timeout: Duration) -> Report {
    let answer = Arc::<Completion<Report>>::default();
    let (waiting, filled) = (Arc::clone(shared), Arc::clone(&answer));
    let wait = move || filled.fill(waiting.wait(timeout, Goal::Closed));
    match thread::spawn("jkool-wait", wait) {
        Ok(_) => Completed(answer).await,
        Err(_) => Completed(shared.start_wait(timeout, Goal::Closed, clock::now()).1).await,
    }
}

/// Takes a wait off the accounts when nobody waits any more.
struct Forget<'a>(&'a Shared, &'a Arc<Completion<Report>>);

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.0.lock().ledger.forget(self.1);
    }
}

/// How long a shutdown may take beyond its deadline: to write down what is left, and for the thread to end.
const GRACE: Duration = Duration::from_millis(50);

/// How long before its deadline a shutdown begins to write down what is not delivered; less when there is less time.
const MAX_WRITE_DOWN: Duration = Duration::from_secs(1);
