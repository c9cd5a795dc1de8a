//! Encoded events that travel together.

use crate::queue::mark::Mark;
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

    /// A single event over which the server may have failed again and again.
    pub(crate) fn is_suspect(&self) -> bool {
        self.len() == 1 && self.suspicion.is_strong()
    }
}

/// How often in a row a batch failed for what may be its content.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Suspicion {
    failures: u32,
}

impl Suspicion {
    /// So many failures make a batch suspicious.
    const ENOUGH: u32 = 5;

    pub(crate) fn is_strong(self) -> bool {
        self.failures >= Self::ENOUGH
    }

    pub(crate) fn after_doubtful_failure(self) -> Self {
        Self { failures: self.failures.saturating_add(1) }
    }

    /// What fails for other reasons too is counted anew. It does not clear a suspect: the link may fail at any time.
    pub(crate) fn after_other_failure(self) -> Self {
        if self.is_strong() { self } else { Self::default() }
    }
}
