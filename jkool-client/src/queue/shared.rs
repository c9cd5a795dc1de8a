//! What the program's threads and the worker share: the queue, the ledger behind its lock, and wake-ups.
//!
//! An emit takes the lock of a shard, and no other. The lock of the ledger is taken by the worker and by callers that
//! wait, read statistics or shut down; while it is held, the locks of shards may be taken, but not the other way round.

use crate::emit::encode::Encoder;
use crate::queue::cache_line::CacheLine;
use crate::queue::ledger::Ledger;
use crate::queue::limits::Limits;
use crate::queue::lock::{Held, Lock};
use crate::queue::mark::Since;
use crate::queue::overflow::OverflowPolicy;
use crate::queue::shards::Shards;
use crate::queue::timer::Timer;
use crate::report::health::{Condition, Health, Trouble};
use crate::report::last_minute::LastMinute;
use crate::report::loss::LossReason;
use crate::report::stats::Stats;
use jkool_model::{InvalidEntity, Timestamp};
use std::sync::{Arc, Condvar};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

const NANOS_PER_SEC: u64 = 1_000_000_000;

pub(crate) struct Shared {
    pub(crate) shards: Shards,
    accounts: CacheLine<Lock<Accounts>>,
    /// Notified when the worker has ended.
    pub(super) end: Condvar,
    /// There is a spool for the events that are left at the end.
    pub(super) spooling: bool,
    /// Encodes events, on callers' threads and on the worker's.
    pub(crate) encoder: Encoder,
    /// Keeps the deadlines of waiting tasks.
    pub(super) timer: Arc<Timer>,
    /// Wakes the worker.
    pub(crate) wake: CacheLine<Notify>,
}

#[derive(Default)]
pub(super) struct Accounts {
    pub(super) ledger: Ledger,
    /// Set by shutdown: when the worker gives up the remaining events.
    pub(super) give_up_at: Option<Instant>,
    /// A caller began to wait for delivery, until this deadline at most, and the worker was not notified yet.
    pub(super) new_wait: Option<Instant>,
    /// Set by shutdown: when events that are only in memory are written to the spool.
    pub(super) write_down_at: Option<Instant>,
    /// Why the spool does not work at present.
    spool_error: Option<String>,
    /// The number of losses that were reported at the end.
    losses_told: Option<u64>,
    /// The worker has ended.
    pub(super) ended: bool,
    condition: Condition,
    refused: LastMinute,
    /// When the first event was queued of those that the worker has taken, as last published.
    oldest: Option<Since>,
    last_success: Option<Timestamp>,
    /// Why the last event that its caller encoded was refused.
    pub(super) invalid: Option<InvalidEntity>,
}

/// What the worker reads in each iteration.
pub(crate) struct Look {
    /// The next deadline.
    pub(crate) deadline: Option<Instant>,
    /// A caller waits until this time for delivery, and whether one began to since the last iteration.
    pub(crate) awaited: Option<Instant>,
    pub(crate) new_wait: Option<Instant>,
    /// A caller asks to retry now.
    pub(crate) try_now: bool,
    /// Why an event was refused recently.
    pub(crate) invalid: Option<InvalidEntity>,
}

impl Shared {
    pub(crate) fn new(limits: Limits, spooling: bool, encoder: Encoder) -> Self {
        Self {
            shards: Shards::new(limits),
            accounts: CacheLine::default(),
            end: Condvar::new(),
            spooling,
            encoder,
            timer: Arc::default(),
            wake: CacheLine(Notify::new()),
        }
    }

    pub(super) fn lock(&self) -> Held<'_, Accounts> {
        self.accounts.lock()
    }

    pub(crate) fn stats(&self) -> Stats {
        if self.shards.origin.look() {
            return self.shards.origin.stats();
        }
        self.stats_in(&self.lock())
    }

    /// With the locks of the ledger and of all shards, so that the numbers are consistent.
    fn stats_in(&self, accounts: &Accounts) -> Stats {
        accounts.ledger.stats(&self.shards.sum(&self.shards.lock_all()))
    }

    pub(crate) fn health(&self) -> Health {
        if self.shards.origin.look() {
            let stats = self.shards.origin.stats();
            let (condition, last_success, spool_error) = (Condition::Ended, None, None);
            return Health {
                condition,
                last_success,
                stats,
                oldest_undelivered: None,
                refused_last_minute: 0,
                spool_error,
                transport: Vec::new(),
            };
        }
        let accounts = self.lock();
        let over = accounts.ended || self.is_drained(&accounts);
        let (stats, oldest) = (self.stats_in(&accounts), self.shards.oldest().into_iter().chain(accounts.oldest).min());
        // Events that the worker is just taking are in neither place.
        let oldest = oldest.unwrap_or_else(|| self.shards.since_start());
        Health {
            condition: if over { Condition::Ended } else { accounts.condition.clone() },
            last_success: accounts.last_success,
            oldest_undelivered: (stats.in_memory() + stats.spooled() > 0).then(|| {
                let age = self.shards.since_start().saturating_sub(oldest);
                Duration::from_nanos(u64::try_from(age).unwrap_or(0))
            }),
            stats,
            refused_last_minute: accounts.refused.count(self.shards.now() / NANOS_PER_SEC),
            spool_error: accounts.spool_error.clone(),
            transport: Vec::new(),
        }
    }

    /// The queue is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.shards.signals.is_closed()
    }

    /// The queue is closed, and all events are finished or given up.
    fn is_drained(&self, accounts: &Accounts) -> bool {
        self.is_closed()
            && (accounts.ledger.is_over() || {
                let stats = self.stats_in(accounts);
                stats.in_memory() + stats.spooled() == 0
            })
    }

    /// Records the result of a send: the state of delivery, and the changes of the ledger.
    pub(crate) fn settle<T>(
        &self,
        trouble: Option<&Trouble>,
        success: bool,
        now: Timestamp,
        entry: impl FnOnce(&mut Ledger) -> T,
    ) -> T {
        let mut accounts = self.lock();
        if success {
            accounts.last_success = Some(now);
        }
        let since = match accounts.condition {
            Condition::BackingOff { since, .. }
            | Condition::Paused { since, .. }
            | Condition::Refused { since, .. } => since,
            _ => now,
        };
        accounts.condition = match trouble.cloned() {
            None => Condition::Running,
            Some(Trouble::Passing(error)) => Condition::BackingOff { error, since },
            Some(Trouble::Misconfigured(error)) => Condition::Paused { error, since },
            Some(Trouble::Refused(error)) => Condition::Refused { error, since },
        };
        self.account_in(accounts, entry)
    }

    /// Changes the ledger; callers may get room by this.
    pub(crate) fn account<T>(&self, entry: impl FnOnce(&mut Ledger) -> T) -> T {
        self.account_in(self.lock(), entry)
    }

    fn account_in<T>(&self, mut accounts: Held<'_, Accounts>, entry: impl FnOnce(&mut Ledger) -> T) -> T {
        let ledger = &mut accounts.ledger;
        let (left, losses, refused) = (ledger.left(), ledger.losses(), ledger.refused());
        let result = entry(ledger);
        let room = ledger.left() - left;
        if ledger.losses() > losses {
            self.shards.signals.lost();
        }
        let refused = ledger.refused() - refused;
        if refused > 0 {
            accounts.refused.add(refused, self.shards.now() / NANOS_PER_SEC);
        }
        drop(accounts);
        self.shards.budget.give(room);
        self.shards.deal();
        result
    }

    /// True once in a forked child, to report it.
    pub(crate) fn is_fork_to_be_told(&self) -> bool {
        self.shards.origin.is_to_be_told()
    }

    /// Asks the worker to retry now, because the cause of the failure may be gone.
    pub(crate) fn ask_to_try(&self) {
        if self.shards.origin.look() {
            return;
        }
        self.shards.signals.try_now();
        self.wake.notify_one();
    }

    /// Whether the queue is open, and half of its room is free.
    pub(crate) fn has_room(&self) -> bool {
        !self.is_closed() && self.is_half_free()
    }

    /// Whether half of the room in memory is free. A negative answer takes all locks.
    pub(crate) fn is_half_free(&self) -> bool {
        !self.shards.is_filled(1, 2)
    }

    /// Whether half of the room is used by events that wait or are in flight, so that events must be moved to the
    /// spool.
    pub(crate) fn wants_relief(&self) -> bool {
        let wanted = self.shards.limits.overflow == OverflowPolicy::Spill && !self.is_half_free();
        if !wanted {
            // The request was early, because of credit that was drawn and not spent.
            self.shards.signals.relieved();
        }
        wanted
    }

    /// Whether any event was dropped so far.
    pub(crate) fn is_lossy(&self) -> bool {
        self.shards.signals.is_lossy()
    }

    /// Whether a caller waits for delivery.
    pub(crate) fn is_awaited(&self) -> bool {
        self.lock().ledger.is_awaited()
    }

    /// Whether all events that are only in memory must be written to the spool: because a caller waits for it, because
    /// the deadline of a shutdown is near, or because there is `trouble` during a shutdown.
    pub(crate) fn wants_writing_down(&self, trouble: bool, now: Instant) -> bool {
        let accounts = self.lock();
        accounts.ledger.is_durability_awaited() || accounts.write_down_at.is_some_and(|at| trouble || at <= now)
    }

    /// When the first event of the worker was queued.
    pub(crate) fn set_oldest(&self, oldest: Option<Since>) {
        self.lock().oldest = oldest;
    }

    pub(crate) fn set_spool_error(&self, error: Option<String>) {
        self.lock().spool_error = error;
    }

    /// What the worker needs in each iteration; `None` if there is nothing left to do.
    pub(crate) fn look(&self, now: Instant) -> Option<Look> {
        let mut accounts = self.lock();
        let deadline = self.expire_in(&mut accounts, now);
        if self.is_drained(&accounts) {
            return None;
        }
        Some(Look {
            deadline,
            awaited: accounts.ledger.deadline(),
            new_wait: accounts.new_wait.take(),
            try_now: self.shards.signals.take_try_now(),
            invalid: accounts.invalid.take(),
        })
    }

    /// Answers waiters whose deadline has passed, and gives up the remaining events when the deadline of a shutdown has
    /// passed; returns the next deadline.
    pub(super) fn expire_in(&self, accounts: &mut Accounts, now: Instant) -> Option<Instant> {
        if accounts.give_up_at.is_some_and(|at| at <= now) {
            // Before waiters are answered, so that events given up by a shutdown count as dropped, not as pending.
            self.give_up(accounts, LossReason::Shutdown);
        }
        let next = accounts.ledger.expire(now);
        let write_down_at = accounts.write_down_at.filter(|at| *at > now);
        next.into_iter().chain(accounts.give_up_at).chain(write_down_at).min()
    }

    /// Finishes all events that are only in memory.
    fn give_up(&self, accounts: &mut Accounts, reason: LossReason) {
        if accounts.ledger.is_over() {
            return;
        }
        self.shards.signals.close();
        let mut shards = self.shards.lock_all();
        for (place, shard) in shards.iter_mut().enumerate() {
            shard.close();
            self.shards.signals.recall(shard.clear());
            self.shards.signals.emptied(place);
        }
        let losses = accounts.ledger.losses();
        accounts.ledger.give_up(&self.shards.sum(&shards), reason);
        if accounts.ledger.losses() > losses {
            self.shards.signals.lost();
        }
        drop(shards);
        self.shards.wake_blocked();
    }

    /// The worker stops delivering; the remaining events are lost for `reason`.
    pub(crate) fn end_all(&self, reason: LossReason) {
        self.give_up(&mut self.lock(), reason);
    }

    /// Records the number of losses that were reported at the end.
    pub(crate) fn losses_told(&self, losses: u64) {
        self.lock().losses_told = Some(losses);
    }

    /// The losses so far, and the number that was reported at the end, if it has ended.
    pub(crate) fn losses_at_the_end(&self) -> Option<(Stats, u64)> {
        if self.shards.origin.is_forked() {
            return None;
        }
        let accounts = self.lock();
        Some((self.stats_in(&accounts), accounts.losses_told?))
    }

    /// The worker has ended.
    pub(crate) fn ended(&self) {
        self.lock().ended = true;
        self.end.notify_all();
    }
}
