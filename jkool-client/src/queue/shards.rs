//! The queue: one shard per core. A thread always uses the same one, so that its events stay in order and threads
//! rarely share a lock.

use crate::emit::clock;
use crate::queue::amount::Amount;
use crate::queue::budget::Budget;
use crate::queue::cache_line::CacheLine;
use crate::queue::limits::Limits;
use crate::queue::lock::{self, Held};
use crate::queue::mark::Since;
use crate::queue::origin::Origin;
use crate::queue::reserve::Waiters;
use crate::queue::shard::{Counts, Evicted, Shard, State};
use crate::queue::signals::Signals;
use crate::report::loss::LossReason;
use std::ops::Index;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

#[derive(Debug)]
pub(crate) struct Shards {
    pub(crate) limits: Limits,
    pub(crate) origin: Origin,
    shards: Box<[Shard]>,
    pub(crate) budget: Budget,
    pub(crate) signals: CacheLine<Signals>,
    /// Tasks that wait for room.
    pub(crate) waiters: CacheLine<Waiters>,
    /// The number of events logged while logging. It is counted without a lock, because this thread may hold it.
    recursions: CacheLine<AtomicU64>,
    /// The start of time for ages.
    start: Instant,
}

/// The maximum memory of empty blocks.
const MAX_SPARE: usize = 2 << 20;
const MIN_SPARE: usize = 512 << 10;

impl Index<usize> for Shards {
    type Output = Shard;

    fn index(&self, shard: usize) -> &Shard {
        &self.shards[shard & (self.shards.len() - 1)]
    }
}

impl Shards {
    pub(crate) fn new(limits: Limits) -> Self {
        // Room for the block that the worker gives in exchange for one.
        let max_spare = (limits.batch_bytes * 3 / 2).min(2 * MAX_SPARE / limits.shards);
        Self {
            shards: (0..limits.shards).map(|_| Shard::new(&limits, max_spare)).collect(),
            budget: Budget::new(&limits),
            signals: CacheLine(Signals::new(&limits)),
            waiters: CacheLine::default(),
            recursions: CacheLine::default(),
            start: clock::now(),
            origin: Origin::default(),
            limits,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.shards.len()
    }

    /// The number of bytes of empty blocks that the worker may keep: the free part of the room, and always some,
    /// because otherwise a full queue would allocate new ones all the time.
    pub(crate) fn max_spare(&self) -> usize {
        let free = self.budget.limit() - self.budget.used();
        MAX_SPARE.min((free.bytes.max(0) as usize).max(self.limits.batch_bytes.min(MIN_SPARE)))
    }

    /// The shard of a thread with this number.
    pub(crate) fn of_thread(&self, number: usize) -> usize {
        number & (self.shards.len() - 1)
    }

    /// Locks all shards, so that the counters are consistent. Callers hold at most one lock.
    pub(crate) fn lock_all(&self) -> Vec<Held<'_, State>> {
        self.shards.iter().map(Shard::lock).collect()
    }

    /// Returns unspent credit of all shards to the budget.
    pub(crate) fn reclaim(&self) {
        for shard in &self.shards {
            let credit = shard.lock().take_credit();
            self.budget.give(credit);
        }
    }

    /// Whether this part of the room is used, in events or in bytes, without unspent credit.
    pub(crate) fn is_filled(&self, numerator: i64, denominator: i64) -> bool {
        self.budget.is_filled(numerator, denominator) && {
            let credit = self.shards.iter().fold(Amount::NOTHING, |sum, shard| sum + shard.lock().credit());
            self.budget.is_filled_but_for(credit, numerator, denominator)
        }
    }

    /// Gives free room to waiting tasks, then in equal parts to the shards in which callers wait, if that is worth
    /// waking them.
    pub(crate) fn deal(&self) {
        self.serve_tasks();
        let blocked = self.signals.blocked_shards();
        // Waking a caller for each event that leaves would cost more than the events.
        if blocked == 0 || self.budget.is_filled(3, 4) {
            return;
        }
        // The shard that gets the remainder changes.
        let first = self.signals.next_turn();
        let places = (0..self.len()).map(|place| self.of_thread(first + place));
        for (place, others) in places.filter(|place| blocked & 1 << place != 0).zip((1..=blocked.count_ones()).rev()) {
            let share = self.budget.deal(others);
            self[place].lock().add_credit(share);
            self[place].room.notify_all();
        }
    }

    /// Wakes all callers that wait for room, because the queue is closed.
    pub(crate) fn wake_blocked(&self) {
        self.waiters.close();
        self.shards.iter().for_each(|shard| shard.room.notify_all());
    }

    /// The amount of waiting events.
    pub(crate) fn waits(&self) -> Amount {
        self.shards.iter().fold(Amount::NOTHING, |sum, shard| sum + shard.lock().waits())
    }

    /// Whether there would be room for `needed` without the waiting events. While the shards are read one after the
    /// other, events may move between them and be missed, so a negative result is checked with all locks.
    pub(crate) fn can_evict(&self, needed: Amount) -> bool {
        let leaves_room = |waits| self.budget.limit().covers(self.budget.used() - waits + needed);
        leaves_room(self.waits()) || {
            let shards = self.lock_all();
            leaves_room(shards.iter().fold(Amount::NOTHING, |sum, shard| sum + shard.waits()))
        }
    }

    /// Drops the oldest of all waiting events, and returns its credit. `None` if no event was found.
    pub(crate) fn evict_oldest(&self) -> Option<(Option<Evicted>, Amount)> {
        loop {
            let oldest = self.shards.iter().enumerate().filter_map(|(place, shard)| Some((shard.oldest()?, place)));
            let (_, place) = oldest.min()?;
            let shard = &self.shards[place];
            let mut state = shard.lock();
            let evicted = state.evict(LossReason::Overflow);
            shard.show_oldest(&state);
            let Some((admitted, less)) = evicted else { continue };
            self.signals.recall(less);
            self.signals.lost();
            if state.is_empty() {
                self.signals.emptied(place);
            }
            let before = state.generation();
            let waited_for = admitted.generation != before || admitted.receipt.is_some();
            let event =
                waited_for.then_some(Evicted { generation: admitted.generation, before, receipt: admitted.receipt });
            return Some((event, Amount::one(admitted.weight)));
        }
    }

    /// Counts an event that was not created.
    pub(crate) fn refuse(&self, shard: usize, reason: LossReason) {
        if reason == LossReason::Recursion {
            self.recursions.fetch_add(1, Ordering::Relaxed);
        } else {
            self[shard].lock().refuse(reason);
        }
        self.signals.lost();
    }

    /// Refuses an event that was logged while this thread holds a lock of the queue.
    #[inline]
    pub(crate) fn refuses_recursion(&self) -> bool {
        let recursion = lock::is_held();
        if recursion {
            self.refuse(0, LossReason::Recursion);
        }
        recursion
    }

    /// The counters of all shards, with all locks held.
    pub(crate) fn sum(&self, shards: &[Held<'_, State>]) -> Counts {
        let mut sum = Counts::default();
        for shard in shards {
            let counts = shard.counts();
            sum.accepted += counts.accepted;
            sum.entered += counts.entered;
            for (all, one) in sum.dropped.iter_mut().zip(&counts.dropped) {
                *all += one;
            }
        }
        let recursions = self.recursions.load(Ordering::Relaxed);
        sum.accepted += recursions;
        sum.dropped[LossReason::Recursion as usize] += recursions;
        sum
    }

    /// The time as blocks store it.
    #[inline]
    pub(crate) fn since_start(&self) -> Since {
        self.since(clock::now())
    }

    /// Converts a time to that of the blocks.
    pub(crate) fn since(&self, at: Instant) -> Since {
        Since::try_from(at.saturating_duration_since(self.start).as_nanos()).unwrap_or(Since::MAX)
    }

    /// When the first waiting event was queued, or slightly earlier.
    pub(crate) fn oldest(&self) -> Option<Since> {
        self.shards.iter().filter_map(|shard| shard.lock().since()).min()
    }

    /// The current time, as waiting events store it.
    pub(crate) fn now(&self) -> u64 {
        self.since_start().unsigned_abs()
    }
}
