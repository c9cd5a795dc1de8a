//! The accounts: every accepted event is delivered, in memory, or dropped for a reason. Pure; one lock guards it with the
//! queue, so that the sum holds at every instant.

use crate::completion::Completion;
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

/// What an event in memory is known by: its place among the flushes, and about how many bytes it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) generation: u64,
    pub(crate) weight: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    stats: Stats,
    /// How many events of each generation are in memory, oldest first; the last is the current one.
    outstanding: VecDeque<u64>,
    /// The generation of `outstanding`'s first, which holds those before it too.
    oldest: u64,
    waiters: Vec<Waiter>,
    /// All has ended; what still comes back from the worker was counted then.
    over: bool,
}

/// Someone who waits until the generations up to `through` have ended.
#[derive(Debug)]
struct Waiter {
    through: u64,
    deadline: Instant,
    report: Report,
    completion: Arc<Completion>,
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
        if self.outstanding.is_empty() {
            self.outstanding.push_back(0);
        }
        if let Some(current) = self.outstanding.back_mut() {
            *current += 1;
        }
        Mark { generation: self.oldest + self.outstanding.len() as u64 - 1, weight }
    }

    /// An event comes in and is dropped at once.
    pub(crate) fn refuse(&mut self, reason: LossReason) {
        self.stats.accepted += 1;
        self.stats.dropped[reason as usize] += 1;
    }

    /// An event that was in memory ends.
    pub(crate) fn end(&mut self, mark: Mark, end: End) {
        if self.over {
            return;
        }
        self.stats.in_memory -= 1;
        self.stats.bytes_in_memory -= mark.weight;
        match end {
            End::Delivered => self.stats.delivered += 1,
            End::Dropped(reason) => self.stats.dropped[reason as usize] += 1,
        }
        for waiter in self.waiters.iter_mut().filter(|waiter| mark.generation <= waiter.through) {
            waiter.report.pending -= 1;
            match end {
                End::Delivered => waiter.report.delivered += 1,
                End::Dropped(_) => waiter.report.dropped += 1,
            }
        }
        self.outstanding[mark.generation.saturating_sub(self.oldest) as usize] -= 1;
        while self.outstanding.len() > 1 && self.outstanding.front() == Some(&0) {
            self.outstanding.pop_front();
            self.oldest += 1;
        }
        self.waiters.retain(|waiter| {
            let waits = waiter.report.pending > 0;
            if !waits {
                waiter.completion.fill(waiter.report);
            }
            waits
        });
    }

    /// Whatever is still in memory ends, and nothing comes after.
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

    /// Fills `completion` when all that is in memory now has ended, or with what is true when `deadline` passes.
    pub(crate) fn wait(&mut self, deadline: Instant, completion: &Arc<Completion>) {
        let report = Report { pending: self.stats.in_memory, ..Report::default() };
        if report.pending == 0 {
            completion.fill(report);
            return;
        }
        if self.waiters.is_empty() {
            // Nobody asks for older generations any more: they become one.
            self.oldest += self.outstanding.len() as u64 - 1;
            self.outstanding = VecDeque::from([report.pending]);
        }
        if self.outstanding.back() != Some(&0) {
            self.outstanding.push_back(0);
        }
        // All but the current generation, which is empty.
        let through = self.oldest + self.outstanding.len() as u64 - 2;
        self.waiters.push(Waiter { through, deadline, report, completion: Arc::clone(completion) });
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

    /// Whether somebody waits for what is in memory.
    pub(crate) fn is_awaited(&self) -> bool {
        !self.waiters.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{End, Ledger};
    use crate::LossReason;
    use crate::completion::Completion;
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
        ledger.wait(far(), &completion);
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
        ledger.wait(deadline, &completion);
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
        Ledger::default().wait(far(), &completion);
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
            ledger.wait(now, &completion);
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
        ledger.wait(far(), &completion);
        ledger.end(delivered, End::Delivered);
        ledger.end_all(LossReason::Shutdown);
        ledger.end(late, End::Delivered);
        let report = completion.wait_until(crate::clock::now()).unwrap();
        assert_eq!((report.delivered(), report.dropped(), report.pending()), (1, 1, 0));
        assert_eq!((ledger.stats().in_memory(), ledger.stats().bytes_in_memory()), (0, 0));
    }

    proptest! {
        /// Whatever order events come, end and are waited for in: the sum holds, and every report adds up.
        #[test]
        fn the_accounts_always_balance(steps in prop::collection::vec((0..5_u8, any::<prop::sample::Index>()), 0..200)) {
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
                    _ => {
                        let completion = Arc::new(Completion::default());
                        ledger.wait(far(), &completion);
                        waits.push((open.len() as u64, completion));
                    }
                }
                let stats = ledger.stats();
                assert_eq!(stats.accepted(), stats.delivered() + stats.in_memory() + stats.dropped_total());
                assert_eq!(stats.in_memory(), open.len() as u64);
                assert_eq!(stats.bytes_in_memory(), open.iter().map(|mark| mark.weight).sum::<usize>());
            }
            for mark in open {
                ledger.end(mark, End::Delivered);
            }
            assert!(!ledger.is_awaited());
            for (events, completion) in waits {
                let report = completion.wait_until(crate::clock::now()).unwrap();
                assert_eq!(report.delivered() + report.dropped(), events);
                assert_eq!(report.pending(), 0);
            }
        }
    }
}
