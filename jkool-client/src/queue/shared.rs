//! What the program's threads and the worker share: the intake behind its lock, and the ways to wake each other.

use crate::emit::code::Code;
use crate::emit::encode::{self, Encoder};
use crate::emit::host;
use crate::emit::line::{Line, Stamped};
use crate::emit::{clock, delivery_thread};
use crate::queue::admission::{Answer, Intake, Limits, Taken};
use crate::queue::blocks::{self, Block, Incoming};
use crate::queue::completion::{Completed, Completion};
use crate::queue::ledger::Ledger;
use crate::queue::overflow::Admission;
use crate::queue::overflow::OverflowPolicy;
use crate::report::health::Condition;
use crate::report::health::Health;
use crate::report::health::Trouble;
use crate::report::loss::LossReason;
use crate::report::stats::Report;
use crate::report::stats::Stats;
use jkool_model::{Entity, InvalidEntity, Severity, Timestamp};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

pub(crate) struct Shared {
    intake: Mutex<State>,
    /// Told when something leaves memory, and a caller may be waiting for room.
    room: Condvar,
    /// Callers can be waiting for room.
    blocking: bool,
    /// There is a spool for what is left at the end.
    spooling: bool,
    /// Makes the JSON of events, here and there.
    pub(crate) encoder: Encoder,
    /// Wakes the worker.
    pub(crate) wake: Notify,
}

struct State {
    intake: Intake,
    /// Set by shutdown: when the worker gives up what is left.
    give_up_at: Option<Instant>,
    /// Set by shutdown: when what is in memory alone goes to the spool.
    write_down_at: Option<Instant>,
    /// Why the spool does not work at present.
    spool_error: Option<String>,
    /// The worker is gone.
    ended: bool,
    condition: Condition,
    last_success: Option<Timestamp>,
    /// The worker is asked not to wait any longer.
    try_now: bool,
    /// How many callers wait for room.
    waiting: usize,
    /// Why the last event was refused that its caller has encoded.
    invalid: Option<InvalidEntity>,
}

/// What the worker sees when it looks around.
pub(crate) struct Look {
    /// When time alone brings something about.
    pub(crate) deadline: Option<Instant>,
    pub(crate) stats: Stats,
    /// Events come in, and half of the room is free.
    pub(crate) has_room: bool,
    /// Somebody asks not to wait any longer.
    pub(crate) try_now: bool,
    /// Why an event was refused of late, if one was.
    pub(crate) invalid: Option<InvalidEntity>,
}

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
    pub(crate) fn new(limits: Limits, spooling: bool, encoder: Encoder) -> Self {
        Self {
            intake: Mutex::new(State {
                intake: Intake::new(limits),
                give_up_at: None,
                write_down_at: None,
                spool_error: None,
                ended: false,
                condition: Condition::default(),
                last_success: None,
                try_now: false,
                waiting: 0,
                invalid: None,
            }),
            room: Condvar::new(),
            blocking: matches!(limits.overflow, OverflowPolicy::Block(_)),
            spooling,
            encoder,
            wake: Notify::new(),
        }
    }

    /// Nothing that runs under the lock can leave it half changed, so a panic elsewhere is no reason to give up.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.intake.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An event, and where in the code it was made, when that is to be told.
    pub(crate) fn emit(&self, mut entity: Entity, code: Option<Code>) -> Admission {
        let severity = encode::severity(&entity);
        if self.encoder.leaves(&entity) {
            if let (Entity::Event(event), Some(code)) = (&mut entity, code) {
                code.add_to(event);
            }
            let weight = self.encoder.weight_of_entity(&entity);
            return self.offer(Incoming::Entity(entity), severity, weight);
        }
        encode::with_scratch(|json| match self.encoder.encode(entity, code, json) {
            Ok(shape) => {
                let weight = self.encoder.weight(shape, json) + blocks::overhead(json.len());
                self.offer(Incoming::Encoded(shape, json), severity, weight)
            }
            Err(invalid) => {
                let mut state = self.lock();
                state.invalid = Some(invalid);
                state.intake.ledger.refuse(LossReason::Invalid);
                drop(state);
                self.wake.notify_one();
                Admission::Dropped(LossReason::Invalid)
            }
        })
    }

    /// An event that is a log line. Hooks would not see it: only for when there are none.
    pub(crate) fn emit_line(&self, line: &Line<'_>) -> Admission {
        let stamped = Stamped::new(line, clock::timestamp().as_usec(), host::current_tid());
        let weight = self.encoder.weight_of_line(&stamped, line.operation);
        self.offer(Incoming::Line(stamped, line.message, line.operation), line.severity, weight)
    }

    fn offer(&self, incoming: Incoming<'_>, severity: Severity, weight: usize) -> Admission {
        // The worker must never wait for itself.
        let mut may_wait = self.blocking && !delivery_thread::is_current();
        let mut deadline = None;
        let mut state = self.lock();
        let (admission, wake) = loop {
            match state.intake.admit(severity, weight, may_wait) {
                Answer::Admitted { mark, wake } => {
                    state.intake.put(incoming, mark);
                    break (Admission::Accepted, wake);
                }
                Answer::Refused { reason, wake } => break (Admission::Dropped(reason), wake),
                Answer::Wait(timeout) => {
                    self.wake.notify_one();
                    let now = clock::now();
                    let left = deadline.get_or_insert(clock::later(now, timeout)).saturating_duration_since(now);
                    let full = |state: &mut State| !state.intake.is_closed() && !state.intake.has_room(weight);
                    state.waiting += 1;
                    let waited = self.room.wait_timeout_while(state, left.min(LOOK), full);
                    let (guard, result) = waited.unwrap_or_else(PoisonError::into_inner);
                    state = guard;
                    state.waiting -= 1;
                    may_wait = !result.timed_out() || left > LOOK;
                }
            }
        };
        drop(state);
        if wake {
            self.wake.notify_one();
        }
        admission
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
        Health {
            condition,
            last_success: state.last_success,
            stats: state.intake.ledger.stats(),
            spool_error: state.spool_error.clone(),
        }
    }

    /// A send is back: how delivery is doing after it, and what it does to the accounts.
    pub(crate) fn settle(
        &self,
        trouble: Option<&Trouble>,
        success: bool,
        now: Timestamp,
        entry: impl FnOnce(&mut Ledger),
    ) {
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
        entry(&mut state.intake.ledger);
        self.make_room(state);
    }

    /// Tells those who wait for room, when that is worth it.
    fn make_room(&self, state: MutexGuard<'_, State>) {
        // To wake a caller for each event that leaves would cost more than the events do.
        let worth_it = state.waiting > 0 && !state.intake.is_filled(7, 8);
        drop(state);
        if worth_it {
            self.room.notify_all();
        }
    }

    /// Asks the worker to try again now, since what stood in the way may be gone.
    pub(crate) fn ask_to_try(&self) {
        self.lock().try_now = true;
        self.wake.notify_one();
    }

    pub(crate) fn take(&self, max: usize, under_way: bool, now: Instant) -> Taken {
        self.lock().intake.take(max, under_way, now)
    }

    /// Up to `max` events for the spool.
    pub(crate) fn take_some(&self, max: usize) -> Vec<Block> {
        self.lock().intake.take_some(max)
    }

    /// Whether half of the room in memory is free.
    pub(crate) fn is_half_free(&self) -> bool {
        !self.lock().intake.is_filled(1, 2)
    }

    pub(crate) fn wants_relief(&self) -> bool {
        self.lock().intake.wants_relief()
    }

    /// Whether all that is in memory alone is to go to the spool: somebody waits for that, or it is time before the end, or
    /// the end is near and there is `trouble`.
    pub(crate) fn wants_writing_down(&self, trouble: bool, now: Instant) -> bool {
        let state = self.lock();
        state.intake.ledger.is_durability_awaited() || state.write_down_at.is_some_and(|at| trouble || at <= now)
    }

    /// Does something to the accounts; callers may get room by it.
    pub(crate) fn account<T>(&self, entry: impl FnOnce(&mut Ledger) -> T) -> T {
        self.account_and_reuse(Vec::new(), entry)
    }

    /// The same, and gives back what the events of a batch stood in.
    pub(crate) fn account_and_reuse<T>(&self, blocks: Vec<Block>, entry: impl FnOnce(&mut Ledger) -> T) -> T {
        let mut state = self.lock();
        state.intake.reuse(blocks);
        let result = entry(&mut state.intake.ledger);
        self.make_room(state);
        result
    }

    pub(crate) fn set_spool_error(&self, error: Option<String>) {
        self.lock().spool_error = error;
    }

    /// What the worker is to know each time it looks around, all under one lock; `None` when there is nothing left to do.
    pub(crate) fn look(&self, now: Instant) -> Option<Look> {
        let mut state = self.lock();
        let deadline = self.expire_in(&mut state, now);
        if state.intake.is_drained() {
            return None;
        }
        Some(Look {
            deadline,
            stats: state.intake.ledger.stats(),
            has_room: !state.intake.is_filled(1, 2) && !state.intake.is_closed(),
            try_now: std::mem::take(&mut state.try_now),
            invalid: state.invalid.take(),
        })
    }

    /// Answers those whose deadline has passed, and gives up what is left when that of a shutdown has.
    fn expire(&self, now: Instant) {
        self.expire_in(&mut self.lock(), now);
    }

    /// The same; the next deadline.
    fn expire_in(&self, state: &mut State, now: Instant) -> Option<Instant> {
        if state.give_up_at.is_some_and(|at| at <= now) {
            // Before anyone is answered: what a shutdown gives up is dropped, and not pending.
            state.intake.end_all(LossReason::Shutdown);
            self.room.notify_all();
        }
        let next = state.intake.ledger.expire(now);
        let write_down_at = state.write_down_at.filter(|at| *at > now);
        next.into_iter().chain(state.give_up_at).chain(write_down_at).min()
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

    /// Nothing comes in any more, and what is not delivered within `timeout` is given up. Of several deadlines the first one
    /// counts.
    pub(crate) fn close(&self, timeout: Duration, now: Instant) {
        self.start_wait(timeout, Goal::Closed, now);
    }

    /// Starts a wait, and says until when it lasts. Closing and waiting is one step, or the worker could finish in between
    /// with nobody to count for.
    pub(crate) fn start_wait(&self, timeout: Duration, goal: Goal, now: Instant) -> (Instant, Arc<Completion>) {
        let completion = Arc::new(Completion::default());
        let mut deadline = clock::later(now, timeout);
        let mut state = self.lock();
        if goal == Goal::Closed {
            state.intake.close();
            if self.spooling {
                // Even a shutdown without patience gets to write down something.
                state.write_down_at.get_or_insert(deadline - (timeout / 4).min(MAX_WRITE_DOWN));
                deadline += GRACE;
            }
            state.give_up_at.get_or_insert(deadline);
        }
        state.intake.ledger.wait(deadline, goal == Goal::Durable, &completion);
        drop(state);
        self.room.notify_all();
        self.wake.notify_one();
        (deadline, completion)
    }

    /// Waits until `goal` is reached, at most for `timeout`. The worker may be held up then; what is true is known here too.
    pub(crate) fn wait(&self, timeout: Duration, goal: Goal) -> Report {
        let (deadline, completion) = self.start_wait(timeout, goal, clock::now());
        let report = completion.wait_until(deadline).unwrap_or_else(|| {
            self.expire(clock::now().max(deadline));
            self.wake.notify_one();
            completion.wait_until(deadline).unwrap_or_default()
        });
        if goal == Goal::Closed {
            // The thread ends a moment after the last event has; a program that ends now should not cut it short.
            let left = (deadline + GRACE).saturating_duration_since(clock::now());
            drop(self.room.wait_timeout_while(self.lock(), left, |state| !state.ended));
        }
        report
    }
}

/// The same wait for a task. A thread keeps the deadline: a task has no clock that works on any executor, and the worker may be
/// held up. Without a thread the worker does what it can.
pub(crate) async fn wait_async(shared: &Arc<Shared>, timeout: Duration, goal: Goal) -> Report {
    let answer = Arc::new(Completion::default());
    let (waiting, filled) = (Arc::clone(shared), Arc::clone(&answer));
    let wait = move || filled.fill(waiting.wait(timeout, goal));
    match std::thread::Builder::new().name("jkool-wait".into()).spawn(wait) {
        Ok(_) => Completed(answer).await,
        Err(_) => Completed(shared.start_wait(timeout, goal, clock::now()).1).await,
    }
}

/// How often a caller that waits for room looks for itself: it is told of much room, and not of little.
const LOOK: Duration = Duration::from_millis(10);

/// How long a shutdown may take beyond its deadline: to write down what is left, and for the thread to end.
const GRACE: Duration = Duration::from_millis(50);

/// How long before its deadline a shutdown begins to write down what is not delivered; less when there is less time.
const MAX_WRITE_DOWN: Duration = Duration::from_secs(1);
