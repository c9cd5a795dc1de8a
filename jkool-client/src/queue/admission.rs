//! What comes into the queue, and what becomes of what does not fit: the side of the callers.

use crate::emit::clock;
use crate::queue::amount::Amount;
use crate::queue::blocks::Incoming;
use crate::queue::overflow::{Admission, OverflowPolicy};
use crate::queue::shard::State;
use crate::queue::shards::Shards;
use crate::report::loss::LossReason;
use jkool_model::Severity;
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// An event that wants to come in.
#[derive(Debug)]
pub(crate) struct Offer<'a> {
    pub(crate) incoming: Incoming<'a>,
    pub(crate) severity: Severity,
    /// About how many bytes it takes.
    pub(crate) weight: usize,
    /// Its caller may wait for room.
    pub(crate) may_wait: bool,
}

/// An event that made room for another, when some flush has begun since it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Evicted {
    pub(crate) generation: u64,
    /// That of its shard when it went.
    pub(crate) before: u64,
}

/// How often a caller that waits for room looks for itself: it is told of much room, and not of little.
const LOOK: Duration = Duration::from_millis(10);

/// A caller on its way into a shard.
struct Entry<'s> {
    shards: &'s Shards,
    shard: usize,
    weight: usize,
    may_wait: bool,
    /// Its place among those who wait, and until when it does.
    place: Option<u64>,
    deadline: Option<Instant>,
    /// What others did not spend has been called in.
    reclaimed: bool,
    wake: bool,
}

impl Shards {
    /// An event wants to come in by that shard. `wake` is called when the worker is to be woken before this ends; `evicted`
    /// when an event made room for which a flush may wait.
    pub(crate) fn offer(
        &self,
        shard: usize,
        offer: Offer<'_>,
        wake: impl Fn(),
        evicted: impl Fn(Evicted),
    ) -> (Admission, bool) {
        let Offer { incoming, severity, weight, may_wait } = offer;
        let limits = &self.limits;
        let mut entry = Entry {
            shards: self,
            shard,
            weight,
            may_wait: may_wait && weight <= limits.bytes && matches!(limits.overflow, OverflowPolicy::Block(_)),
            place: None,
            deadline: None,
            reclaimed: false,
            wake: false,
        };
        let mut state = self[shard].lock();
        if !state.is_closed() && is_below(limits.shed_below, severity) && self.budget.is_filled(3, 4) {
            return entry.refuse(state, LossReason::Shed);
        }
        loop {
            if state.is_closed() {
                return entry.refuse(state, LossReason::AfterShutdown);
            }
            if entry.is_paid_for(&mut state) {
                return entry.push(state, incoming);
            }
            entry.wake |= self.signals.press();
            if entry.may_wait {
                if entry.wake {
                    wake();
                    entry.wake = false;
                }
                state = entry.wait(state);
            } else if !entry.reclaimed && !self.budget.is_tight() {
                drop(state);
                entry.reclaim();
                state = self[shard].lock();
            } else {
                drop(state);
                let made_room = limits.overflow == OverflowPolicy::DropOldest && entry.make_room(&evicted);
                state = self[shard].lock();
                if !made_room && !entry.is_paid_for(&mut state) {
                    return entry.refuse(state, LossReason::Overflow);
                }
            }
        }
    }
}

impl<'s> Entry<'s> {
    /// Whether there is credit for it now, and it is its turn.
    fn is_paid_for(&mut self, state: &mut State) -> bool {
        if self.may_wait && !state.is_turn_of(self.place) {
            return false;
        }
        let lacks = state.lacks(self.weight);
        if lacks == Amount::NOTHING {
            return true;
        }
        let Some(drawn) = self.shards.budget.draw(lacks) else { return false };
        state.add_credit(drawn);
        let relief = self.shards.limits.overflow == OverflowPolicy::Spill && self.shards.budget.is_filled(1, 2);
        self.wake |= relief && self.shards.signals.ask_for_relief();
        true
    }

    fn push(mut self, mut state: MutexGuard<'s, State>, incoming: Incoming<'_>) -> (Admission, bool) {
        let Self { shards, shard, .. } = self;
        // Only who drops the oldest wants to know.
        let by_age = shards.limits.overflow == OverflowPolicy::DropOldest;
        let arrived = if by_age { shards.now() } else { 0 };
        let news = state.push(incoming, self.weight, arrived);
        if news.first {
            if by_age {
                shards[shard].show_oldest(&state);
            }
            self.wake |= shards.signals.filled(shard);
        }
        if news.more != Amount::NOTHING {
            let (wake, behind) = shards.signals.announce(news.more);
            shards[shard].set_behind(behind);
            self.wake |= wake;
        }
        self.leave(&mut state);
        (Admission::Accepted, self.wake)
    }

    fn refuse(mut self, mut state: MutexGuard<'_, State>, reason: LossReason) -> (Admission, bool) {
        state.refuse(reason);
        self.leave(&mut state);
        self.shards.signals.lost();
        (Admission::Dropped(reason), self.wake)
    }

    /// Waits until the shard gets credit, or for a while.
    fn wait(&mut self, mut state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        let OverflowPolicy::Block(timeout) = self.shards.limits.overflow else { return state };
        if self.place.is_none() {
            self.place = Some(state.queue_up());
            self.shards.signals.blocked(self.shard);
        }
        let now = clock::now();
        let left = self.deadline.get_or_insert(clock::later(now, timeout)).saturating_duration_since(now);
        let shards = self.shards;
        let shard = &shards[self.shard];
        let mut woken = false;
        let unchanged = |state: &mut State| {
            let paid = state.lacks(self.weight) == Amount::NOTHING;
            if std::mem::replace(&mut woken, true) && !paid {
                state.missed_turn();
            }
            !(state.is_closed() || paid && state.is_turn_of(self.place))
        };
        let waited = shard.room.wait_timeout_while(state, left.min(LOOK), unchanged);
        let (state, result) = waited.unwrap_or_else(PoisonError::into_inner);
        if !result.timed_out() {
            return state;
        }
        self.may_wait = left > LOOK;
        drop(state);
        // It is little, perhaps, but better than to wait on.
        shards.reclaim();
        self.reclaimed = !self.may_wait;
        shard.lock()
    }

    /// Makes others' credit everybody's.
    fn reclaim(&mut self) {
        if !matches!(self.shards.limits.overflow, OverflowPolicy::Block(_)) {
            self.shards.budget.tighten();
        }
        self.shards.reclaim();
        self.reclaimed = true;
    }

    /// Drops the oldest of all shards until there is room, unless there would be none even without all that waits. Whether
    /// there is some now.
    fn make_room(&mut self, evicted: &impl Fn(Evicted)) -> bool {
        let shards = self.shards;
        let under_way = shards.budget.used() - shards.waits();
        if !shards.budget.limit().covers(under_way + Amount::one(self.weight)) {
            return false;
        }
        let mut made = Amount::NOTHING;
        while !made.covers(Amount::one(self.weight)) {
            // What came free in the meantime counts too.
            let lacks = (Amount::one(self.weight) - made).max(Amount::NOTHING);
            if let Some(drawn) = shards.budget.draw(lacks) {
                made += drawn;
            } else if let Some((event, credit)) = shards.evict_oldest() {
                made += credit;
                event.into_iter().for_each(evicted);
            } else {
                shards.budget.give(made);
                return false;
            }
        }
        shards.budget.give(made - Amount::one(self.weight));
        shards[self.shard].lock().add_credit(Amount::one(self.weight));
        true
    }

    fn leave(&mut self, state: &mut State) {
        let Some(place) = self.place.take() else { return };
        state.leave(place);
        if state.is_waited_for() {
            // The next one's turn.
            self.shards[self.shard].room.notify_all();
        } else {
            self.shards.signals.unblocked(self.shard);
        }
    }
}

/// What says nothing of its severity is never below.
fn is_below(limit: Severity, severity: Severity) -> bool {
    severity != Severity::None && severity < limit
}

#[cfg(test)]
mod tests;
