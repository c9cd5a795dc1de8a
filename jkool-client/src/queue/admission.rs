//! The queue between the program and the worker, with its limits. Pure: no clock, no lock, no waiting.

use crate::queue::blocks::{Block, Incoming, Queue};
use crate::queue::ledger::{End, Ledger};
use crate::queue::mark::Mark;
use crate::queue::overflow::OverflowPolicy;
use crate::report::loss::LossReason;
use jkool_model::Severity;
use std::time::{Duration, Instant};

/// How much may be in memory, and when the worker takes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// In the queue, in batches and on the way together.
    pub(crate) events: usize,
    pub(crate) bytes: usize,
    pub(crate) overflow: OverflowPolicy,
    /// While little room is left, it is kept for events at least as severe.
    pub(crate) shed_below: Severity,
    /// How long the first of a batch waits for company.
    pub(crate) flush_interval: Duration,
    /// How many waiting events are worth waking the worker for.
    pub(crate) wake_at: usize,
    /// About how many bytes of events are taken together: encoded they may be larger, so this is a small part of all.
    pub(crate) batch_bytes: usize,
}

pub(crate) struct Intake {
    limits: Limits,
    /// What waits; what is on its way is known by the ledger alone.
    queue: Queue,
    pub(crate) ledger: Ledger,
    /// When the worker looks next by itself. Without one it sleeps, and the first event must wake it.
    timer: Option<Instant>,
    drain: Drain,
    closed: bool,
    /// The worker has been told that the spool is to relieve the queue.
    relief_asked: bool,
}

/// How much of the queue is on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Drain {
    /// Events wait for company.
    Nothing,
    /// Full batches go, the rest waits.
    FullBatches,
    /// All goes.
    Everything,
}

/// What empty blocks of the queue may take at most, and a quarter of what events may.
const MAX_SPARE: usize = 2 << 20;

/// The answer to an event that wants to come in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is accounted for, and is to be [put](Intake::put) into the queue at once; the worker is to be woken then, or not.
    Admitted { mark: Mark, wake: bool },
    /// It is dropped and counted; the worker is to be woken, or not.
    Refused { reason: LossReason, wake: bool },
    /// There is no room, and the policy says to wait for some.
    Wait(Duration),
}

/// What the worker gets.
#[derive(Debug)]
pub(crate) enum Taken {
    Events(Vec<Block>),
    /// Nothing is due before then, or before somebody wakes the worker.
    Nothing {
        until: Option<Instant>,
    },
}

impl Intake {
    pub(crate) fn new(limits: Limits) -> Self {
        let ledger = Ledger::default();
        Self {
            limits,
            queue: Queue::new((limits.bytes / 4).min(MAX_SPARE)),
            ledger,
            timer: None,
            drain: Drain::Nothing,
            closed: false,
            relief_asked: false,
        }
    }

    /// An event of about `weight` bytes wants to come in. A caller that `may_wait` no longer, or never, is told so at once.
    pub(crate) fn admit(&mut self, severity: Severity, weight: usize, may_wait: bool) -> Answer {
        if self.closed {
            return self.refuse(LossReason::AfterShutdown, false);
        }
        if is_below(self.limits.shed_below, severity) && self.is_filled(3, 4) {
            return self.refuse(LossReason::Shed, false);
        }
        let mut pressed = false;
        if !self.has_room(weight) {
            // Room comes only from delivery, so nothing waits for company any more.
            pressed = self.drain < Drain::Everything && !self.queue.is_empty();
            self.drain = Drain::Everything;
            match self.limits.overflow {
                OverflowPolicy::DropOldest => self.make_room(weight),
                OverflowPolicy::Block(timeout) if may_wait && weight <= self.limits.bytes => {
                    return Answer::Wait(timeout);
                }
                OverflowPolicy::DropNewest | OverflowPolicy::Spill | OverflowPolicy::Block(_) => {}
            }
            if !self.has_room(weight) {
                return self.refuse(LossReason::Overflow, pressed);
            }
        }
        let mark = self.ledger.accept(weight);
        let wanted = self.wants_relief();
        let relieve = wanted && !std::mem::replace(&mut self.relief_asked, wanted);
        let quarter = self.limits.bytes / 4;
        let large = self.queue.weight() < quarter && self.queue.weight() + weight >= quarter;
        let wake = pressed || relieve || large || self.timer.is_none() || self.queue.len() + 1 == self.limits.wake_at;
        Answer::Admitted { mark, wake }
    }

    /// An event that was admitted.
    pub(crate) fn put(&mut self, incoming: Incoming<'_>, mark: Mark) {
        self.queue.push(incoming, mark);
    }

    fn refuse(&mut self, reason: LossReason, wake: bool) -> Answer {
        self.ledger.refuse(reason);
        Answer::Refused { reason, wake }
    }

    pub(crate) fn has_room(&self, weight: usize) -> bool {
        let stats = self.ledger.stats();
        (stats.in_memory() as usize) < self.limits.events && stats.bytes_in_memory() + weight <= self.limits.bytes
    }

    /// Whether so much of the room, in events or in bytes, is taken.
    pub(crate) fn is_filled(&self, numerator: usize, denominator: usize) -> bool {
        let stats = self.ledger.stats();
        stats.in_memory() as usize * denominator >= self.limits.events * numerator
            || stats.bytes_in_memory() * denominator >= self.limits.bytes * numerator
    }

    /// Whether half of the room is taken, by what waits or is under way, and what does not leave is to go to the spool.
    pub(crate) fn wants_relief(&self) -> bool {
        self.limits.overflow == OverflowPolicy::Spill && self.is_filled(1, 2)
    }

    /// Drops the oldest until there is room, unless there would be none even without all that waits.
    fn make_room(&mut self, weight: usize) {
        let stats = self.ledger.stats();
        let under_way = (stats.in_memory() as usize - self.queue.len(), stats.bytes_in_memory() - self.queue.weight());
        if under_way.0 >= self.limits.events || under_way.1 + weight > self.limits.bytes {
            return;
        }
        while !self.has_room(weight) {
            let Some(oldest) = self.queue.drop_oldest() else { return };
            self.ledger.end(oldest, End::Dropped(LossReason::Overflow));
        }
    }

    /// Up to `max` events, oldest first, when there are enough, when the first has waited long enough, or when somebody
    /// waits for them. While the worker has others `under_way`, none are taken beyond the limit of bytes.
    pub(crate) fn take(&mut self, max: usize, under_way: bool, now: Instant) -> Taken {
        if under_way && self.ledger.stats().bytes_in_memory() > self.limits.bytes {
            return Taken::Nothing { until: None };
        }
        let timer_fired = self.timer.is_some_and(|timer| timer <= now);
        if self.queue.is_empty() {
            self.drain = Drain::Nothing;
            if timer_fired {
                // A whole interval without an event: the next one wakes the worker.
                self.timer = None;
            }
            return Taken::Nothing { until: self.timer };
        }
        if timer_fired || self.closed || self.ledger.is_awaited() {
            self.drain = Drain::Everything;
        } else if self.queue.len() >= self.limits.wake_at || self.queue.weight() >= self.limits.bytes / 4 {
            self.drain = self.drain.max(Drain::FullBatches);
        }
        let is_full =
            self.queue.len() >= max.min(self.limits.wake_at) || self.queue.weight() >= self.limits.batch_bytes;
        if self.drain == Drain::FullBatches && !is_full {
            self.drain = Drain::Nothing;
        }
        if self.drain == Drain::Nothing {
            return Taken::Nothing { until: Some(*self.timer.get_or_insert(now + self.limits.flush_interval)) };
        }
        self.timer = Some(now + self.limits.flush_interval);
        Taken::Events(self.queue.take(max, self.limits.batch_bytes))
    }

    /// Up to `max` events at once, oldest first, for the spool.
    pub(crate) fn take_some(&mut self, max: usize) -> Vec<Block> {
        self.relief_asked = false;
        self.queue.take(max, self.limits.batch_bytes)
    }

    /// Gets back what the events that were taken stood in.
    pub(crate) fn reuse(&mut self, blocks: Vec<Block>) {
        self.queue.reuse(blocks);
    }

    /// No event comes in any more; those that are here are taken at once.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// No event comes in any more, and none is left or all were given up.
    pub(crate) fn is_drained(&self) -> bool {
        let stats = self.ledger.stats();
        self.closed && (self.ledger.is_over() || stats.in_memory() + stats.spooled() == 0)
    }

    /// Ends whatever is left, wherever it is.
    pub(crate) fn end_all(&mut self, reason: LossReason) {
        self.closed = true;
        self.queue.clear();
        self.ledger.end_all(reason);
    }
}

/// What says nothing of its severity is never below.
fn is_below(limit: Severity, severity: Severity) -> bool {
    severity != Severity::None && severity < limit
}

#[cfg(test)]
mod tests;
