//! Finds the event that the server rejects or fails over; see ADR 9. Pure.
//!
//! After three failures in a row that the content may have caused, events are tried one by one, and one that fails is set
//! aside. When something gets through, the others continue, and the event that was set aside has its trial. A batch that failed
//! is halved each time it fails again, until a bad event is alone; one that is rejected explicitly is halved at once.
//!
//! An outage in which the server responds to everything like this proves nothing, and loses nothing. It leaves one event set
//! aside for each try, which are few, because the waits between tries grow as in any outage.

use super::outcome::{BatchOutcome, Charge};
use super::{Delivery, ENOUGH, OTHERS, QUIET, STRAY, Settled};
use crate::delivery::truncate::truncate;
use crate::queue::batch::{Batch, Suspicion};
use crate::queue::lane::Lane;
use crate::queue::ledger::End;
use crate::queue::mark::Since;
use crate::report::loss::{DeadLetter, LossReason};
use std::time::{Duration, Instant};

/// Which events are tried next.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pick {
    /// The first ones to be sent again.
    First,
    /// The last ones to be sent again.
    Last,
    /// Events that were not sent yet.
    Fresh,
}

impl Delivery {
    /// All batches that wait here, in the order in which they would be sent.
    pub(crate) fn kept(&mut self) -> impl Iterator<Item = &mut Batch> {
        let proven = self.suspects.is_proven(self.through);
        let (suspects, resend) = (self.suspects.iter_mut(), self.resend.iter_mut());
        let (first, second) = if proven { (Some(suspects), None) } else { (None, Some(suspects)) };
        first.into_iter().flatten().chain(resend).chain(second.into_iter().flatten())
    }

    /// Returns the batches to remove from memory during an outage: those to be sent again, from the first durable one on, in
    /// order, but not the next batch. Suspects stay.
    pub(crate) fn let_go(&mut self) -> impl DoubleEndedIterator<Item = Batch> {
        let waiting = self.resend.iter().skip(1).position(Batch::is_durable);
        if let Some(next) = self.resend.front_mut() {
            // It may share its buffer with the batches that are removed.
            next.detach();
        }
        self.resend.drain(waiting.map_or(self.resend.len(), |place| place + 1)..)
    }

    /// Of the batches to be sent again, returns those that are also in the spool and came before `oldest`, and the time of the
    /// first of the others.
    pub(crate) fn take_expired(&mut self, oldest: Since) -> (Vec<Batch>, Since) {
        let is_old = |batch: &Batch| batch.is_durable() && batch.marks.iter().all(|mark| mark.since < oldest);
        let (expired, rest): (Vec<_>, _) = std::mem::take(&mut self.resend).into_iter().partition(is_old);
        self.resend = rest.into();
        let next = self.resend.iter().filter_map(Batch::since).min();
        (expired, next.unwrap_or(Since::MAX))
    }

    /// Whether the last known result of the connection is a success.
    pub(super) fn works(&self) -> bool {
        self.through > 0
    }

    /// Whether events are tried one by one, to find one that gets through.
    pub(super) fn sends_one_by_one(&self) -> bool {
        self.doubtful >= ENOUGH || self.refused >= STRAY
    }

    /// Chooses where to look for an event that gets through. Neighbours are often alike, so several places are tried.
    pub(super) fn pick(&self) -> Pick {
        match self.set_aside % 4 {
            2 if self.sends_one_by_one() => Pick::Last,
            3 if self.sends_one_by_one() => Pick::Fresh,
            _ => Pick::First,
        }
    }

    /// Whether enough events were tried to conclude that no single event is the cause.
    pub(super) fn looked_around(&self) -> bool {
        self.set_aside >= OTHERS && self.tried_fresh
    }

    /// The oldest batch to be sent again, of the first lane that has one.
    pub(super) fn again(&mut self) -> Option<Batch> {
        let one_by_one = self.sends_one_by_one();
        let first = self.resend.iter().position(|batch| batch.lane() == Lane::Priority).unwrap_or(0);
        let batch = self.resend.get_mut(first)?;
        if one_by_one && batch.len() > 1 { Some(batch.split_first()) } else { self.resend.remove(first) }
    }

    /// The last event of the batches to be sent again.
    pub(super) fn last_again(&mut self) -> Option<Batch> {
        let back = self.resend.back_mut()?;
        if back.len() > 1 { Some(back.split_off(back.len() - 1)) } else { self.resend.pop_back() }
    }

    /// Ends rejected events at shutdown. If all events in memory were rejected, and once more since the shutdown began, no
    /// further success can give the proof, and nothing will keep them. They end as rejected.
    pub(crate) fn conclude(&mut self, in_memory: u64) -> Option<Settled> {
        let sends = *self.ends_at.get_or_insert(self.sends);
        if self.suspects.len() as u64 != in_memory {
            return None;
        }
        let mut settled = Settled::default();
        for (batch, charge) in self.suspects.take_refused(sends) {
            reject(batch, &charge, &mut settled);
        }
        Some(settled).filter(|settled| !settled.ended.is_empty())
    }

    /// From now on, only sends that start later say something about the server.
    pub(super) fn forget_proof(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
        self.through = 0;
    }

    /// Keeps the payloads that were not delivered, or ends them. Batches that are put back later are sent first.
    pub(super) fn sort(&mut self, mut outcome: BatchOutcome, now: Instant, settled: &mut Settled) {
        let resend = std::mem::take(&mut outcome.resend);
        if outcome.suspicion.alone && resend.len() == 1 {
            self.suspects.add(resend, outcome.suspicion, None, now);
        } else if outcome.late && resend.len() > 1 {
            // It may be too large for the connection.
            self.halve(resend, outcome.suspicion);
        } else {
            self.send_again(resend, outcome.suspicion);
        }
        self.sort_doubtful(&mut outcome, now, settled);
        for refused in [&mut outcome.rejected, &mut outcome.too_large].map(std::mem::take) {
            if let (batch, Some(charge)) = (refused.batch, refused.charge) {
                self.sort_refused(batch, charge, &outcome, now, settled);
            }
        }
    }

    /// Handles payloads that failed, perhaps because of their content.
    fn sort_doubtful(&mut self, outcome: &mut BatchOutcome, now: Instant, settled: &mut Settled) {
        let doubtful = std::mem::take(&mut outcome.doubtful);
        let (suspicion, one_by_one) = (outcome.suspicion, self.sends_one_by_one());
        match doubtful.len() {
            1 if outcome.whole == 1 && (suspicion.is_suspect() || one_by_one) => {
                self.sort_alone(doubtful, outcome.charge(), outcome, now, settled);
            }
            2.. if suspicion.is_suspect() || outcome.late => self.halve(doubtful, suspicion.failed(self.sends)),
            _ if one_by_one => self.send_again(doubtful, suspicion.failed(self.sends)),
            _ => self.send_again(doubtful, suspicion),
        }
    }

    /// Handles payloads that the server rejected for their content.
    fn sort_refused(
        &mut self,
        refused: Batch,
        charge: Charge,
        outcome: &BatchOutcome,
        now: Instant,
        settled: &mut Settled,
    ) {
        let suspicion = outcome.suspicion.failed(self.sends);
        if outcome.whole == 1 {
            self.sort_alone(refused, Some(charge), outcome, now, settled);
        } else if refused.len() < outcome.whole && settled.is_success() {
            // Other payloads of the same batch got through.
            let refused = self.cut(refused, &charge, suspicion);
            reject(refused, &charge, settled);
        } else if refused.len() == 1 {
            self.suspects.add(refused, suspicion, Some(charge), now);
        } else {
            self.halve(refused, suspicion);
        }
    }

    /// Handles an event that failed alone: it is set aside, unless there is a charge against it and enough proof.
    fn sort_alone(
        &mut self,
        mut alone: Batch,
        charge: Option<Charge>,
        outcome: &BatchOutcome,
        now: Instant,
        settled: &mut Settled,
    ) {
        let said = charge.as_ref().is_some_and(|charge| charge.said);
        let counts = outcome.proof.others && (said || outcome.proof.current);
        let mut suspicion = outcome.suspicion.failed(self.sends);
        suspicion.trials = suspicion.trials.saturating_add(u32::from(counts));
        let beyond = self.suspects.trials_beyond_verdict(suspicion.trials);
        if let Some(charge) = &charge {
            let believed = counts && beyond.is_some();
            // One that was truncated on proof, and is still too large, is truncated again.
            if believed || outcome.proof.enough {
                alone = self.cut(alone, charge, suspicion);
            }
            if believed && alone.len() > 0 {
                // It is not sent again.
                settled.maybe_duplicated = 0;
                return reject(alone, charge, settled);
            }
        }
        if alone.len() > 0 {
            self.set_aside += u32::from(!outcome.suspicion.alone);
            suspicion.alone = true;
            let wait = match beyond {
                Some(beyond) => self.policy.probe_delay(beyond + 1, self.random.f64()),
                None if self.works() => QUIET.min(self.policy.longest()),
                None => Duration::ZERO,
            };
            self.suspects.add(alone, suspicion, charge, now + wait);
        }
    }

    /// Truncates payloads that are too large, to send them again. Returns those that cannot be truncated.
    fn cut(&mut self, batch: Batch, charge: &Charge, suspicion: Suspicion) -> Batch {
        let (mut shorter, mut rest) = (Batch::default(), Batch::default());
        for (payload, mark) in batch.payloads.into_iter().zip(batch.marks) {
            match Some(&payload).filter(|_| charge.reason == LossReason::TooLarge).and_then(truncate) {
                Some(payload) => shorter.push(payload, mark),
                None => rest.push(payload, mark),
            }
        }
        self.send_again(shorter, suspicion);
        rest
    }

    fn halve(&mut self, mut batch: Batch, suspicion: Suspicion) {
        let second = batch.split_off(batch.len() / 2);
        self.send_again(second, suspicion);
        self.send_again(batch, suspicion);
    }

    fn send_again(&mut self, mut batch: Batch, suspicion: Suspicion) {
        batch.suspicion = suspicion;
        if batch.len() > 0 {
            self.resend.push_front(batch);
        }
    }
}

fn reject(batch: Batch, charge: &Charge, settled: &mut Settled) {
    for (payload, mark) in batch.payloads.into_iter().zip(batch.marks) {
        settled.ended.push((mark, End::Dropped(charge.reason)));
        settled.dead_letters.push(DeadLetter { payload, reason: charge.reason, error: charge.error.clone() });
    }
}
