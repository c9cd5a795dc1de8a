//! What comes into the queue, and what becomes of what does not fit: the side of the callers.

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

/// An event that wants to come in.
#[derive(Debug)]
pub(crate) struct Offer<'a> {
    pub(crate) incoming: Incoming<'a>,
    pub(crate) severity: Severity,
    /// Who is told what becomes of it.
    pub(crate) receipt: Option<ReceiptId>,
    /// About how many bytes it takes.
    pub(crate) weight: usize,
    /// Its caller may wait for room.
    pub(crate) may_wait: bool,
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
    wake: bool,
}

impl Shards {
    /// An event wants to come in by that shard: whether it did, and whether the worker is to be woken. `wake` is called when the
    /// worker is to be woken before this ends; `evicted` when an event made room for which a flush may wait.
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

    /// The same of an event for which room is reserved. What it takes beyond that is drawn, or owed.
    pub(crate) fn offer_reserved(&self, shard: usize, offer: Offer<'_>, reserved: Amount) -> (Admission, bool) {
        let Offer { incoming, severity, weight, receipt, .. } = offer;
        if self.origin.look() {
            // Nobody needs the room, and its lock may be held by a thread that is not here.
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

    /// Takes in an event for which there is credit; whether the worker is to be woken. In a child it finds out that nothing delivers
    /// there: not for each event, which would cost a system call, but for the first one that waits, and for every 64th.
    #[inline]
    fn push(&self, shard: usize, state: &mut State, mut entrant: Entrant<'_>) -> (Admission, bool) {
        // Only who drops the oldest wants to know.
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
    /// Comes back with the shard's lock when there is credit for the event, or with why there will be none.
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
        // What others did not spend, and what is older, is looked for once.
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

    /// Whether there is credit for it now, and it is its turn.
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

    /// Waits until the shard gets credit, or for a while.
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
        // It is little, perhaps, but better than to wait on.
        shards.reclaim();
        shard.lock()
    }

    /// Makes others' credit everybody's, unless they have none.
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

    /// Drops the oldest of all shards until there is room, unless there would be none even without all that waits. Whether
    /// there is some now.
    fn make_room(&mut self, evicted: &impl Fn(Evicted)) -> bool {
        let shards = self.shards;
        let mut made = Amount::NOTHING;
        while !made.covers(Amount::one(self.weight)) {
            // What came free in the meantime counts too.
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
