//! The counters: every event is delivered, in memory, in the spool, or dropped for a reason. Pure.
//!
//! The shards count events that are queued, the ledger counts those that leave. The events in memory are the
//! difference, so the sum is right whenever all of them are locked together.

use crate::queue::amount::Amount;
use crate::queue::completion::Completion;
use crate::queue::mark::{Mark, Slot};
use crate::queue::receipts::Receipts;
use crate::queue::shard::{Counts, Evicted};
use crate::report::loss::LossReason;
use crate::report::stats::{Report, Stats};
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
    recovered: u64,
    delivered: u64,
    spooled: u64,
    bytes_spooled: u64,
    files_spooled: u64,
    damaged_bytes: u64,
    maybe_duplicated: u64,
    dropped: [u64; LossReason::COUNT],
    /// Events that are not in memory only any more, of those queued; and the bytes that left memory.
    left: Amount,
    /// The generation of new events; each flush begins the next one.
    generation: u64,
    waiters: Vec<Waiter>,
    pub(crate) receipts: Receipts,
    /// No waiter is answered before a pending step is done.
    holding: bool,
    /// The client has ended, and the remaining events were lost for this reason; late results of the worker are already
    /// counted.
    over: Option<LossReason>,
}

/// A waiter for the generations up to `through` to be finished, or at least `durable`.
#[derive(Debug)]
struct Waiter {
    through: u64,
    durable: bool,
    deadline: Instant,
    report: Report,
    completion: Arc<Completion<Report>>,
}

impl Waiter {
    fn waits(&self) -> bool {
        self.report.pending > 0 || (self.report.spooled > 0 && !self.durable)
    }
}

impl Ledger {
    /// The statistics, from the counters of the ledger and of the shards.
    pub(crate) fn stats(&self, came: &Counts) -> Stats {
        let in_memory = came.entered - self.left;
        let mut dropped = self.dropped;
        for (all, early) in dropped.iter_mut().zip(&came.dropped) {
            *all += early;
        }
        Stats {
            accepted: came.accepted,
            recovered: self.recovered,
            delivered: self.delivered,
            spooled: self.spooled,
            bytes_spooled: self.bytes_spooled,
            files_spooled: self.files_spooled,
            damaged_bytes: self.damaged_bytes,
            in_memory: in_memory.events as u64,
            bytes_in_memory: in_memory.bytes.max(0) as usize,
            maybe_duplicated: self.maybe_duplicated,
            dropped,
        }
    }

    /// The number of events that have left memory.
    pub(crate) fn left(&self) -> Amount {
        self.left
    }

    /// Events of earlier processes were found in the spool; returns their generation.
    pub(crate) fn recover(&mut self, events: u64) -> u64 {
        self.recovered += events;
        self.spooled += events;
        self.generation
    }

    /// An event that was only in memory is durable now.
    pub(crate) fn spool(&mut self, mark: &mut Mark, slot: Slot) {
        mark.slot = Some(slot);
        if let Some(reason) = self.over {
            // It was given up while it was being written. The next process finds it.
            self.dropped[reason as usize] -= 1;
            self.spooled += 1;
            return;
        }
        self.receipts.spooled(mark, slot);
        self.left.events += 1;
        self.spooled += 1;
        for waiter in self.waiters.iter_mut().filter(|waiter| mark.generation <= waiter.through) {
            waiter.report.pending -= 1;
            waiter.report.spooled += 1;
        }
        self.answer();
    }

    /// A durable event leaves memory.
    pub(crate) fn unload(&mut self, mark: &Mark) {
        if !self.is_over() {
            self.left.bytes += weight(mark);
        }
    }

    /// A durable event is loaded into memory.
    pub(crate) fn load(&mut self, mark: &Mark) {
        if !self.is_over() {
            self.left.bytes -= weight(mark);
        }
    }

    /// An event is finished.
    pub(crate) fn end(&mut self, mark: &Mark, end: End) {
        self.end_all(std::slice::from_ref(mark), end);
    }

    /// Events are finished with the same outcome.
    pub(crate) fn end_all(&mut self, marks: &[Mark], end: End) {
        if self.is_over() {
            return;
        }
        let mut durable = 0;
        for mark in marks {
            self.left.bytes += weight(mark);
            durable += u64::from(mark.slot.is_some());
        }
        let all = marks.len() as u64;
        self.spooled -= durable;
        self.left.events += (all - durable) as i64;
        match end {
            End::Delivered => self.delivered += all,
            End::Dropped(reason) => self.dropped[reason as usize] += all,
        }
        self.receipts.ended(marks, end);
        if !self.waiters.is_empty() {
            marks.iter().for_each(|mark| self.report(mark, end));
            self.answer();
        }
    }

    fn report(&mut self, mark: &Mark, end: End) {
        for Waiter { report, .. } in self.waiters.iter_mut().filter(|waiter| mark.generation <= waiter.through) {
            *if mark.slot.is_some() { &mut report.spooled } else { &mut report.pending } -= 1;
            match end {
                End::Delivered => report.delivered += 1,
                End::Dropped(_) => report.dropped += 1,
            }
        }
    }

    /// An event of this generation was dropped to make room, and counted by its shard. Waiters are notified, except
    /// those that began `before` the generation of that shard: for them the event was already gone.
    pub(crate) fn evicted(&mut self, Evicted { generation, before, receipt }: Evicted) {
        if let Some(receipt) = receipt {
            self.receipts.dropped(receipt, LossReason::Overflow);
        }
        let knew = |waiter: &&mut Waiter| (generation..before).contains(&waiter.through);
        for waiter in self.waiters.iter_mut().filter(knew) {
            waiter.report.pending -= 1;
            waiter.report.dropped += 1;
        }
        self.answer();
    }

    /// Counts outcomes without answering waiters until [`release`](Self::release), because the events are still on
    /// disk. Waiters whose deadline has passed get the current numbers.
    pub(crate) fn hold(&mut self) {
        self.holding = true;
    }

    pub(crate) fn release(&mut self) {
        self.holding = false;
        self.answer();
    }

    /// Answers waiters whose goal is reached.
    fn answer(&mut self) {
        if self.holding {
            return;
        }
        self.waiters.retain(|waiter| {
            if !waiter.waits() {
                waiter.completion.fill(waiter.report);
            }
            waiter.waits()
        });
    }

    /// Finishes all events, of those that `came`, that are only in memory; nothing is queued afterwards. Events in the
    /// spool stay there.
    pub(crate) fn give_up(&mut self, came: &Counts, reason: LossReason) {
        let Amount { events, .. } = came.entered - self.left;
        self.over = Some(reason);
        self.dropped[reason as usize] += events as u64;
        self.left = came.entered;
        self.receipts.give_up(reason);
        for Waiter { mut report, completion, .. } in self.waiters.drain(..) {
            report.dropped += std::mem::take(&mut report.pending);
            completion.fill(report);
        }
    }

    /// The memory of events differs from the estimate; their entries are already updated.
    pub(crate) fn reweigh(&mut self, thought: usize, weight: usize) {
        if !self.is_over() {
            self.left.bytes += thought as i64 - weight as i64;
        }
    }

    /// A payload is sent again although it may have been delivered.
    pub(crate) fn maybe_duplicated(&mut self, payloads: u64) {
        self.maybe_duplicated += payloads;
    }

    /// Completes `completion` when all events that `came` so far are finished, or at least `durable`; or with the
    /// current numbers at `deadline`. Returns the generation of later events.
    pub(crate) fn wait(
        &mut self,
        came: &Counts,
        deadline: Instant,
        durable: bool,
        completion: &Arc<Completion<Report>>,
    ) -> u64 {
        let Stats { in_memory: pending, spooled, .. } = self.stats(came);
        let report = Report { pending, spooled, ..Report::default() };
        let through = self.generation;
        let waiter = Waiter { through, durable, deadline, report, completion: Arc::clone(completion) };
        // After the end, events in the spool do not change any more.
        if self.is_over() || (!waiter.waits() && !self.holding) {
            completion.fill(waiter.report);
        } else {
            self.waiters.push(waiter);
        }
        self.generation += 1;
        self.generation
    }

    /// Answers waiters whose deadline has passed, and returns the next deadline.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<Instant> {
        self.waiters.retain(|waiter| {
            let waits = waiter.deadline > now;
            if !waits {
                waiter.completion.fill(waiter.report);
            }
            waits
        });
        self.deadline()
    }

    /// Removes a waiter.
    pub(crate) fn forget(&mut self, completion: &Arc<Completion<Report>>) {
        self.waiters.retain(|waiter| !Arc::ptr_eq(&waiter.completion, completion));
    }

    /// The earliest deadline of a waiter.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.waiters.iter().map(|waiter| waiter.deadline).min()
    }

    /// Whether there is a waiter for delivery.
    pub(crate) fn is_awaited(&self) -> bool {
        !self.waiters.is_empty()
    }

    /// Whether there is a waiter for durability.
    pub(crate) fn is_durability_awaited(&self) -> bool {
        self.waiters.iter().any(|waiter| waiter.durable && waiter.report.pending > 0)
    }

    /// All events were given up.
    pub(crate) fn is_over(&self) -> bool {
        self.over.is_some()
    }

    /// Disk space used by the spool.
    pub(crate) fn set_spool(&mut self, bytes: u64, files: usize) {
        self.bytes_spooled = bytes;
        self.files_spooled = files as u64;
    }

    /// Parts of the spool's files could not be read.
    pub(crate) fn damaged(&mut self, bytes: u64) {
        self.damaged_bytes += bytes;
    }

    /// The number of events that the server rejected.
    pub(crate) fn refused(&self) -> u64 {
        self.dropped[LossReason::Rejected as usize] + self.dropped[LossReason::TooLarge as usize]
    }

    /// The number of events that were dropped here, without those dropped by a hook, which are not losses.
    pub(crate) fn losses(&self) -> u64 {
        self.dropped.iter().sum::<u64>() - self.dropped[LossReason::BeforeSend as usize]
    }
}

fn weight(mark: &Mark) -> i64 {
    mark.weight as i64
}

#[cfg(test)]
mod tests;
