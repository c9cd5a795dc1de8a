//! Encoded events that travel together.

use crate::queue::lane::Lane;
use crate::queue::mark::{Mark, Since};
use jkool_transport::Payload;

/// Payloads that are sent together, and what each is known by.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) payloads: Vec<Payload>,
    pub(crate) marks: Vec<Mark>,
    pub(crate) suspicion: Suspicion,
}

impl Batch {
    pub(crate) fn with_capacity(events: usize) -> Self {
        Self { payloads: Vec::with_capacity(events), marks: Vec::with_capacity(events), ..Self::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.payloads.len()
    }

    /// From here on the payloads go separate ways: none of them is to keep the bytes of all.
    pub(crate) fn detach(&mut self) {
        self.payloads.iter_mut().for_each(Payload::detach);
    }

    pub(crate) fn push(&mut self, payload: Payload, mark: Mark) {
        self.payloads.push(payload);
        self.marks.push(mark);
    }

    /// The lane of its events.
    pub(crate) fn lane(&self) -> Lane {
        self.marks.first().map_or_else(Lane::default, |mark| mark.lane)
    }

    /// When the first of them came, or a little before.
    pub(crate) fn since(&self) -> Option<Since> {
        Some(self.marks.first()?.since)
    }

    /// About how many bytes it takes in memory.
    pub(crate) fn weight(&self) -> usize {
        self.marks.iter().map(|mark| mark.weight).sum()
    }

    /// Everything in it is in the spool too.
    pub(crate) fn is_durable(&self) -> bool {
        self.marks.iter().all(|mark| mark.slot.is_some())
    }

    pub(crate) fn split_off(&mut self, at: usize) -> Self {
        let suspicion = self.suspicion;
        self.detach();
        Self { payloads: self.payloads.split_off(at), marks: self.marks.split_off(at), suspicion }
    }

    /// The first event of several; the others stay here.
    pub(crate) fn split_first(&mut self) -> Self {
        let rest = self.split_off(1);
        std::mem::replace(self, rest)
    }
}

/// What is known against a batch: it failed, and it may have failed for what it holds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Suspicion {
    /// How many sends there had been when it failed last. `None` for what is not suspected.
    pub(crate) failed_at: Option<u64>,
    /// It failed alone.
    pub(crate) alone: bool,
    /// How often it did so although something that was sent after its failure before had got through.
    pub(crate) trials: u32,
}

impl Suspicion {
    pub(crate) fn is_suspect(self) -> bool {
        self.failed_at.is_some()
    }

    /// The same after a failure when there had been so many sends.
    pub(crate) fn failed(self, sends: u64) -> Self {
        Self { failed_at: Some(sends), ..self }
    }
}
