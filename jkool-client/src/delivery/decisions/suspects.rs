//! Events that were set aside. Pure.

use super::outcome::Charge;
use crate::queue::batch::{Batch, Suspicion};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Events that failed alone, perhaps because of their content. Others are sent before them, and they are tried again when
/// something got through that was sent after they had failed.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    /// By the time at which each is due, and then by order of arrival.
    waiting: BTreeMap<(Instant, u64), Suspect>,
    came: u64,
    /// A second trial must start before this time unless something else gets through: each trial delays others.
    until: Option<Instant>,
    tried: bool,
    /// The ratio of failed sends among all others: over the last few, and over more.
    failing: [f64; 2],
}

#[derive(Debug)]
struct Suspect {
    batch: Batch,
    /// Why it failed last, if the server said that the event is the cause.
    charge: Option<Charge>,
    /// Whether it is tried only when it is due, whatever gets through.
    held: bool,
}

/// The number of failed trials after which an event is believed to be the cause; before each, something got through since it
/// had failed.
const TRIALS: u32 = 3;

/// This applies while the failure ratio of other sends is below this.
const OFTEN: f64 = 0.03;

/// The maximum failure ratio, because sends that always fail may do so by chance.
const ALWAYS: f64 = 0.99;

/// If others fail more often, the number of trials is chosen so that the probability that all of them fail at random is one in
/// a billion.
const ONE_IN_A_BILLION: f64 = 1e-9;

/// The maximum time that others wait for trials, plus the time of the trial in flight then.
const FOR_TRIALS: Duration = Duration::from_secs(10);

/// The number of sends over which the ratios are measured: few show quickly that a server has started to fail, more show one
/// that fails from time to time.
const SENDS: [f64; 2] = [8.0, 32.0];

impl Suspects {
    pub(super) fn add(&mut self, mut batch: Batch, suspicion: Suspicion, charge: Option<Charge>, due: Instant) {
        batch.suspicion = suspicion;
        self.came += 1;
        let held = self.trials_beyond_verdict(suspicion.trials).is_some();
        let charge = charge.filter(|charge| charge.said);
        self.waiting.insert((due, self.came), Suspect { batch, charge, held });
    }

    /// Returns one whose next failure counts, because the send with this number got through.
    pub(super) fn trial(&mut self, through: u64, now: Instant) -> Option<Batch> {
        if self.tried && self.until.is_none_or(|until| until < now) {
            return None;
        }
        let is_proven = |suspect: &Suspect| suspect.batch.suspicion.failed_at < Some(through);
        let ready =
            |((due, _), suspect): &(&(Instant, u64), &Suspect)| is_proven(suspect) && (*due <= now || !suspect.held);
        let place = self.waiting.iter().find(ready).map(|(place, _)| *place)?;
        self.tried = true;
        self.waiting.remove(&place).map(|suspect| suspect.batch)
    }

    /// Returns the first one, if it is due.
    pub(super) fn first(&mut self, now: Instant) -> Option<Batch> {
        let first = self.waiting.first_entry()?;
        if first.key().0 <= now { Some(first.remove().batch) } else { None }
    }

    /// When the next one is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|((due, _), _)| *due)
    }

    /// Whether something got through since the first one failed.
    pub(super) fn is_proven(&self, through: u64) -> bool {
        self.waiting.first_key_value().is_some_and(|(_, first)| first.batch.suspicion.failed_at < Some(through))
    }

    /// Makes all of them due.
    pub(super) fn try_now(&mut self, now: Instant) {
        for ((due, came), suspect) in std::mem::take(&mut self.waiting) {
            self.waiting.insert((due.min(now), came), suspect);
        }
    }

    /// Records that a send failed, perhaps because of its content, or got through. It counts only if it contained no suspect.
    pub(super) fn saw(&mut self, suspicion: Suspicion, failed: bool, now: Instant) {
        if !failed && !suspicion.alone {
            (self.until, self.tried) = (Some(now + FOR_TRIALS), false);
        }
        if suspicion.is_suspect() {
            return;
        }
        for (part, sends) in self.failing.iter_mut().zip(SENDS) {
            *part += (f64::from(u8::from(failed)) - *part) / sends;
        }
    }

    /// The number of trials beyond those needed for a verdict, if there are enough.
    pub(super) fn trials_beyond_verdict(&self, trials: u32) -> Option<u32> {
        let failing = self.failing[0].max(self.failing[1]).min(ALWAYS);
        trials.checked_sub(if failing < OFTEN { TRIALS } else { (ONE_IN_A_BILLION.ln() / failing.ln()).ceil() as u32 })
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Batch> {
        self.waiting.values_mut().map(|suspect| &mut suspect.batch)
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Returns all of them, if each was rejected, is in memory only, and failed after this number of sends.
    pub(super) fn take_refused(&mut self, sends: u64) -> Vec<(Batch, Charge)> {
        let refused = |Suspect { batch, charge, .. }: &Suspect| {
            charge.is_some() && !batch.is_durable() && batch.suspicion.failed_at > Some(sends)
        };
        if !self.waiting.values().all(refused) {
            return Vec::new();
        }
        let all = std::mem::take(&mut self.waiting).into_values();
        all.filter_map(|suspect| Some((suspect.batch, suspect.charge?))).collect()
    }
}
