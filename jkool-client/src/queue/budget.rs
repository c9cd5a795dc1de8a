//! The room in the queue that is still free.
//!
//! The limits apply to all shards together, but an emit must not access other shards. So each shard draws credit here,
//! for many events at once, and spends it alone; events that leave memory give it back. Unspent credit is room that no
//! other shard can use: if a shard finds no room here, the credit of the others is [called
//! in](crate::queue::shards::Shards::reclaim). From then on, while room is [tight](Budget::is_tight), each event draws
//! only what it needs. So an event is refused only if there is no room in any shard.

use crate::queue::amount::Amount;
use crate::queue::cache_line::CacheLine;
use crate::queue::limits::Limits;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug)]
pub(crate) struct Budget {
    limit: Amount,
    /// A shard draws at most this part of the free room, so that little is held back.
    parts: i64,
    /// Room that no shard has drawn. Negative if events take more than was estimated.
    free: CacheLine<Mutex<Amount>>,
    /// The same, for readers that draw nothing.
    seen: CacheLine<Seen>,
}

#[derive(Debug)]
struct Seen {
    events: AtomicI64,
    bytes: AtomicI64,
    tight: AtomicBool,
}

/// The maximum that a shard draws at once.
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

    /// Draws `needed`, and more for the next events; `None` if there is not enough.
    pub(crate) fn draw(&self, needed: Amount) -> Option<Amount> {
        // Without the lock, so that a refusal does not slow others down.
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

    /// Draws exactly this amount, if available. It takes the lock, because a read without it may miss room that was
    /// just given back.
    pub(crate) fn take(&self, needed: Amount) -> bool {
        let mut free = self.lock();
        let covered = free.covers(needed);
        if covered {
            let left = *free - needed;
            self.set(&mut free, left);
        }
        covered
    }

    /// The first share if the free room is divided by this number.
    pub(crate) fn deal(&self, among: u32) -> Amount {
        let mut free = self.lock();
        let share = free.max(Amount::NOTHING).part_of(among.into());
        let left = *free - share;
        self.set(&mut free, left);
        share
    }

    /// Gives room back that left memory, or was drawn and not spent. The amount may be negative if an event is larger
    /// than estimated.
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

    /// From now on shards draw only what they need, until there is room again.
    pub(crate) fn tighten(&self) {
        // Under the lock, so that later draws see it.
        let _free = self.lock();
        self.seen.tight.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_tight(&self) -> bool {
        self.seen.tight.load(Ordering::Relaxed)
    }

    /// Whether this part of the room, in events or in bytes, is used or drawn.
    pub(crate) fn is_filled(&self, numerator: i64, denominator: i64) -> bool {
        self.is_filled_but_for(Amount::NOTHING, numerator, denominator)
    }

    /// The same without unspent credit.
    pub(crate) fn is_filled_but_for(&self, credit: Amount, numerator: i64, denominator: i64) -> bool {
        let used = self.limit - self.free() - credit;
        used.events.saturating_mul(denominator) >= self.limit.events.saturating_mul(numerator)
            || used.bytes.saturating_mul(denominator) >= self.limit.bytes.saturating_mul(numerator)
    }

    /// Whether more memory is used than the limit.
    pub(crate) fn is_exceeded(&self) -> bool {
        self.free().bytes < 0
    }

    /// The room that is used or drawn.
    pub(crate) fn used(&self) -> Amount {
        self.limit - self.free()
    }

    pub(crate) fn limit(&self) -> Amount {
        self.limit
    }
}
