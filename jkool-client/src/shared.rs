//! What the program's threads and the worker share: the intake behind its lock, and the ways to wake each other.

use crate::completion::{Completed, Completion};
use crate::delivery::Trouble;
use crate::intake::{Intake, Limits, Offer, Taken};
use crate::ledger::{End, Mark};
use crate::{Admission, Condition, Health, LossReason, OverflowPolicy, Report, Stats, clock, encode, worker};
use jkool_model::{Entity, Timestamp};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

pub(crate) struct Shared {
    intake: Mutex<State>,
    /// Told when something leaves memory, and a caller may be waiting for room.
    room: Condvar,
    /// Callers can be waiting for room.
    blocking: bool,
    /// What the client adds to each event, in bytes.
    added_bytes: usize,
    /// Wakes the worker.
    pub(crate) wake: Notify,
}

struct State {
    intake: Intake,
    /// Set by shutdown: when the worker gives up what is left.
    give_up_at: Option<Instant>,
    /// The worker is gone.
    ended: bool,
    condition: Condition,
    last_success: Option<Timestamp>,
    /// The worker is asked not to wait any longer.
    try_now: bool,
}

impl Shared {
    pub(crate) fn new(limits: Limits, added_bytes: usize) -> Self {
        Self {
            intake: Mutex::new(State {
                intake: Intake::new(limits),
                give_up_at: None,
                ended: false,
                condition: Condition::default(),
                last_success: None,
                try_now: false,
            }),
            room: Condvar::new(),
            blocking: matches!(limits.overflow, OverflowPolicy::Block(_)),
            added_bytes,
            wake: Notify::new(),
        }
    }

    /// Nothing that runs under the lock can leave it half changed, so a panic elsewhere is no reason to give up.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.intake.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn emit(&self, mut entity: Entity) -> Admission {
        let weight = encode::weight(&entity) + self.added_bytes;
        // The worker must never wait for itself.
        let mut may_wait = self.blocking && !worker::is_current();
        let mut deadline = None;
        let mut state = self.lock();
        loop {
            match state.intake.offer(entity, weight, may_wait) {
                Offer::Settled { admission, wake } => {
                    drop(state);
                    if wake {
                        self.wake.notify_one();
                    }
                    return admission;
                }
                Offer::Wait(waiting, timeout) => {
                    entity = *waiting;
                    self.wake.notify_one();
                    let now = clock::now();
                    let left = deadline.get_or_insert(clock::after(timeout)).saturating_duration_since(now);
                    let full = |state: &mut State| !state.intake.is_closed() && !state.intake.has_room(weight);
                    let waited = self.room.wait_timeout_while(state, left, full);
                    let (guard, result) = waited.unwrap_or_else(PoisonError::into_inner);
                    state = guard;
                    may_wait = !result.timed_out();
                }
            }
        }
    }

    /// Counts an event that never became one.
    pub(crate) fn refuse(&self, reason: LossReason) {
        self.lock().intake.ledger.refuse(reason);
        self.wake.notify_one();
    }

    pub(crate) fn stats(&self) -> Stats {
        self.lock().intake.ledger.stats()
    }

    pub(crate) fn health(&self) -> Health {
        let state = self.lock();
        let over = state.ended || state.intake.is_drained();
        let condition = if over { Condition::Ended } else { state.condition.clone() };
        Health { condition, last_success: state.last_success, stats: state.intake.ledger.stats() }
    }

    /// How delivery is doing, after a send that got something through or nothing.
    pub(crate) fn update_health(&self, trouble: Option<&Trouble>, success: bool, now: Timestamp) {
        let mut state = self.lock();
        if success {
            state.last_success = Some(now);
        }
        let since = match state.condition {
            Condition::BackingOff { since, .. } | Condition::Paused { since, .. } => since,
            _ => now,
        };
        state.condition = match trouble.cloned() {
            None => Condition::Running,
            Some(Trouble::Passing(error)) => Condition::BackingOff { error, since },
            Some(Trouble::Misconfigured(error)) => Condition::Paused { error, since },
        };
    }

    /// Asks the worker to try again now, since what stood in the way may be gone.
    pub(crate) fn ask_to_try(&self) {
        self.lock().try_now = true;
        self.wake.notify_one();
    }

    /// Whether somebody asked.
    pub(crate) fn is_asked_to_try(&self) -> bool {
        std::mem::take(&mut self.lock().try_now)
    }

    pub(crate) fn take(&self, max: usize, under_way: bool, now: Instant) -> Taken {
        self.lock().intake.take(max, under_way, now)
    }

    /// Events end.
    pub(crate) fn end(&self, ended: impl IntoIterator<Item = (Mark, End)>, maybe_duplicated: u64) {
        let mut state = self.lock();
        for (mark, end) in ended {
            state.intake.ledger.end(mark, end);
        }
        state.intake.ledger.maybe_duplicated(maybe_duplicated);
        drop(state);
        if self.blocking {
            self.room.notify_all();
        }
    }

    /// Encoding has shown how much memory events really take.
    pub(crate) fn reweigh<'a>(&self, marks: impl IntoIterator<Item = (&'a mut Mark, usize)>) {
        let mut state = self.lock();
        for (mark, weight) in marks {
            state.intake.ledger.reweigh(mark, weight);
        }
    }

    /// Answers those whose deadline has passed, and gives up what is left when that of a shutdown has; the next deadline.
    pub(crate) fn expire(&self, now: Instant) -> Option<Instant> {
        let mut state = self.lock();
        if state.give_up_at.is_some_and(|at| at <= now) {
            // Before anyone is answered: what a shutdown gives up is dropped, and not pending.
            state.intake.end_all(LossReason::Shutdown);
            self.room.notify_all();
        }
        let next = state.intake.ledger.expire(now);
        next.into_iter().chain(state.give_up_at).min()
    }

    pub(crate) fn is_drained(&self) -> bool {
        self.lock().intake.is_drained()
    }

    /// The worker stops delivering; what is left is lost for `reason`.
    pub(crate) fn end_all(&self, reason: LossReason) {
        self.lock().intake.end_all(reason);
        self.room.notify_all();
    }

    /// The worker is gone.
    pub(crate) fn ended(&self) {
        self.lock().ended = true;
        self.room.notify_all();
    }

    /// Nothing comes in any more, and what is not delivered by `deadline` is given up. Of several deadlines the first one
    /// counts.
    pub(crate) fn close(&self, deadline: Instant) {
        self.start_wait(deadline, true);
    }

    /// Closing and waiting is one step, or the worker could finish in between with nobody to count for.
    fn start_wait(&self, deadline: Instant, close: bool) -> Arc<Completion> {
        let completion = Arc::new(Completion::default());
        let mut state = self.lock();
        if close {
            state.intake.close();
            state.give_up_at.get_or_insert(deadline);
        }
        state.intake.ledger.wait(deadline, &completion);
        drop(state);
        self.room.notify_all();
        self.wake.notify_one();
        completion
    }

    /// Waits until all that is in memory has ended, or until the deadline. The worker may be held up then; what is true is
    /// known here too.
    fn finish_wait(&self, deadline: Instant, completion: &Completion) -> Report {
        completion.wait_until(deadline).unwrap_or_else(|| {
            self.expire(clock::now().max(deadline));
            self.wake.notify_one();
            completion.wait_until(deadline).unwrap_or_default()
        })
    }

    /// A flush, or with `close` a shutdown.
    pub(crate) fn wait(&self, timeout: Duration, close: bool) -> Report {
        let deadline = clock::after(timeout);
        let completion = self.start_wait(deadline, close);
        let report = self.finish_wait(deadline, &completion);
        if close {
            // The thread ends a moment after the last event has; a program that ends now should not cut it short.
            let left = (deadline + GRACE).saturating_duration_since(clock::now());
            drop(self.room.wait_timeout_while(self.lock(), left, |state| !state.ended));
        }
        report
    }
}

/// The same wait for a task. A thread keeps the deadline: a task has no clock that works on any executor, and the worker may be
/// held up. Without a thread the worker does what it can.
pub(crate) async fn wait_async(shared: &Arc<Shared>, timeout: Duration, close: bool) -> Report {
    let answer = Arc::new(Completion::default());
    let (waiting, filled) = (Arc::clone(shared), Arc::clone(&answer));
    let wait = move || filled.fill(waiting.wait(timeout, close));
    match std::thread::Builder::new().name("jkool-wait".into()).spawn(wait) {
        Ok(_) => Completed(answer).await,
        Err(_) => Completed(shared.start_wait(clock::after(timeout), close)).await,
    }
}

/// How long a shutdown waits for the thread after its last event.
const GRACE: Duration = Duration::from_millis(50);
