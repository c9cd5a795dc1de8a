//! Batches of encoded events.

use crate::queue::lane::Lane;
use crate::queue::mark::{Mark, Since};
use jkool_transport::Payload;

/// Payloads that are sent together, with the entry of each.
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

    /// Copies payloads that will be handled separately, so that none keeps the buffer of all.
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

    /// When its first event was queued, or slightly earlier.
    pub(crate) fn since(&self) -> Option<Since> {
        Some(self.marks.first()?.since)
    }

    /// The approximate memory, in bytes.
    pub(crate) fn weight(&self) -> usize {
        self.marks.iter().map(|mark| mark.weight).sum()
    }

    /// All its events are also in the spool.
    pub(crate) fn is_durable(&self) -> bool {
        self.marks.iter().all(|mark| mark.slot.is_some())
    }

    pub(crate) fn split_off(&mut self, at: usize) -> Self {
        let suspicion = self.suspicion;
        self.detach();
        Self { payloads: self.payloads.split_off(at), marks: self.marks.split_off(at), suspicion }
    }

    /// Splits off the first event.
    pub(crate) fn split_first(&mut self) -> Self {
        let rest = self.split_off(1);
        std::mem::replace(self, rest)
    }
}

/// The failures of a batch that its content may have caused.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Suspicion {
    /// The number of sends at its last failure. `None` if it is not suspected.
    pub(crate) failed_at: Option<u64>,
    /// It failed alone.
    pub(crate) alone: bool,
    /// The number of failures after which an event that was sent later was delivered.
    pub(crate) trials: u32,
}

impl Suspicion {
    pub(crate) fn is_suspect(self) -> bool {
        self.failed_at.is_some()
    }

    /// The same after a further failure, at this number of sends.
    pub(crate) fn failed(self, sends: u64) -> Self {
        Self { failed_at: Some(sends), ..self }
    }
}
