//! What the program's threads and the worker share: the queue, the accounts behind their lock, and the ways to wake each other.
//!
//! Who emits takes the lock of a shard, and no other. The lock of the accounts is for the worker and for who waits, asks or
//! shuts down; while it is held, the locks of shards may be taken, and never the other way round.

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
    /// Told when the worker is gone.
    pub(super) end: Condvar,
    /// There is a spool for what is left at the end.
    pub(super) spooling: bool,
    /// Makes the JSON of events, here and there.
    pub(crate) encoder: Encoder,
    /// Keeps the deadlines of tasks that wait.
    pub(super) timer: Arc<Timer>,
    /// Wakes the worker.
    pub(crate) wake: CacheLine<Notify>,
}

#[derive(Default)]
pub(super) struct Accounts {
    pub(super) ledger: Ledger,
    /// Set by shutdown: when the worker gives up what is left.
    pub(super) give_up_at: Option<Instant>,
    /// Somebody began to wait for delivery, at most until then, and the worker does not know yet.
    pub(super) new_wait: Option<Instant>,
    /// Set by shutdown: when what is in memory alone goes to the spool.
    pub(super) write_down_at: Option<Instant>,
    /// Why the spool does not work at present.
    spool_error: Option<String>,
    /// At the end so many losses were told of.
    losses_told: Option<u64>,
    /// The worker is gone.
    pub(super) ended: bool,
    condition: Condition,
    refused: LastMinute,
    /// When the first of those events came that have left the queue, as far as the worker has told.
    oldest: Option<Since>,
    last_success: Option<Timestamp>,
    /// Why the last event was refused that its caller has encoded.
    pub(super) invalid: Option<InvalidEntity>,
}

/// What the worker sees when it looks around.
pub(crate) struct Look {
    /// When time alone brings something about.
    pub(crate) deadline: Option<Instant>,
    /// Somebody waits until then for what is here to be delivered, and somebody began to since the last look.
    pub(crate) awaited: Option<Instant>,
    pub(crate) new_wait: Option<Instant>,
    /// Somebody asks not to wait any longer.
    pub(crate) try_now: bool,
    /// Why an event was refused of late, if one was.
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

    /// With the accounts and all shards in hand, so that it is true of one instant.
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
        // On their way from the queue to the worker they are at neither place.
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

    /// No event comes in any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.shards.signals.is_closed()
    }

    /// No event comes in any more, and none is left or all were given up.
    fn is_drained(&self, accounts: &Accounts) -> bool {
        self.is_closed()
            && (accounts.ledger.is_over() || {
                let stats = self.stats_in(accounts);
                stats.in_memory() + stats.spooled() == 0
            })
    }

    /// A send is back: how delivery is doing after it, and what it does to the accounts.
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

    /// Does something to the accounts; callers may get room by it.
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

    /// True once in a child that was forked: then it is to be told.
    pub(crate) fn is_fork_to_be_told(&self) -> bool {
        self.shards.origin.is_to_be_told()
    }

    /// Asks the worker to try again now, since what stood in the way may be gone.
    pub(crate) fn ask_to_try(&self) {
        if self.shards.origin.look() {
            return;
        }
        self.shards.signals.try_now();
        self.wake.notify_one();
    }

    /// Whether events come in, and half of the room is free for them.
    pub(crate) fn has_room(&self) -> bool {
        !self.is_closed() && self.is_half_free()
    }

    /// Whether half of the room in memory is free. To say that it is not takes all locks.
    pub(crate) fn is_half_free(&self) -> bool {
        !self.shards.is_filled(1, 2)
    }

    /// Whether half of the room is taken, by what waits or is under way, and what does not leave is to go to the spool.
    pub(crate) fn wants_relief(&self) -> bool {
        let wanted = self.shards.limits.overflow == OverflowPolicy::Spill && !self.is_half_free();
        if !wanted {
            // It was asked for early, by what was drawn and not spent.
            self.shards.signals.relieved();
        }
        wanted
    }

    /// Whether anything was dropped so far.
    pub(crate) fn is_lossy(&self) -> bool {
        self.shards.signals.is_lossy()
    }

    /// Whether somebody waits for what is here to end.
    pub(crate) fn is_awaited(&self) -> bool {
        self.lock().ledger.is_awaited()
    }

    /// Whether all that is in memory alone is to go to the spool: somebody waits for that, or it is time before the end, or
    /// the end is near and there is `trouble`.
    pub(crate) fn wants_writing_down(&self, trouble: bool, now: Instant) -> bool {
        let accounts = self.lock();
        accounts.ledger.is_durability_awaited() || accounts.write_down_at.is_some_and(|at| trouble || at <= now)
    }

    /// When the first of those came that the worker has.
    pub(crate) fn set_oldest(&self, oldest: Option<Since>) {
        self.lock().oldest = oldest;
    }

    pub(crate) fn set_spool_error(&self, error: Option<String>) {
        self.lock().spool_error = error;
    }

    /// What the worker is to know each time it looks around; `None` when there is nothing left to do.
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

    /// Answers those whose deadline has passed, and gives up what is left when that of a shutdown has; the next deadline.
    pub(super) fn expire_in(&self, accounts: &mut Accounts, now: Instant) -> Option<Instant> {
        if accounts.give_up_at.is_some_and(|at| at <= now) {
            // Before anyone is answered: what a shutdown gives up is dropped, and not pending.
            self.give_up(accounts, LossReason::Shutdown);
        }
        let next = accounts.ledger.expire(now);
        let write_down_at = accounts.write_down_at.filter(|at| *at > now);
        next.into_iter().chain(accounts.give_up_at).chain(write_down_at).min()
    }

    /// Ends whatever is left in memory alone, wherever it is.
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

    /// The worker stops delivering; what is left is lost for `reason`.
    pub(crate) fn end_all(&self, reason: LossReason) {
        self.give_up(&mut self.lock(), reason);
    }

    /// So many losses were told of at the end.
    pub(crate) fn losses_told(&self, losses: u64) {
        self.lock().losses_told = Some(losses);
    }

    /// What was lost by now, and how many losses were told of at the end, once that has come.
    pub(crate) fn losses_at_the_end(&self) -> Option<(Stats, u64)> {
        if self.shards.origin.is_forked() {
            return None;
        }
        let accounts = self.lock();
        Some((self.stats_in(&accounts), accounts.losses_told?))
    }

    /// The worker is gone.
    pub(crate) fn ended(&self) {
        self.lock().ended = true;
        self.end.notify_all();
    }
}
