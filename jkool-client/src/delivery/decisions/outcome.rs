//! A batch that came back, by what each payload's outcome means. Pure.

use super::Settled;
use crate::queue::batch::{Batch, Suspicion};
use crate::queue::ledger::End;
use crate::queue::mark::Mark;
use crate::report::loss::LossReason;
use jkool_transport::{Disposition, ErrorKind, Outcome, Payload, TransportError};
use std::time::Duration;

/// The batch by what is to be done with each payload.
#[derive(Debug, Default)]
pub(super) struct BatchOutcome {
    /// How many payloads it had.
    pub(super) whole: usize,
    pub(super) suspicion: Suspicion,
    pub(super) proof: Proof,
    pub(super) resend: Batch,
    /// What is to be sent again, and may itself be why it failed.
    pub(super) doubtful: Batch,
    pub(super) rejected: Refused,
    pub(super) too_large: Refused,
    /// Some payload is to be sent again; no sooner than that, when the server said so, and why.
    pub(super) retry: Option<(Option<Duration>, TransportError)>,
    pub(super) misconfigured: Option<TransportError>,
    /// No answer came in time.
    pub(super) late: bool,
}

/// What is known of others when a send that failed comes back.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Proof {
    /// Nothing else failed since it started.
    pub(super) current: bool,
    /// It had failed before, and others got through since.
    pub(super) others: bool,
    /// So it was already when it failed before, often enough.
    pub(super) enough: bool,
}

/// Why an event may have to be given up.
#[derive(Debug, Clone)]
pub(super) struct Charge {
    pub(super) reason: LossReason,
    pub(super) error: TransportError,
    /// Whether the server says that it is for the event.
    pub(super) said: bool,
}

/// What the server refused, and why it refused the first of it.
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
    /// What came back in parts goes separate ways from here on.
    pub(super) fn detach_parts(&mut self) {
        let parts = [&mut self.resend, &mut self.doubtful, &mut self.rejected.batch, &mut self.too_large.batch];
        parts.into_iter().filter(|part| part.len() < self.whole).for_each(|part| part.detach());
    }

    /// Whether some of it failed, and was not just refused for what it holds.
    pub(super) fn failed(&self) -> bool {
        self.misconfigured.is_some() || self.retry.is_some()
    }

    /// Whether some of it may have failed for what it holds. Behind it there may be more that was not tried.
    pub(super) fn may_be_for_content(&self) -> bool {
        self.doubtful.len() > 0 || (!self.failed() && self.refusal().is_some())
    }

    /// Whether it failed for what it holds and not for the link, since others got through.
    pub(super) fn is_own_fault(&self) -> bool {
        let Proof { current, others, enough } = self.proof;
        ((current && others) || enough) && self.doubtful.len() == self.whole
    }

    /// Why it did not get through.
    pub(super) fn error(&self) -> Option<&TransportError> {
        let retry = self.retry.as_ref().map(|(_, error)| error);
        self.misconfigured.as_ref().or(retry).or_else(|| self.refusal())
    }

    /// What there is against an event that failed alone. What the server says of the set-up is no charge, however often it does.
    pub(super) fn charge(&self) -> Option<Charge> {
        let (_, error) = self.retry.as_ref()?;
        Some(Charge { reason: LossReason::Rejected, error: error.clone(), said: false })
    }

    /// Why some of it was refused.
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
                let error = TransportError::new(ErrorKind::Other, "the transport said nothing of a payload");
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
                    // A disposition that this version does not know: keeping is never wrong.
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
