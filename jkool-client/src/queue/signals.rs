//! Signals between callers and the worker, without a lock. Each is written rarely, not for each event.

use crate::queue::amount::Amount;
use crate::queue::limits::Limits;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicUsize, Ordering};

#[derive(Debug)]
pub(crate) struct Signals {
    /// The shards in which events wait, one bit each.
    filled: AtomicU32,
    /// The shards in which callers wait for room.
    blocked: AtomicU32,
    /// The worker has no timer: the first event must wake it.
    asleep: AtomicBool,
    /// A caller found no room.
    pressed: AtomicBool,
    /// The worker was asked to move events to the spool.
    relief_asked: AtomicBool,
    /// An event was dropped, at any time.
    lossy: AtomicBool,
    /// A caller asks to retry now.
    try_now: AtomicBool,
    closed: AtomicBool,
    /// The shard that gets room first.
    turn: AtomicUsize,
    /// The announced amount of waiting events in all shards.
    waiting_events: AtomicI64,
    waiting_bytes: AtomicI64,
    /// The amount of them that wakes the worker.
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

    /// The first event waits in a shard; called under its lock. Returns whether to wake the worker.
    pub(crate) fn filled(&self, shard: usize) -> bool {
        // The worker checks for events after it sets its flag, and this reads the flag after the event was queued, so
        // at least one of them sees the other.
        self.filled.fetch_or(bit(shard), Ordering::SeqCst);
        self.asleep.load(Ordering::SeqCst) && self.asleep.swap(false, Ordering::SeqCst)
    }

    /// No event waits in a shard any more; called under its lock.
    pub(crate) fn emptied(&self, shard: usize) {
        self.filled.fetch_and(!bit(shard), Ordering::SeqCst);
    }

    /// The shards in which events wait.
    pub(crate) fn filled_shards(&self) -> u32 {
        self.filled.load(Ordering::SeqCst)
    }

    /// The worker sleeps until it is woken; returns whether an event was queued in the meantime.
    pub(crate) fn fall_asleep(&self) -> bool {
        self.asleep.store(true, Ordering::SeqCst);
        self.filled_shards() != 0
    }

    /// The worker has a timer again.
    pub(crate) fn stay_awake(&self) {
        if self.asleep.load(Ordering::Relaxed) {
            self.asleep.store(false, Ordering::SeqCst);
        }
    }

    /// Announces a further amount; returns whether to wake the worker, and the total.
    pub(crate) fn announce(&self, more: Amount) -> (bool, Amount) {
        let events = self.waiting_events.fetch_add(more.events, Ordering::Relaxed);
        let bytes = self.waiting_bytes.fetch_add(more.bytes, Ordering::Relaxed);
        let crosses = |before: i64, more: i64, at: i64| before < at && before + more >= at;
        let wake = crosses(events, more.events, self.wake_at.events) || crosses(bytes, more.bytes, self.wake_at.bytes);
        (wake, Amount { events, bytes } + more)
    }

    /// An announced amount has left.
    pub(crate) fn recall(&self, less: Amount) {
        if less != Amount::NOTHING {
            self.waiting_events.fetch_sub(less.events, Ordering::Relaxed);
            self.waiting_bytes.fetch_sub(less.bytes, Ordering::Relaxed);
        }
    }

    /// The announced amount of waiting events.
    pub(crate) fn waiting(&self) -> Amount {
        Amount {
            events: self.waiting_events.load(Ordering::Relaxed),
            bytes: self.waiting_bytes.load(Ordering::Relaxed),
        }
    }

    /// Whether the worker is behind with this amount, so that callers encode their log lines.
    pub(crate) fn is_behind(&self, waiting: Amount) -> bool {
        waiting.reaches(self.behind_at)
    }

    /// Whether it has caught up.
    pub(crate) fn has_caught_up(&self, waiting: Amount) -> bool {
        !waiting.reaches(self.caught_up_at)
    }

    /// There is no room; returns whether to notify the worker.
    pub(crate) fn press(&self) -> bool {
        !self.pressed.load(Ordering::Relaxed) && !self.pressed.swap(true, Ordering::Relaxed)
    }

    /// Whether a caller found no room since the last call.
    pub(crate) fn take_pressed(&self) -> bool {
        self.pressed.load(Ordering::Relaxed) && self.pressed.swap(false, Ordering::Relaxed)
    }

    /// Asks for events to be moved to the spool; returns whether to notify the worker.
    pub(crate) fn ask_for_relief(&self) -> bool {
        !self.relief_asked.load(Ordering::Relaxed) && !self.relief_asked.swap(true, Ordering::Relaxed)
    }

    /// The worker has handled it.
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

    /// Whether any event was ever dropped.
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

    /// A caller waits for room in a shard; called under its lock.
    pub(crate) fn blocked(&self, shard: usize) {
        self.blocked.fetch_or(bit(shard), Ordering::Relaxed);
    }

    /// No caller waits for room any more; called under its lock.
    pub(crate) fn unblocked(&self, shard: usize) {
        self.blocked.fetch_and(!bit(shard), Ordering::Relaxed);
    }

    /// A different number each time.
    pub(crate) fn next_turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn blocked_shards(&self) -> u32 {
        self.blocked.load(Ordering::Relaxed)
    }
}
