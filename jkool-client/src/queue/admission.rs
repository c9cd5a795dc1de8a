//! Admits events to the queue, and applies the overflow policy to those that do not fit. Called by emitting threads.

use crate::emit::clock;
use crate::queue::amount::Amount;
use crate::queue::blocks::Incoming;
use crate::queue::lock::Held;
use crate::queue::overflow::{Admission, OverflowPolicy};
use crate::queue::receipts::ReceiptId;
use crate::queue::shard::{Entrant, Evicted, State};
use crate::queue::shards::Shards;
use crate::report::loss::LossReason;
use jkool_model::Severity;
use std::time::{Duration, Instant};

/// An event to be admitted.
#[derive(Debug)]
pub(crate) struct Offer<'a> {
    pub(crate) incoming: Incoming<'a>,
    pub(crate) severity: Severity,
    /// The receipt to complete.
    pub(crate) receipt: Option<ReceiptId>,
    /// The approximate number of bytes.
    pub(crate) weight: usize,
    /// The caller may wait for room.
    pub(crate) may_wait: bool,
}

/// The interval at which a caller that waits for room checks again: it is only notified of larger amounts.
const LOOK: Duration = Duration::from_millis(10);

/// A caller that is being admitted to a shard.
struct Entry<'s> {
    shards: &'s Shards,
    shard: usize,
    weight: usize,
    may_wait: bool,
    /// Its ticket among the callers that wait, and its deadline.
    place: Option<u64>,
    deadline: Option<Instant>,
    wake: bool,
}

impl Shards {
    /// Admits an event to this shard. Returns the admission, and whether to wake the worker. `wake` is called if the
    /// worker must be woken earlier; `evicted` if an event was dropped for which a flush may wait.
    #[inline]
    pub(crate) fn offer(
        &self,
        shard: usize,
        offer: Offer<'_>,
        wake: impl Fn(),
        evicted: impl Fn(Evicted),
    ) -> (Admission, bool) {
        let Offer { incoming, severity, weight, receipt, may_wait } = offer;
        let entrant = Entrant { incoming, lane: self.limits.lane(severity), weight, arrived: 0, receipt };
        if self.origin.is_forked() {
            return (self.origin.refuse(), false);
        }
        let mut state = match self[shard].try_lock() {
            Some(state) => state,
            None if self.origin.look() => return (self.origin.refuse(), false),
            None => self[shard].lock(),
        };
        if state.is_paid_for(weight) && !is_below(self.limits.shed_below, severity) {
            return self.push(shard, &mut state, entrant);
        }
        if self.origin.look() {
            return (self.origin.refuse(), false);
        }
        let may_wait =
            may_wait && weight <= self.limits.bytes && matches!(self.limits.overflow, OverflowPolicy::Block(_));
        let mut entry = Entry { shards: self, shard, weight, may_wait, place: None, deadline: None, wake: false };
        match entry.find_room(state, severity, &wake, &evicted) {
            Ok(mut state) => {
                let (admission, wake) = self.push(shard, &mut state, entrant);
                entry.leave(&mut state);
                (admission, wake | entry.wake)
            }
            Err((mut state, reason)) => {
                state.refuse(reason);
                entry.leave(&mut state);
                self.signals.lost();
                (Admission::Dropped(reason), entry.wake)
            }
        }
    }

    /// The same for an event with reserved room. The difference to its actual size is drawn from the budget, or owed.
    pub(crate) fn offer_reserved(&self, shard: usize, offer: Offer<'_>, reserved: Amount) -> (Admission, bool) {
        let Offer { incoming, severity, weight, receipt, .. } = offer;
        if self.origin.look() {
            // The room is not needed, and the lock may be held by a thread that does not exist in this process.
            return (self.origin.refuse(), false);
        }
        let entrant = Entrant { incoming, lane: self.limits.lane(severity), weight, arrived: 0, receipt };
        let beyond = (Amount::one(weight) - reserved).max(Amount::NOTHING);
        if !self.budget.take(beyond) {
            self.budget.give(Amount::NOTHING - beyond);
        }
        let mut state = self[shard].lock();
        state.add_credit(reserved + beyond);
        if state.is_closed() {
            state.refuse(LossReason::AfterShutdown);
            self.signals.lost();
            return (Admission::Dropped(LossReason::AfterShutdown), false);
        }
        self.push(shard, &mut state, entrant)
    }

    /// Adds an event for which there is credit, and returns whether to wake the worker. In a forked child, it detects
    /// that nothing is delivered there: for the first waiting event and every 64th, because the check costs a system
    /// call.
    #[inline]
    fn push(&self, shard: usize, state: &mut State, mut entrant: Entrant<'_>) -> (Admission, bool) {
        // Only needed to drop the oldest event.
        let by_age = self.limits.overflow == OverflowPolicy::DropOldest;
        if by_age {
            entrant.arrived = self.now();
        }
        let news = state.push(entrant, || self.since_start());
        let mut wake = false;
        if (news.first || news.more != Amount::NOTHING) && self.origin.look() {
            return (self.origin.refuse(), false);
        }
        if news.first {
            if by_age {
                self[shard].show_oldest(state);
            }
            wake = self.signals.filled(shard);
        }
        if news.more != Amount::NOTHING {
            let (much, waiting) = self.signals.announce(news.more);
            if self.signals.is_behind(waiting) {
                self[shard].set_behind(true);
            } else if self.signals.has_caught_up(waiting) {
                self[shard].set_behind(false);
            }
            wake |= much;
        }
        (Admission::Accepted, wake)
    }
}

impl<'s> Entry<'s> {
    /// Returns the lock of the shard when there is credit for the event, or the reason why there will be none.
    #[cold]
    fn find_room(
        &mut self,
        mut state: Held<'s, State>,
        severity: Severity,
        wake: &impl Fn(),
        evicted: &impl Fn(Evicted),
    ) -> Result<Held<'s, State>, (Held<'s, State>, LossReason)> {
        let Shards { limits, budget, signals, .. } = self.shards;
        if !state.is_closed() && is_below(limits.shed_below, severity) && budget.is_filled(3, 4) {
            return Err((state, LossReason::Shed));
        }
        // Looks once for unspent credit of other shards, and for older events to drop.
        let mut exhausted = false;
        loop {
            if state.is_closed() {
                return Err((state, LossReason::AfterShutdown));
            }
            if self.pay(&mut state) {
                return Ok(state);
            }
            self.wake |= signals.press();
            if self.may_wait {
                if std::mem::take(&mut self.wake) {
                    wake();
                }
                state = self.wait(state);
            } else if exhausted {
                return Err((state, LossReason::Overflow));
            } else {
                drop(state);
                self.reclaim();
                exhausted = limits.overflow != OverflowPolicy::DropOldest || !self.make_room(evicted);
                state = self.shards[self.shard].lock();
            }
        }
    }

    /// Whether there is credit now, and it is this caller's turn.
    fn pay(&mut self, state: &mut State) -> bool {
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

    /// Waits until the shard gets credit, or for a limited time.
    fn wait(&mut self, mut state: Held<'s, State>) -> Held<'s, State> {
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
        let (state, unchanged) = state.wait_while(&shard.room, left.min(LOOK), unchanged);
        if !unchanged {
            return state;
        }
        self.may_wait = left > LOOK;
        drop(state);
        // It may be little, but is better than waiting longer.
        shards.reclaim();
        shard.lock()
    }

    /// Returns unspent credit of other shards to the budget, if there is any.
    fn reclaim(&self) {
        let Shards { limits, budget, .. } = self.shards;
        if budget.is_tight() {
            return;
        }
        if !matches!(limits.overflow, OverflowPolicy::Block(_)) {
            budget.tighten();
        }
        self.shards.reclaim();
    }

    /// Drops the oldest events of all shards until there is room, unless dropping all would not be enough. Returns
    /// whether there is room now.
    fn make_room(&mut self, evicted: &impl Fn(Evicted)) -> bool {
        let shards = self.shards;
        let mut made = Amount::NOTHING;
        while !made.covers(Amount::one(self.weight)) {
            // Room that became free in the meantime counts too.
            let lacks = (Amount::one(self.weight) - made).max(Amount::NOTHING);
            if let Some(drawn) = shards.budget.draw(lacks) {
                made += drawn;
            } else if !shards.can_evict(lacks) {
                shards.budget.give(made);
                return false;
            } else if let Some((event, credit)) = shards.evict_oldest() {
                made += credit;
                event.into_iter().for_each(evicted);
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
            // The next caller's turn.
            self.shards[self.shard].room.notify_all();
        } else {
            self.shards.signals.unblocked(self.shard);
        }
    }
}

/// An entity without a severity is never below the limit.
fn is_below(limit: Severity, severity: Severity) -> bool {
    severity != Severity::None && severity < limit
}

#[cfg(test)]
mod tests;
