//! The accounts: every event is delivered, in memory, in the spool, or dropped for a reason. Pure; one lock guards it with
//! the queue, so that the sum holds at every instant.

use crate::queue::completion::Completion;
use crate::queue::mark::{Mark, Slot};
use crate::report::loss::LossReason;
use crate::report::stats::Report;
use crate::report::stats::Stats;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// How an event ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Delivered,
    Dropped(LossReason),
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

    /// Events turn out to take more or less memory than was thought; their marks say so already.
    pub(crate) fn reweigh(&mut self, thought: usize, weight: usize) {
        if !self.over {
            self.stats.bytes_in_memory = self.stats.bytes_in_memory - thought + weight;
        }
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
mod tests;
