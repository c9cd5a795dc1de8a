//! The queue: as many shards as cores. A thread keeps to one of them, so that its events stay in order and threads seldom meet.

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
    /// What was logged while logging. It is counted without a lock, since this thread may hold it.
    recursions: CacheLine<AtomicU64>,
    /// Ages are told from here.
    start: Instant,
}

/// What empty blocks may take at most.
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
        // Room for the block that the worker gives for the one that it takes.
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

    /// How many bytes of empty blocks the worker may keep for them: what events leave of the room, and some in any case, or
    /// a full queue would get new ones all the time.
    pub(crate) fn max_spare(&self) -> usize {
        let free = self.budget.limit() - self.budget.used();
        MAX_SPARE.min((free.bytes.max(0) as usize).max(self.limits.batch_bytes.min(MIN_SPARE)))
    }

    /// The shard of a thread with that number.
    pub(crate) fn of_thread(&self, number: usize) -> usize {
        number & (self.shards.len() - 1)
    }

    /// All of them at once, so that what is counted is true of one instant. Callers hold one at most.
    pub(crate) fn lock_all(&self) -> Vec<Held<'_, State>> {
        self.shards.iter().map(Shard::lock).collect()
    }

    /// Sets free the credit that no shard has spent.
    pub(crate) fn reclaim(&self) {
        for shard in &self.shards {
            let credit = shard.lock().take_credit();
            self.budget.give(credit);
        }
    }

    /// Whether so much of the room is taken, in events or in bytes, and not only drawn.
    pub(crate) fn is_filled(&self, numerator: i64, denominator: i64) -> bool {
        self.budget.is_filled(numerator, denominator) && {
            let credit = self.shards.iter().fold(Amount::NOTHING, |sum, shard| sum + shard.lock().credit());
            self.budget.is_filled_but_for(credit, numerator, denominator)
        }
    }

    /// Gives what is free to tasks that wait, and then to the shards in which callers do, an equal part to each, when that is worth
    /// waking them.
    pub(crate) fn deal(&self) {
        self.serve_tasks();
        let blocked = self.signals.blocked_shards();
        // To wake a caller for each event that leaves would cost more than the events do.
        if blocked == 0 || self.budget.is_filled(3, 4) {
            return;
        }
        // Not always the same one gets what can't be shared.
        let first = self.signals.next_turn();
        let places = (0..self.len()).map(|place| self.of_thread(first + place));
        for (place, others) in places.filter(|place| blocked & 1 << place != 0).zip((1..=blocked.count_ones()).rev()) {
            let share = self.budget.deal(others);
            self[place].lock().add_credit(share);
            self[place].room.notify_all();
        }
    }

    /// Wakes all callers that wait for room, for nothing comes in any more.
    pub(crate) fn wake_blocked(&self) {
        self.waiters.close();
        self.shards.iter().for_each(|shard| shard.room.notify_all());
    }

    /// What waits.
    pub(crate) fn waits(&self) -> Amount {
        self.shards.iter().fold(Amount::NOTHING, |sum, shard| sum + shard.lock().waits())
    }

    /// Whether there would be room for `needed` without all that waits. While the shards are looked at one after the other,
    /// all that waits can move from the second to the first and be missed in both, so a "no" is asked of all at once.
    pub(crate) fn can_evict(&self, needed: Amount) -> bool {
        let leaves_room = |waits| self.budget.limit().covers(self.budget.used() - waits + needed);
        leaves_room(self.waits()) || {
            let shards = self.lock_all();
            leaves_room(shards.iter().fold(Amount::NOTHING, |sum, shard| sum + shard.waits()))
        }
    }

    /// Drops the oldest of all that waits, and hands over its credit. None when nothing was seen to wait.
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

    /// Counts an event that never became one.
    pub(crate) fn refuse(&self, shard: usize, reason: LossReason) {
        if reason == LossReason::Recursion {
            self.recursions.fetch_add(1, Ordering::Relaxed);
        } else {
            self[shard].lock().refuse(reason);
        }
        self.signals.lost();
    }

    /// Refuses what comes from under a lock of the queue, which it would need itself.
    #[inline]
    pub(crate) fn refuses_recursion(&self) -> bool {
        let recursion = lock::is_held();
        if recursion {
            self.refuse(0, LossReason::Recursion);
        }
        recursion
    }

    /// What all of them have counted, with all locks in hand.
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

    /// The same, as blocks keep it.
    #[inline]
    pub(crate) fn since_start(&self) -> Since {
        self.since(clock::now())
    }

    /// Another time.
    pub(crate) fn since(&self, at: Instant) -> Since {
        Since::try_from(at.saturating_duration_since(self.start).as_nanos()).unwrap_or(Since::MAX)
    }

    /// When the first of those came that wait, or a little before.
    pub(crate) fn oldest(&self) -> Option<Since> {
        self.shards.iter().filter_map(|shard| shard.lock().since()).min()
    }

    /// The time, as events that wait keep it.
    pub(crate) fn now(&self) -> u64 {
        self.since_start().unsigned_abs()
    }
}
