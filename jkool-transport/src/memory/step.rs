//! What a memory transport does next.

use crate::payload::Payload;
use crate::receipt::Failure;
use crate::receipt_builder::ReceiptBuilder;
use std::time::Duration;

/// One step of a [`MemoryTransport`](crate::MemoryTransport)'s script.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Step {
    /// Everything is kept and confirmed.
    Deliver,
    /// Nothing is kept, and every payload has this failure.
    Fail(Failure),
    /// Only the payload at `index` of the unit has this failure. What stands before it is delivered; what stands after
    /// it is delivered too when the failure is the payload's own (too large, rejected), else it is not tried.
    FailAt {
        /// Which payload, counted from 0. When the unit is shorter, everything is delivered.
        index: usize,
        /// What happens to it.
        failure: Failure,
    },
    /// Everything is kept, and yet every payload has this failure, in doubt: the answer was lost on its way.
    Unconfirmed(Failure),
    /// Waits by tokio's clock, and then plays the next step for the same payloads. What follows a delay in the script is
    /// therefore slow; a test's paused clock makes it slow in no time.
    Delay(Duration),
    /// Panics, as a faulty transport of somebody's own would.
    Panic,
}

impl Step {
    /// Plays this step for one unit: adds to `kept` what arrives and to `receipt` what is reported.
    pub(super) fn play(self, unit: &[Payload], kept: &mut Vec<Payload>, receipt: &mut ReceiptBuilder) {
        match self {
            Step::Deliver | Step::Delay(_) => deliver(unit, kept, receipt),
            Step::Fail(failure) => receipt.record(unit.len(), Err(failure)),
            Step::FailAt { index, failure } => {
                let (before, rest) = unit.split_at(index.min(unit.len()));
                deliver(before, kept, receipt);
                if let Some((_, after)) = rest.split_first() {
                    receipt.record(1, Err(failure));
                    if !receipt.is_stopped() {
                        deliver(after, kept, receipt);
                    }
                }
            }
            Step::Unconfirmed(failure) => {
                kept.extend_from_slice(unit);
                receipt.record(unit.len(), Err(failure.in_doubt()));
            }
            Step::Panic => panic!("the script of a MemoryTransport says so"),
        }
    }
}

fn deliver(unit: &[Payload], kept: &mut Vec<Payload>, receipt: &mut ReceiptBuilder) {
    kept.extend_from_slice(unit);
    receipt.record(unit.len(), Ok(()));
}
