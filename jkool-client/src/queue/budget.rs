//! The room in memory that is not given out.
//!
//! The limits hold for all shards together, and an emit must not ask all others whether there is room. So each shard draws
//! credit here, for many events at once, and spends it by itself; what leaves memory gives it back. Credit that nobody spends is
//! room that nobody has: when a shard finds none here, the others' is [called in](crate::queue::shards::Shards::reclaim), and
//! from then on, while room is [tight](Budget::is_tight), each event draws what it takes and no more. So an event is refused
//! only if there is no room for it anywhere.

use crate::queue::amount::Amount;
use crate::queue::cache_line::CacheLine;
use crate::queue::limits::Limits;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug)]
pub(crate) struct Budget {
    limit: Amount,
    /// A shard draws at most this part of what is free, so that all of them hold back little.
    parts: i64,
    /// Room that no shard has drawn. Below nothing when what is here takes more than was thought.
    free: CacheLine<Mutex<Amount>>,
    /// The same, to be read by who draws nothing.
    seen: CacheLine<Seen>,
}

#[derive(Debug)]
struct Seen {
    events: AtomicI64,
    bytes: AtomicI64,
    tight: AtomicBool,
}

/// What a shard draws at once at most.
const SLICE: Amount = Amount { events: 64, bytes: 64 << 10 };

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        let limit = Amount::new(limits.events, limits.bytes);
        Self {
            limit,
            parts: 4 * limits.shards as i64,
            free: CacheLine(Mutex::new(limit)),
            seen: CacheLine(Seen {
                events: AtomicI64::new(limit.events),
                bytes: AtomicI64::new(limit.bytes),
                tight: AtomicBool::new(false),
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Amount> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, free: &mut Amount, now: Amount) {
        *free = now;
        self.seen.events.store(now.events, Ordering::Relaxed);
        self.seen.bytes.store(now.bytes, Ordering::Relaxed);
    }

    fn free(&self) -> Amount {
        Amount { events: self.seen.events.load(Ordering::Relaxed), bytes: self.seen.bytes.load(Ordering::Relaxed) }
    }

    /// What `needed` takes, and some more for what comes next; `None` when there is less than that.
    pub(crate) fn draw(&self, needed: Amount) -> Option<Amount> {
        // Who is refused need not wait for those who are not.
        if !self.free().covers(needed) {
            return None;
        }
        let mut free = self.lock();
        if !free.covers(needed) {
            return None;
        }
        let drawn = if self.is_tight() { needed } else { free.part(self.parts).min(SLICE).max(needed) };
        let left = *free - drawn;
        self.set(&mut free, left);
        Some(drawn)
    }

    /// Draws just so much, if it is there. Who looks without the lock might miss what was given a moment ago.
    pub(crate) fn take(&self, needed: Amount) -> bool {
        let mut free = self.lock();
        let covered = free.covers(needed);
        if covered {
            let left = *free - needed;
            self.set(&mut free, left);
        }
        covered
    }

    /// What the first of so many gets when all that is free is shared out among them.
    pub(crate) fn deal(&self, among: u32) -> Amount {
        let mut free = self.lock();
        let share = free.max(Amount::NOTHING).part_of(among.into());
        let left = *free - share;
        self.set(&mut free, left);
        share
    }

    /// So much has left memory, or was drawn and not spent. What turns out larger than was thought gives less than nothing.
    pub(crate) fn give(&self, amount: Amount) {
        if amount == Amount::NOTHING {
            return;
        }
        let mut free = self.lock();
        let more = *free + amount;
        self.set(&mut free, more);
        if self.is_tight() && more.covers(self.limit.part(8)) {
            self.seen.tight.store(false, Ordering::Relaxed);
        }
    }

    /// From now on nobody draws more than is needed, until there is room again.
    pub(crate) fn tighten(&self) {
        // Under the lock: who draws after this knows.
        let _free = self.lock();
        self.seen.tight.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_tight(&self) -> bool {
        self.seen.tight.load(Ordering::Relaxed)
    }

    /// Whether so much of the room, in events or in bytes, is taken or drawn.
    pub(crate) fn is_filled(&self, numerator: i64, denominator: i64) -> bool {
        self.is_filled_but_for(Amount::NOTHING, numerator, denominator)
    }

    /// The same, when so much of what is drawn is not spent.
    pub(crate) fn is_filled_but_for(&self, credit: Amount, numerator: i64, denominator: i64) -> bool {
        let used = self.limit - self.free() - credit;
        used.events.saturating_mul(denominator) >= self.limit.events.saturating_mul(numerator)
            || used.bytes.saturating_mul(denominator) >= self.limit.bytes.saturating_mul(numerator)
    }

    /// Whether more memory is taken than there should be.
    pub(crate) fn is_exceeded(&self) -> bool {
        self.free().bytes < 0
    }

    /// What is taken or drawn.
    pub(crate) fn used(&self) -> Amount {
        self.limit - self.free()
    }

    pub(crate) fn limit(&self) -> Amount {
        self.limit
    }
}
