//! Events that were set aside. Pure.

use super::outcome::Charge;
use crate::queue::batch::{Batch, Suspicion};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Events that failed alone, perhaps for what they hold. They let others go first, and are tried again when something got
/// through that was sent after they had failed.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    /// By when each is due, and then by when it came.
    waiting: BTreeMap<(Instant, u64), Suspect>,
    came: u64,
    /// No second trial begins later than this before something else gets through: each takes its time from others.
    until: Option<Instant>,
    tried: bool,
    /// The part of all other sends that failed: of the last few, and of more.
    failing: [f64; 2],
}

#[derive(Debug)]
struct Suspect {
    batch: Batch,
    /// Why it failed last, when the server said that it is for the event.
    charge: Option<Charge>,
    /// It is tried when it is due only, whatever gets through.
    held: bool,
}

/// An event that fails alone so often, and each time something got through since it failed before, is believed to be why.
const TRIALS: u32 = 3;

/// As long as others fail less often than this.
const OFTEN: f64 = 0.03;

/// What always fails may do so by chance too.
const ALWAYS: f64 = 0.99;

/// When others fail more often, so many trials are asked for that all of them fail for nothing only by one chance in a billion.
const ONE_IN_A_BILLION: f64 = 1e-9;

/// So long others wait for trials at most, and for the one that is under way then.
const FOR_TRIALS: Duration = Duration::from_secs(10);

/// Over about so many of them that is counted: few show at once that a server has become ill, more show one that is ill now and then.
const SENDS: [f64; 2] = [8.0, 32.0];

impl Suspects {
    pub(super) fn add(&mut self, mut batch: Batch, suspicion: Suspicion, charge: Option<Charge>, due: Instant) {
        batch.suspicion = suspicion;
        self.came += 1;
        let held = self.trials_beyond_verdict(suspicion.trials).is_some();
        let charge = charge.filter(|charge| charge.said);
        self.waiting.insert((due, self.came), Suspect { batch, charge, held });
    }

    /// One whose next failure counts, since the send of this number got through.
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

    /// The one that is due first, if it is.
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

    /// All are due.
    pub(super) fn try_now(&mut self, now: Instant) {
        for ((due, came), suspect) in std::mem::take(&mut self.waiting) {
            self.waiting.insert((due.min(now), came), suspect);
        }
    }

    /// A send failed, perhaps for what it held, or got through. It counts when it was of nothing that is suspected itself.
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

    /// How many trials more than are enough for a verdict, if they are enough.
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

    /// All of them, if each was refused, is in memory alone, and failed when there had been more sends than these.
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
