//! The steps in the script of a memory transport.

use crate::payload::Payload;
use crate::receipt::Failure;
use crate::receipt_builder::ReceiptBuilder;
use std::time::Duration;

/// One step of a [`MemoryTransport`](crate::MemoryTransport)'s script.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Step {
    /// All payloads are recorded and confirmed.
    Deliver,
    /// No payload is recorded, and each has this failure.
    Fail(Failure),
    /// Only the payload at `index` of the unit has this failure. Payloads before it are delivered. Payloads after it are
    /// delivered too if the failure is about the payload (too large, rejected); otherwise they are not tried.
    FailAt {
        /// The index of the payload, from 0. If the unit is shorter, everything is delivered.
        index: usize,
        /// The failure of this payload.
        failure: Failure,
    },
    /// All payloads are recorded, and each has this failure, in doubt: the answer was lost.
    Unconfirmed(Failure),
    /// Waits by tokio's clock, then uses the next step for the same payloads. With tokio's paused clock the wait takes no real
    /// time.
    Delay(Duration),
    /// Panics, like a faulty transport.
    Panic,
}

impl Step {
    /// Applies this step to one unit: adds what arrives to `kept`, and the outcomes to `receipt`.
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
            Step::Panic => panic!("a failure that was scripted for this MemoryTransport"),
        }
    }
}

fn deliver(unit: &[Payload], kept: &mut Vec<Payload>, receipt: &mut ReceiptBuilder) {
    kept.extend_from_slice(unit);
    receipt.record(unit.len(), Ok(()));
}
