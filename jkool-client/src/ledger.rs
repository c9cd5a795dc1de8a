//! The accounts: every event is delivered, in memory, in the spool, or dropped for a reason. Pure; one lock guards it with
//! the queue, so that the sum holds at every instant.

use crate::completion::Completion;
use crate::spool::Slot;
use crate::{LossReason, Report, Stats};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// How an event ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Delivered,
    Dropped(LossReason),
}

/// What an event in memory is known by: its place among the flushes, about how many bytes it takes, and its place in the
/// spool, if it is there too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) generation: u64,
    pub(crate) weight: usize,
    pub(crate) slot: Option<Slot>,
}

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    stats: Stats,
    /// How many events of each generation are in memory or in the spool, oldest first; the last is the current one.
    outstanding: VecDeque<u64>,
    /// The generation of `outstanding`'s first, which holds those before it too.
    oldest: u64,
    waiters: Vec<Waiter>,
    /// All has ended; what still comes back from the worker was counted then.
    over: bool,
}

/// Someone who waits until the generations up to `through` have ended, or are `durable` at least.
#[derive(Debug)]
struct Waiter {
    through: u64,
    durable: bool,
    deadline: Instant,
    report: Report,
    completion: Arc<Completion>,
}

impl Waiter {
    fn waits(&self) -> bool {
        self.report.pending > 0 || (self.report.spooled > 0 && !self.durable)
    }
}

impl Ledger {
    pub(crate) fn stats(&self) -> Stats {
        self.stats
    }

    /// An event comes in and stays in memory until [`end`](Self::end).
    pub(crate) fn accept(&mut self, weight: usize) -> Mark {
        self.stats.accepted += 1;
        self.stats.in_memory += 1;
        self.stats.bytes_in_memory += weight;
        Mark { generation: self.enter(1), weight, slot: None }
    }

    /// Events of earlier processes are found in the spool; their generation.
    pub(crate) fn recover(&mut self, events: u64) -> u64 {
        self.stats.recovered += events;
        self.stats.spooled += events;
        self.enter(events)
    }

    fn enter(&mut self, events: u64) -> u64 {
        if self.outstanding.is_empty() {
            self.outstanding.push_back(0);
        }
        if let Some(current) = self.outstanding.back_mut() {
            *current += events;
        }
        self.oldest + self.outstanding.len() as u64 - 1
    }

    /// An event that was in memory only is durable now.
    pub(crate) fn spool(&mut self, mark: &mut Mark, slot: Slot) {
        if self.over {
            return;
        }
        mark.slot = Some(slot);
        self.stats.in_memory -= 1;
        self.stats.spooled += 1;
        for waiter in self.waiters.iter_mut().filter(|waiter| mark.generation <= waiter.through) {
            waiter.report.pending -= 1;
            waiter.report.spooled += 1;
        }
        self.answer();
    }

    /// A durable event leaves memory.
    pub(crate) fn unload(&mut self, mark: &Mark) {
        if !self.over {
            self.stats.bytes_in_memory -= mark.weight;
        }
    }

    /// A durable event comes back into memory.
    pub(crate) fn load(&mut self, mark: &Mark) {
        if !self.over {
            self.stats.bytes_in_memory += mark.weight;
        }
    }

    /// An event comes in and is dropped at once.
    pub(crate) fn refuse(&mut self, reason: LossReason) {
        self.stats.accepted += 1;
        self.stats.dropped[reason as usize] += 1;
    }

    /// An event ends.
    pub(crate) fn end(&mut self, mark: Mark, end: End) {
        if self.over {
            return;
        }
        self.stats.bytes_in_memory -= mark.weight;
        let left = |memory: &mut u64, spool: &mut u64| *if mark.slot.is_some() { spool } else { memory } -= 1;
        left(&mut self.stats.in_memory, &mut self.stats.spooled);
        match end {
            End::Delivered => self.stats.delivered += 1,
            End::Dropped(reason) => self.stats.dropped[reason as usize] += 1,
        }
        for Waiter { report, .. } in self.waiters.iter_mut().filter(|waiter| mark.generation <= waiter.through) {
            left(&mut report.pending, &mut report.spooled);
            match end {
                End::Delivered => report.delivered += 1,
                End::Dropped(_) => report.dropped += 1,
            }
        }
        self.outstanding[mark.generation.saturating_sub(self.oldest) as usize] -= 1;
        while self.outstanding.len() > 1 && self.outstanding.front() == Some(&0) {
            self.outstanding.pop_front();
            self.oldest += 1;
        }
        self.answer();
    }

    /// Answers those who need not wait any longer.
    fn answer(&mut self) {
        self.waiters.retain(|waiter| {
            if !waiter.waits() {
                waiter.completion.fill(waiter.report);
            }
            waiter.waits()
        });
    }

    /// Whatever is still in memory alone ends, and nothing comes after. What is in the spool stays there.
    pub(crate) fn end_all(&mut self, reason: LossReason) {
        self.over = true;
        self.stats.dropped[reason as usize] += std::mem::take(&mut self.stats.in_memory);
        self.stats.bytes_in_memory = 0;
        self.outstanding.clear();
        for Waiter { mut report, completion, .. } in self.waiters.drain(..) {
            report.dropped += std::mem::take(&mut report.pending);
            completion.fill(report);
        }
    }

    /// An event turns out to take more or less memory than was thought.
    pub(crate) fn reweigh(&mut self, mark: &mut Mark, weight: usize) {
        if self.over {
            return;
        }
        self.stats.bytes_in_memory = self.stats.bytes_in_memory - mark.weight + weight;
        mark.weight = weight;
    }

    /// A payload is sent again although it may have arrived.
    pub(crate) fn maybe_duplicated(&mut self, payloads: u64) {
        self.stats.maybe_duplicated += payloads;
    }

    /// Fills `completion` when all that is here now has ended, or is at least `durable`; or with what is true when
    /// `deadline` passes.
    pub(crate) fn wait(&mut self, deadline: Instant, durable: bool, completion: &Arc<Completion>) {
        let Stats { in_memory: pending, spooled, .. } = self.stats;
        let mut waiter = Waiter {
            through: 0,
            durable,
            deadline,
            report: Report { pending, spooled, ..Report::default() },
            completion: Arc::clone(completion),
        };
        // After the end nothing happens any more to what is in the spool.
        if self.over || !waiter.waits() {
            completion.fill(waiter.report);
            return;
        }
        if self.waiters.is_empty() {
            // Nobody asks for older generations any more: they become one.
            self.oldest += self.outstanding.len() as u64 - 1;
            self.outstanding = VecDeque::from([pending + spooled]);
        }
        if self.outstanding.back() != Some(&0) {
            self.outstanding.push_back(0);
        }
        // All but the current generation, which is empty.
        waiter.through = self.oldest + self.outstanding.len() as u64 - 2;
        self.waiters.push(waiter);
    }

    /// Answers those whose deadline has passed, and says when the next one does.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<Instant> {
        self.waiters.retain(|waiter| {
            let waits = waiter.deadline > now;
            if !waits {
                waiter.completion.fill(waiter.report);
            }
            waits
        });
        self.waiters.iter().map(|waiter| waiter.deadline).min()
    }

    /// Whether somebody waits for what is here to end.
    pub(crate) fn is_awaited(&self) -> bool {
        !self.waiters.is_empty()
    }

    /// Whether somebody waits for what is in memory alone to become durable.
    pub(crate) fn is_durability_awaited(&self) -> bool {
        self.waiters.iter().any(|waiter| waiter.durable && waiter.report.pending > 0)
    }

    /// Everything was given up.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// What the spool takes on disk.
    pub(crate) fn set_spool_bytes(&mut self, bytes: u64) {
        self.stats.bytes_spooled = bytes;
    }

    /// Parts of the spool's files could not be read.
    pub(crate) fn damaged(&mut self, bytes: u64) {
        self.stats.damaged_bytes += bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::{End, Ledger, Mark};
    use crate::LossReason;
    use crate::completion::Completion;
    use crate::spool::{SegmentId, Slot};
    use proptest::prelude::{any, prop, proptest};
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    fn far() -> Instant {
        crate::clock::now() + Duration::from_secs(3600)
    }

    #[test]
    fn a_flush_waits_for_what_came_before_it_and_not_for_what_came_after() {
        let mut ledger = Ledger::default();
        let before = [ledger.accept(10), ledger.accept(10)];
        let completion = Arc::new(Completion::default());
        ledger.wait(far(), false, &completion);
        let after = ledger.accept(10);
        ledger.end(before[1], End::Delivered);
        assert_eq!(completion.wait_until(crate::clock::now()), None);
        ledger.end(before[0], End::Dropped(LossReason::Rejected));
        let report = completion.wait_until(crate::clock::now()).unwrap();
        assert_eq!((report.delivered(), report.dropped(), report.pending()), (1, 1, 0));
        ledger.end(after, End::Delivered);
        assert_eq!(ledger.stats().bytes_in_memory(), 0);
    }

    #[test]
    fn a_deadline_tells_what_is_true_then() {
        let mut ledger = Ledger::default();
        let marks = [ledger.accept(1), ledger.accept(1)];
        let completion = Arc::new(Completion::default());
        let deadline = far();
        ledger.wait(deadline, false, &completion);
        ledger.end(marks[0], End::Delivered);
        assert_eq!(ledger.expire(deadline - Duration::from_secs(1)), Some(deadline));
        assert_eq!(ledger.expire(deadline), None);
        let report = completion.wait_until(crate::clock::now()).unwrap();
        assert_eq!((report.delivered(), report.pending()), (1, 1));
        ledger.end(marks[1], End::Delivered);
    }

    #[test]
    fn an_empty_ledger_answers_at_once() {
        let completion = Arc::new(Completion::default());
        Ledger::default().wait(far(), false, &completion);
        assert!(completion.wait_until(crate::clock::now()).unwrap().is_delivered());
    }

    #[test]
    fn flushes_of_a_long_outage_take_no_room() {
        let mut ledger = Ledger::default();
        let mut marks = Vec::new();
        let now = crate::clock::now();
        for _ in 0..1_000 {
            marks.push(ledger.accept(1));
            let completion = Arc::new(Completion::default());
            ledger.wait(now, false, &completion);
            ledger.expire(now);
            assert_eq!(completion.wait_until(now).unwrap().pending(), marks.len() as u64);
            assert!(ledger.outstanding.len() <= 3);
        }
        for mark in marks {
            ledger.end(mark, End::Delivered);
        }
        assert_eq!(ledger.stats().in_memory(), 0);
    }

    #[test]
    fn the_end_leaves_nothing_pending() {
        let mut ledger = Ledger::default();
        let delivered = ledger.accept(10);
        let late = ledger.accept(10);
        let completion = Arc::new(Completion::default());
        ledger.wait(far(), false, &completion);
        ledger.end(delivered, End::Delivered);
        ledger.end_all(LossReason::Shutdown);
        ledger.end(late, End::Delivered);
        let report = completion.wait_until(crate::clock::now()).unwrap();
        assert_eq!((report.delivered(), report.dropped(), report.pending()), (1, 1, 0));
        assert_eq!((ledger.stats().in_memory(), ledger.stats().bytes_in_memory()), (0, 0));
    }

    fn slot(index: u32) -> Slot {
        Slot { segment: SegmentId(1), index }
    }

    #[test]
    fn a_flush_for_durability_is_content_with_the_spool_and_another_is_not() {
        let mut ledger = Ledger::default();
        let mut marks = [ledger.accept(10), ledger.accept(10)];
        let [durable, delivered] = [Arc::new(Completion::default()), Arc::new(Completion::default())];
        ledger.wait(far(), true, &durable);
        ledger.wait(far(), false, &delivered);
        assert!(ledger.is_durability_awaited());
        for (index, mark) in (0..).zip(&mut marks) {
            assert_eq!(durable.wait_until(crate::clock::now()), None);
            ledger.spool(mark, slot(index));
        }
        assert!(!ledger.is_durability_awaited());
        let report = durable.wait_until(crate::clock::now()).unwrap();
        assert_eq!((report.spooled(), report.pending()), (2, 0));
        assert!(report.is_durable() && !report.is_delivered());
        ledger.end(marks[0], End::Delivered);
        assert_eq!(delivered.wait_until(crate::clock::now()), None);
        ledger.end(marks[1], End::Delivered);
        assert!(delivered.wait_until(crate::clock::now()).unwrap().is_delivered());
        assert_eq!((ledger.stats().spooled(), ledger.stats().in_memory()), (0, 0));
    }

    #[test]
    fn the_end_takes_nothing_from_the_spool() {
        let mut ledger = Ledger::default();
        let (mut kept, _lost) = (ledger.accept(10), ledger.accept(10));
        ledger.recover(3);
        ledger.spool(&mut kept, slot(0));
        let completion = Arc::new(Completion::default());
        ledger.wait(far(), false, &completion);
        ledger.end_all(LossReason::Shutdown);
        let report = completion.wait_until(crate::clock::now()).unwrap();
        assert_eq!((report.spooled(), report.dropped(), report.pending()), (4, 1, 0));
        assert_eq!((ledger.stats().spooled(), ledger.stats().recovered()), (4, 3));
    }

    #[test]
    fn what_is_recovered_during_a_flush_is_not_waited_for() {
        let mut ledger = Ledger::default();
        let mark = ledger.accept(10);
        let completion = Arc::new(Completion::default());
        ledger.wait(far(), false, &completion);
        ledger.recover(5);
        ledger.end(mark, End::Delivered);
        assert_eq!(completion.wait_until(crate::clock::now()).unwrap().delivered(), 1);
    }

    proptest! {
        /// Whatever order events come, are spooled, end and are waited for in: the sum holds, and every report adds up.
        #[test]
        fn the_accounts_always_balance(steps in prop::collection::vec((0..8_u8, any::<prop::sample::Index>()), 0..200)) {
            let mut ledger = Ledger::default();
            let mut open = Vec::new();
            let mut waits = Vec::new();
            for (step, pick) in steps {
                match step {
                    0 | 1 => open.push(ledger.accept(pick.index(100))),
                    2 => ledger.refuse(LossReason::Overflow),
                    3 if !open.is_empty() => {
                        let mark = open.swap_remove(pick.index(open.len()));
                        let end = if pick.index(2) == 0 { End::Delivered } else { End::Dropped(LossReason::Rejected) };
                        ledger.end(mark, end);
                    }
                    4 => {
                        let events = pick.index(4) as u64;
                        let generation = ledger.recover(events);
                        open.extend((0..events).map(|_| Mark { generation, weight: 0, slot: Some(slot(0)) }));
                    }
                    5 if !open.is_empty() => {
                        let place = pick.index(open.len());
                        match &mut open[place] {
                            mark if mark.slot.is_none() => ledger.spool(mark, slot(0)),
                            mark if mark.weight == 0 => {
                                mark.weight = pick.index(100);
                                ledger.load(mark);
                            }
                            mark => {
                                ledger.unload(mark);
                                mark.weight = 0;
                            }
                        }
                    }
                    _ => {
                        let completion = Arc::new(Completion::default());
                        ledger.wait(far(), step == 6, &completion);
                        waits.push((open.len() as u64, completion));
                    }
                }
                let stats = ledger.stats();
                let known = stats.accepted() + stats.recovered();
                assert_eq!(known, stats.delivered() + stats.spooled() + stats.in_memory() + stats.dropped_total());
                assert_eq!(stats.in_memory() + stats.spooled(), open.len() as u64);
                assert_eq!(stats.in_memory(), open.iter().filter(|mark| mark.slot.is_none()).count() as u64);
                assert_eq!(stats.bytes_in_memory(), open.iter().map(|mark| mark.weight).sum::<usize>());
            }
            for mark in open {
                ledger.end(mark, End::Delivered);
            }
            assert!(!ledger.is_awaited());
            for (events, completion) in waits {
                let report = completion.wait_until(crate::clock::now()).unwrap();
                assert_eq!(report.delivered() + report.dropped() + report.spooled(), events);
                assert_eq!(report.pending(), 0);
            }
        }
    }
}
