//! What callers and the worker tell each other without a lock. Each is written seldom: not for each event.

use crate::queue::amount::Amount;
use crate::queue::limits::Limits;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicUsize, Ordering};

#[derive(Debug)]
pub(crate) struct Signals {
    /// The shards in which events wait, a bit each.
    filled: AtomicU32,
    /// The shards in which callers wait for room.
    blocked: AtomicU32,
    /// The worker has no timer: the first event must wake it.
    asleep: AtomicBool,
    /// Somebody found no room.
    pressed: AtomicBool,
    /// The worker was told that the spool is to relieve the queue.
    relief_asked: AtomicBool,
    /// Something was dropped, at any time.
    lossy: AtomicBool,
    /// Somebody asks not to wait any longer.
    try_now: AtomicBool,
    closed: AtomicBool,
    /// Which shard is the first to get room.
    turn: AtomicUsize,
    /// What waits in all shards, as far as they have told.
    waiting_events: AtomicI64,
    waiting_bytes: AtomicI64,
    /// How much of that is worth waking the worker for.
    wake_at: Amount,
    behind_at: Amount,
    caught_up_at: Amount,
}

fn bit(shard: usize) -> u32 {
    1 << shard
}

impl Signals {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            filled: AtomicU32::new(0),
            blocked: AtomicU32::new(0),
            asleep: AtomicBool::new(true),
            pressed: AtomicBool::new(false),
            relief_asked: AtomicBool::new(false),
            lossy: AtomicBool::new(false),
            try_now: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            turn: AtomicUsize::new(0),
            waiting_events: AtomicI64::new(0),
            waiting_bytes: AtomicI64::new(0),
            wake_at: limits.much(),
            behind_at: limits.behind_at(),
            caught_up_at: limits.caught_up_at(),
        }
    }

    /// The first event waits in a shard, under whose lock this is said. Whether the worker is to be woken for it.
    pub(crate) fn filled(&self, shard: usize) -> bool {
        // The worker looks for events after it says that it sleeps, and this asks after the event is there: one of both sees
        // the other.
        self.filled.fetch_or(bit(shard), Ordering::SeqCst);
        self.asleep.load(Ordering::SeqCst) && self.asleep.swap(false, Ordering::SeqCst)
    }

    /// Nothing waits in a shard any more, under whose lock this is said.
    pub(crate) fn emptied(&self, shard: usize) {
        self.filled.fetch_and(!bit(shard), Ordering::SeqCst);
    }

    /// The shards in which events wait.
    pub(crate) fn filled_shards(&self) -> u32 {
        self.filled.load(Ordering::SeqCst)
    }

    /// The worker sleeps until it is woken; whether an event has come in the meantime.
    pub(crate) fn fall_asleep(&self) -> bool {
        self.asleep.store(true, Ordering::SeqCst);
        self.filled_shards() != 0
    }

    /// The worker will look by itself.
    pub(crate) fn stay_awake(&self) {
        if self.asleep.load(Ordering::Relaxed) {
            self.asleep.store(false, Ordering::SeqCst);
        }
    }

    /// So much more waits; whether that is worth waking the worker for, and how much waits now.
    pub(crate) fn announce(&self, more: Amount) -> (bool, Amount) {
        let events = self.waiting_events.fetch_add(more.events, Ordering::Relaxed);
        let bytes = self.waiting_bytes.fetch_add(more.bytes, Ordering::Relaxed);
        let crosses = |before: i64, more: i64, at: i64| before < at && before + more >= at;
        let wake = crosses(events, more.events, self.wake_at.events) || crosses(bytes, more.bytes, self.wake_at.bytes);
        (wake, Amount { events, bytes } + more)
    }

    /// So much of what was told of does not wait any more.
    pub(crate) fn recall(&self, less: Amount) {
        if less != Amount::NOTHING {
            self.waiting_events.fetch_sub(less.events, Ordering::Relaxed);
            self.waiting_bytes.fetch_sub(less.bytes, Ordering::Relaxed);
        }
    }

    /// What waits, as far as is known.
    pub(crate) fn waiting(&self) -> Amount {
        Amount {
            events: self.waiting_events.load(Ordering::Relaxed),
            bytes: self.waiting_bytes.load(Ordering::Relaxed),
        }
    }

    /// Whether the worker is behind, with so much waiting, and callers are to encode their lines.
    pub(crate) fn is_behind(&self, waiting: Amount) -> bool {
        waiting.reaches(self.behind_at)
    }

    /// Whether it is not any more.
    pub(crate) fn has_caught_up(&self, waiting: Amount) -> bool {
        !waiting.reaches(self.caught_up_at)
    }

    /// There is no room; whether the worker is to be told.
    pub(crate) fn press(&self) -> bool {
        !self.pressed.load(Ordering::Relaxed) && !self.pressed.swap(true, Ordering::Relaxed)
    }

    /// Whether somebody found no room since this was asked.
    pub(crate) fn take_pressed(&self) -> bool {
        self.pressed.load(Ordering::Relaxed) && self.pressed.swap(false, Ordering::Relaxed)
    }

    /// The spool is to relieve the queue; whether the worker is to be told.
    pub(crate) fn ask_for_relief(&self) -> bool {
        !self.relief_asked.load(Ordering::Relaxed) && !self.relief_asked.swap(true, Ordering::Relaxed)
    }

    /// It does.
    pub(crate) fn relieved(&self) {
        if self.relief_asked.load(Ordering::Relaxed) {
            self.relief_asked.store(false, Ordering::Relaxed);
        }
    }

    pub(crate) fn lost(&self) {
        if !self.is_lossy() {
            self.lossy.store(true, Ordering::Relaxed);
        }
    }

    /// Whether anything was dropped, ever.
    pub(crate) fn is_lossy(&self) -> bool {
        self.lossy.load(Ordering::Relaxed)
    }

    pub(crate) fn try_now(&self) {
        self.try_now.store(true, Ordering::Relaxed);
    }

    pub(crate) fn take_try_now(&self) -> bool {
        self.try_now.swap(false, Ordering::Relaxed)
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// A caller waits for room in that shard, under whose lock this is said.
    pub(crate) fn blocked(&self, shard: usize) {
        self.blocked.fetch_or(bit(shard), Ordering::Relaxed);
    }

    /// None does any more, under the same lock.
    pub(crate) fn unblocked(&self, shard: usize) {
        self.blocked.fetch_and(!bit(shard), Ordering::Relaxed);
    }

    /// Another number each time.
    pub(crate) fn next_turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn blocked_shards(&self) -> u32 {
        self.blocked.load(Ordering::Relaxed)
    }
}
