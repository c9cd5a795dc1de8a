//! The result of a batch, by the outcome of each payload. Pure.

use super::Settled;
use crate::queue::batch::{Batch, Suspicion};
use crate::queue::ledger::End;
use crate::queue::mark::Mark;
use crate::report::loss::LossReason;
use jkool_transport::{Disposition, ErrorKind, Outcome, Payload, TransportError};
use std::time::Duration;

/// The payloads of a batch, by how they are handled.
#[derive(Debug, Default)]
pub(super) struct BatchOutcome {
    /// The number of payloads in the batch.
    pub(super) whole: usize,
    pub(super) suspicion: Suspicion,
    pub(super) proof: Proof,
    pub(super) resend: Batch,
    /// Payloads to be sent again whose content may be the cause of the failure.
    pub(super) doubtful: Batch,
    pub(super) rejected: Refused,
    pub(super) too_large: Refused,
    /// If some payload is to be sent again: the wait that the server asked for, and the error.
    pub(super) retry: Option<(Option<Duration>, TransportError)>,
    pub(super) misconfigured: Option<TransportError>,
    /// Whether it timed out.
    pub(super) late: bool,
}

/// What is known about other events when a failed send returns.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Proof {
    /// No other send failed since it started.
    pub(super) current: bool,
    /// It had failed before, and others got through since.
    pub(super) others: bool,
    /// This was already the case when it failed before, often enough.
    pub(super) enough: bool,
}

/// The reason for which an event may be given up.
#[derive(Debug, Clone)]
pub(super) struct Charge {
    pub(super) reason: LossReason,
    pub(super) error: TransportError,
    /// Whether the server says that the event is the cause.
    pub(super) said: bool,
}

/// The payloads that the server rejected, and the reason for the first of them.
#[derive(Debug, Default)]
pub(super) struct Refused {
    pub(super) batch: Batch,
    pub(super) charge: Option<Charge>,
}

impl Refused {
    fn add(&mut self, payload: Payload, mark: Mark, reason: LossReason, error: TransportError) {
        self.charge.get_or_insert(Charge { reason, error, said: true });
        self.batch.push(payload, mark);
    }
}

impl BatchOutcome {
    /// Payloads that are handled differently no longer share a buffer.
    pub(super) fn detach_parts(&mut self) {
        let parts = [&mut self.resend, &mut self.doubtful, &mut self.rejected.batch, &mut self.too_large.batch];
        parts.into_iter().filter(|part| part.len() < self.whole).for_each(|part| part.detach());
    }

    /// Whether some payload failed for another reason than an explicit rejection.
    pub(super) fn failed(&self) -> bool {
        self.misconfigured.is_some() || self.retry.is_some()
    }

    /// Whether the content of some payload may be the cause. There may be payloads after it that were not tried.
    pub(super) fn may_be_for_content(&self) -> bool {
        self.doubtful.len() > 0 || (!self.failed() && self.refusal().is_some())
    }

    /// Whether the cause is its content and not the connection, because others got through.
    pub(super) fn is_own_fault(&self) -> bool {
        let Proof { current, others, enough } = self.proof;
        ((current && others) || enough) && self.doubtful.len() == self.whole
    }

    /// The error.
    pub(super) fn error(&self) -> Option<&TransportError> {
        let retry = self.retry.as_ref().map(|(_, error)| error);
        self.misconfigured.as_ref().or(retry).or_else(|| self.refusal())
    }

    /// The charge against an event that failed alone. A response about the configuration is never a charge.
    pub(super) fn charge(&self) -> Option<Charge> {
        let (_, error) = self.retry.as_ref()?;
        Some(Charge { reason: LossReason::Rejected, error: error.clone(), said: false })
    }

    /// The error of a rejection.
    pub(super) fn refusal(&self) -> Option<&TransportError> {
        let charge = self.rejected.charge.as_ref().or(self.too_large.charge.as_ref())?;
        Some(&charge.error)
    }

    pub(super) fn add(&mut self, payload: Payload, mark: Mark, outcome: Option<Outcome>, settled: &mut Settled) {
        let failure = match outcome {
            Some(Outcome::Delivered) => return settled.ended.push((mark, End::Delivered)),
            Some(Outcome::Failed(failure)) => failure,
            _ => {
                settled.maybe_duplicated += 1;
                let error = TransportError::new(ErrorKind::Other, "the transport returned no outcome for a payload");
                self.retry.get_or_insert((None, error));
                return self.resend.push(payload, mark);
            }
        };
        self.late |= failure.maybe_delivered && failure.error.kind() == ErrorKind::Timeout;
        match failure.disposition {
            Disposition::TooLarge => self.too_large.add(payload, mark, LossReason::TooLarge, failure.error),
            Disposition::Rejected => self.rejected.add(payload, mark, LossReason::Rejected, failure.error),
            disposition => {
                match disposition {
                    Disposition::Misconfigured => {
                        self.misconfigured.get_or_insert(failure.error);
                    }
                    Disposition::Retry { after } => {
                        let (latest, _) = self.retry.get_or_insert((None, failure.error));
                        *latest = (*latest).max(after);
                    }
                    // A disposition that this version does not know: keeping the payload is always safe.
                    _ => {
                        self.retry.get_or_insert((None, failure.error));
                    }
                }
                settled.maybe_duplicated += u64::from(failure.maybe_delivered);
                let kept = if failure.maybe_rejected { &mut self.doubtful } else { &mut self.resend };
                kept.push(payload, mark);
            }
        }
    }
}
