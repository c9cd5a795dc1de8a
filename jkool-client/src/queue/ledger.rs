//! The accounts: every event is delivered, in memory, in the spool, or dropped for a reason. Pure.
//!
//! The shards count what comes in, this counts what leaves. What is in memory is what came in and has not left, so the sum
//! holds whenever all of them are looked at together.

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
    /// Of what came into memory, the events that are not in memory alone any more, and the bytes that are not in memory.
    left: Amount,
    /// What comes in now is of this one; each flush begins another.
    generation: u64,
    waiters: Vec<Waiter>,
    pub(crate) receipts: Receipts,
    /// Nobody is answered before something else is done.
    holding: bool,
    /// All has ended, and what was left was lost for that; what still comes back from the worker was counted then.
    over: Option<LossReason>,
}

/// Someone who waits until the generations up to `through` have ended, or are `durable` at least.
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
    /// What is true with what the shards have counted.
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

    /// What has left memory so far.
    pub(crate) fn left(&self) -> Amount {
        self.left
    }

    /// Events of earlier processes are found in the spool; their generation.
    pub(crate) fn recover(&mut self, events: u64) -> u64 {
        self.recovered += events;
        self.spooled += events;
        self.generation
    }

    /// An event that was in memory only is durable now.
    pub(crate) fn spool(&mut self, mark: &mut Mark, slot: Slot) {
        mark.slot = Some(slot);
        if let Some(reason) = self.over {
            // It was given up while it was being written. The next process will find it.
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

    /// A durable event comes back into memory.
    pub(crate) fn load(&mut self, mark: &Mark) {
        if !self.is_over() {
            self.left.bytes -= weight(mark);
        }
    }

    /// An event ends.
    pub(crate) fn end(&mut self, mark: &Mark, end: End) {
        self.end_all(std::slice::from_ref(mark), end);
    }

    /// Events end in the same way.
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

    /// An event of that generation has made room for others, and its shard has counted it. Who waits for it is told, but not
    /// who began to do so `before` that shard's generation: they did not find it there.
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

    /// Counts, and answers nobody before [`release`](Self::release): what ends is still to leave the disk. Who does not wait
    /// any longer, and who gives up, learns what is counted.
    pub(crate) fn hold(&mut self) {
        self.holding = true;
    }

    pub(crate) fn release(&mut self) {
        self.holding = false;
        self.answer();
    }

    /// Answers those who need not wait any longer.
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

    /// Whatever is still in memory alone ends, of all that `came`, and nothing comes after. What is in the spool stays there.
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

    /// Events turn out to take more or less memory than was thought; their marks say so already.
    pub(crate) fn reweigh(&mut self, thought: usize, weight: usize) {
        if !self.is_over() {
            self.left.bytes += thought as i64 - weight as i64;
        }
    }

    /// A payload is sent again although it may have arrived.
    pub(crate) fn maybe_duplicated(&mut self, payloads: u64) {
        self.maybe_duplicated += payloads;
    }

    /// Fills `completion` when all of what `came` so far has ended, or is at least `durable`; or with what is true when
    /// `deadline` passes. The generation of what comes after that.
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
        // After the end nothing happens any more to what is in the spool.
        if self.is_over() || (!waiter.waits() && !self.holding) {
            completion.fill(waiter.report);
        } else {
            self.waiters.push(waiter);
        }
        self.generation += 1;
        self.generation
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
        self.deadline()
    }

    /// Nobody waits for that any more.
    pub(crate) fn forget(&mut self, completion: &Arc<Completion<Report>>) {
        self.waiters.retain(|waiter| !Arc::ptr_eq(&waiter.completion, completion));
    }

    /// When the first of those who wait stops to.
    pub(crate) fn deadline(&self) -> Option<Instant> {
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

    /// How many events the server refused.
    pub(crate) fn refused(&self) -> u64 {
        self.dropped[LossReason::Rejected as usize] + self.dropped[LossReason::TooLarge as usize]
    }

    /// How many events were dropped here, but for those that a hook has dropped: that is no loss.
    pub(crate) fn losses(&self) -> u64 {
        self.dropped.iter().sum::<u64>() - self.dropped[LossReason::BeforeSend as usize]
    }
}

fn weight(mark: &Mark) -> i64 {
    mark.weight as i64
}

#[cfg(test)]
mod tests;
