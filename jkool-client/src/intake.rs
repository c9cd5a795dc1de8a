//! The queue between the program and the worker, with its limits. Pure: no clock, no lock, no waiting.

use crate::ledger::{End, Ledger, Mark};
use crate::{Admission, LossReason, OverflowPolicy};
use jkool_model::{Entity, Severity};
use std::collections::VecDeque;
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

/// An event in the queue.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) entity: Entity,
    pub(crate) mark: Mark,
}

pub(crate) struct Intake {
    limits: Limits,
    queue: VecDeque<Queued>,
    /// What the queue weighs; what is on its way weighs the rest.
    queued_bytes: usize,
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

/// The answer to an event that comes in.
#[derive(Debug)]
pub(crate) enum Offer {
    /// Settled; the worker is to be woken, or not.
    Settled { admission: Admission, wake: bool },
    /// There is no room, and the policy says to wait for some.
    Wait(Box<Entity>, Duration),
}

/// What the worker gets.
#[derive(Debug)]
pub(crate) enum Taken {
    Events(Vec<Queued>),
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
            queue: VecDeque::new(),
            queued_bytes: 0,
            ledger,
            timer: None,
            drain: Drain::Nothing,
            closed: false,
            relief_asked: false,
        }
    }

    /// An event of about `weight` bytes comes in. A caller that `may_wait` no longer, or never, is told so at once.
    pub(crate) fn offer(&mut self, entity: Entity, weight: usize, may_wait: bool) -> Offer {
        if self.closed {
            return self.refuse(LossReason::AfterShutdown, false);
        }
        if is_below(self.limits.shed_below, &entity) && self.is_filled(3, 4) {
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
                    return Offer::Wait(Box::new(entity), timeout);
                }
                OverflowPolicy::DropNewest | OverflowPolicy::Spill | OverflowPolicy::Block(_) => {}
            }
            if !self.has_room(weight) {
                return self.refuse(LossReason::Overflow, pressed);
            }
        }
        let mark = self.ledger.accept(weight);
        self.queue.push_back(Queued { entity, mark });
        self.queued_bytes += weight;
        let wanted = self.wants_relief();
        let relieve = wanted && !std::mem::replace(&mut self.relief_asked, wanted);
        let wake = pressed || relieve || self.timer.is_none() || self.queue.len() == self.limits.wake_at;
        Offer::Settled { admission: Admission::Accepted, wake }
    }

    fn refuse(&mut self, reason: LossReason, wake: bool) -> Offer {
        self.ledger.refuse(reason);
        Offer::Settled { admission: Admission::Dropped(reason), wake }
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
        let under_way = (stats.in_memory() as usize - self.queue.len(), stats.bytes_in_memory() - self.queued_bytes);
        if under_way.0 >= self.limits.events || under_way.1 + weight > self.limits.bytes {
            return;
        }
        while !self.has_room(weight) {
            let Some(oldest) = self.pop() else { return };
            self.ledger.end(oldest.mark, End::Dropped(LossReason::Overflow));
        }
    }

    fn pop(&mut self) -> Option<Queued> {
        let oldest = self.queue.pop_front()?;
        self.queued_bytes -= oldest.mark.weight;
        Some(oldest)
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
        } else if self.queue.len() >= self.limits.wake_at {
            self.drain = self.drain.max(Drain::FullBatches);
        }
        if self.drain == Drain::FullBatches && self.queue.len() < max.min(self.limits.wake_at) {
            self.drain = Drain::Nothing;
        }
        if self.drain == Drain::Nothing {
            return Taken::Nothing { until: Some(*self.timer.get_or_insert(now + self.limits.flush_interval)) };
        }
        self.timer = Some(now + self.limits.flush_interval);
        Taken::Events(self.pop_some(max))
    }

    /// Up to `max` events at once, oldest first, for the spool.
    pub(crate) fn take_some(&mut self, max: usize) -> Vec<Queued> {
        self.relief_asked = false;
        self.pop_some(max)
    }

    fn pop_some(&mut self, max: usize) -> Vec<Queued> {
        let (mut events, mut bytes) = (Vec::with_capacity(max.min(self.queue.len())), 0);
        while events.len() < max && bytes < self.limits.batch_bytes {
            let Some(event) = self.pop() else { break };
            bytes += event.mark.weight;
            events.push(event);
        }
        events
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
        self.queued_bytes = 0;
        self.ledger.end_all(reason);
    }
}

/// What says nothing of its severity is never below.
fn is_below(limit: Severity, entity: &Entity) -> bool {
    match entity {
        Entity::Event(event) => event.severity != Severity::None && event.severity < limit,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Intake, Limits, Offer, Queued, Taken};
    use crate::ledger::End;
    use crate::{Admission, LossReason, OverflowPolicy};
    use jkool_model::{Entity, Event, Severity};
    use std::time::{Duration, Instant};

    const INTERVAL: Duration = Duration::from_millis(100);

    fn intake(overflow: OverflowPolicy) -> Intake {
        Intake::new(Limits {
            events: 3,
            bytes: 100,
            overflow,
            shed_below: Severity::None,
            flush_interval: INTERVAL,
            wake_at: 3,
            batch_bytes: 100,
        })
    }

    fn event(name: &'static str) -> Entity {
        Event::builder().operation(name).source("APPL=a".parse().unwrap()).build().unwrap().into()
    }

    fn offer(intake: &mut Intake, name: &'static str, weight: usize) -> (Admission, bool) {
        match intake.offer(event(name), weight, false) {
            Offer::Settled { admission, wake } => (admission, wake),
            Offer::Wait(..) => panic!("asked to wait"),
        }
    }

    fn taken(intake: &mut Intake, max: usize, now: Instant) -> Vec<String> {
        let Taken::Events(events) = intake.take(max, false, now) else { return Vec::new() };
        let names = events.iter().map(|queued| match &queued.entity {
            Entity::Event(event) => event.operation.to_string(),
            _ => panic!("only events here"),
        });
        let names = names.collect();
        for queued in events {
            intake.ledger.end(queued.mark, End::Delivered);
        }
        names
    }

    const DROPPED: Admission = Admission::Dropped(LossReason::Overflow);

    #[test]
    fn the_newest_is_dropped_when_events_or_bytes_run_out() {
        let mut intake = intake(OverflowPolicy::DropNewest);
        assert_eq!(offer(&mut intake, "a", 60).0, Admission::Accepted);
        assert_eq!(offer(&mut intake, "too many bytes", 41).0, DROPPED);
        assert_eq!(offer(&mut intake, "b", 20).0, Admission::Accepted);
        assert_eq!(offer(&mut intake, "c", 20).0, Admission::Accepted);
        assert_eq!(offer(&mut intake, "too many", 0).0, DROPPED);
        intake.close();
        assert_eq!(taken(&mut intake, 9, crate::clock::now()), ["a", "b", "c"]);
        assert_eq!(intake.ledger.stats().dropped(LossReason::Overflow), 2);
    }

    #[test]
    fn the_oldest_make_room() {
        let mut intake = intake(OverflowPolicy::DropOldest);
        for name in ["a", "b", "c", "d"] {
            assert_eq!(offer(&mut intake, name, 30).0, Admission::Accepted);
        }
        assert_eq!(offer(&mut intake, "big", 100).0, Admission::Accepted);
        // One that never fits drops nothing but itself.
        assert_eq!(offer(&mut intake, "too big", 101).0, DROPPED);
        intake.close();
        assert_eq!(taken(&mut intake, 9, crate::clock::now()), ["big"]);
        assert_eq!(intake.ledger.stats().dropped(LossReason::Overflow), 5);
    }

    #[test]
    fn what_is_on_its_way_counts_too_and_cannot_make_room() {
        let mut intake = intake(OverflowPolicy::DropOldest);
        let now = crate::clock::now();
        for name in ["a", "b", "c"] {
            offer(&mut intake, name, 1);
        }
        assert!(matches!(intake.take(3, false, now), Taken::Events(events) if events.len() == 3));
        assert_eq!(offer(&mut intake, "d", 1).0, DROPPED);
    }

    #[test]
    fn what_waits_is_not_dropped_for_one_that_will_not_fit_beside_what_is_on_its_way() {
        let mut intake = intake(OverflowPolicy::DropOldest);
        offer(&mut intake, "under way", 60);
        intake.close();
        assert!(matches!(intake.take(1, false, crate::clock::now()), Taken::Events(_)));
        intake.closed = false;
        assert_eq!(offer(&mut intake, "waits", 30).0, Admission::Accepted);
        assert_eq!(offer(&mut intake, "too big", 50).0, DROPPED);
        assert_eq!(offer(&mut intake, "fits in its place", 40).0, Admission::Accepted);
        assert_eq!(intake.ledger.stats().dropped(LossReason::Overflow), 2);
    }

    #[test]
    fn a_batch_is_bounded_in_bytes_and_none_is_taken_beyond_the_limit() {
        let mut intake = Intake::new(Limits {
            events: 9,
            bytes: 100,
            overflow: OverflowPolicy::DropNewest,
            shed_below: Severity::None,
            flush_interval: INTERVAL,
            wake_at: 3,
            batch_bytes: 50,
        });
        for name in ["a", "b", "c", "d"] {
            offer(&mut intake, name, 25);
        }
        intake.close();
        let now = crate::clock::now();
        let Taken::Events(mut events) = intake.take(9, false, now) else { panic!("a batch") };
        assert_eq!(events.len(), 2);
        // Encoded, one turns out to be larger.
        intake.ledger.reweigh(&mut events[0].mark, 60);
        assert!(matches!(intake.take(9, true, now), Taken::Nothing { until: None }));
        assert!(matches!(intake.take(9, false, now), Taken::Events(events) if events.len() == 2));
    }

    #[test]
    fn blocking_is_asked_for_only_when_it_can_help() {
        let mut intake = intake(OverflowPolicy::Block(INTERVAL));
        for name in ["a", "b", "c"] {
            offer(&mut intake, name, 1);
        }
        assert!(matches!(intake.offer(event("d"), 1, true), Offer::Wait(_, INTERVAL)));
        assert_eq!(offer(&mut intake, "d", 1).0, DROPPED);
        assert!(matches!(intake.offer(event("never fits"), 101, true), Offer::Settled { admission: DROPPED, .. }));
    }

    #[test]
    fn the_worker_is_woken_by_the_first_event_and_by_a_full_batch() {
        let mut intake = intake(OverflowPolicy::DropNewest);
        let start = crate::clock::now();
        assert!(matches!(intake.take(9, false, start), Taken::Nothing { until: None }));
        assert_eq!(offer(&mut intake, "a", 1), (Admission::Accepted, true));
        let due = start + INTERVAL;
        assert!(matches!(intake.take(9, false, start), Taken::Nothing { until: Some(until) } if until == due));
        assert_eq!(offer(&mut intake, "b", 1), (Admission::Accepted, false));
        assert_eq!(offer(&mut intake, "c", 1), (Admission::Accepted, true));
        assert_eq!(taken(&mut intake, 2, start), ["a", "b"]);
        // Less than a batch is left, and it waits for company again.
        assert!(taken(&mut intake, 2, start).is_empty());
        assert_eq!(taken(&mut intake, 2, start + INTERVAL), ["c"]);
    }

    #[test]
    fn steady_traffic_costs_one_wake_an_interval_and_silence_none() {
        let mut intake = intake(OverflowPolicy::DropNewest);
        let start = crate::clock::now();
        offer(&mut intake, "a", 1);
        assert!(taken(&mut intake, 9, start).is_empty());
        assert_eq!(taken(&mut intake, 9, start + INTERVAL), ["a"]);
        assert_eq!(offer(&mut intake, "b", 1), (Admission::Accepted, false));
        assert_eq!(taken(&mut intake, 9, start + 2 * INTERVAL), ["b"]);
        assert!(matches!(intake.take(9, false, start + 3 * INTERVAL), Taken::Nothing { until: None }));
        assert_eq!(offer(&mut intake, "c", 1), (Admission::Accepted, true));
    }

    #[test]
    fn a_full_queue_does_not_wait_for_company() {
        let mut intake = intake(OverflowPolicy::DropNewest);
        let start = crate::clock::now();
        offer(&mut intake, "a", 90);
        assert!(taken(&mut intake, 9, start).is_empty());
        assert_eq!(offer(&mut intake, "too many bytes", 20), (DROPPED, true));
        assert_eq!(offer(&mut intake, "too many bytes", 20), (DROPPED, false));
        assert_eq!(taken(&mut intake, 9, start), ["a"]);
    }

    #[test]
    fn after_closing_nothing_comes_in() {
        let mut intake = intake(OverflowPolicy::DropNewest);
        offer(&mut intake, "a", 1);
        intake.close();
        assert_eq!(offer(&mut intake, "b", 1).0, Admission::Dropped(LossReason::AfterShutdown));
        assert_eq!(taken(&mut intake, 9, crate::clock::now()), ["a"]);
    }

    #[test]
    fn the_last_quarter_is_kept_for_what_is_severe() {
        let limits = Limits { events: 8, shed_below: Severity::Info, ..intake(OverflowPolicy::DropNewest).limits };
        let mut intake = Intake::new(limits);
        let mut offer = |severity| {
            let event = Event::builder().severity(severity).source("APPL=a".parse().unwrap()).build().unwrap();
            match intake.offer(event.into(), 1, false) {
                Offer::Settled { admission, .. } => admission,
                Offer::Wait(..) => panic!("asked to wait"),
            }
        };
        for _ in 0..6 {
            assert_eq!(offer(Severity::Trace), Admission::Accepted);
        }
        assert_eq!(offer(Severity::Trace), Admission::Dropped(LossReason::Shed));
        assert_eq!(offer(Severity::Debug), Admission::Dropped(LossReason::Shed));
        // What says nothing of its severity may be anything.
        assert_eq!(offer(Severity::None), Admission::Accepted);
        assert_eq!(offer(Severity::Info), Admission::Accepted);
        assert_eq!(offer(Severity::Fatal), DROPPED);
    }

    #[test]
    fn the_worker_is_woken_when_half_is_taken_and_there_is_a_spool() {
        let limits = Limits { events: 8, wake_at: 100, ..intake(OverflowPolicy::Spill).limits };
        let mut intake = Intake::new(limits);
        let wakes = |intake: &mut Intake| (0..8).map(|_| offer(intake, "a", 1).1).collect::<Vec<_>>();
        assert!(taken(&mut intake, 9, crate::clock::now()).is_empty());
        offer(&mut intake, "first", 1);
        assert!(taken(&mut intake, 9, crate::clock::now()).is_empty());
        assert_eq!(wakes(&mut intake), [false, false, true, false, false, false, false, true]);
        assert!(intake.wants_relief());
        for Queued { mark, .. } in intake.take_some(5) {
            intake.ledger.end(mark, End::Delivered);
        }
        assert!(!intake.wants_relief());
        assert_eq!(offer(&mut intake, "a", 1), (Admission::Accepted, true));
    }
}
