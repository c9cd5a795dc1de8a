//! A batch that came back, by what each payload's outcome means. Pure.

use super::Settled;
use crate::queue::batch::Batch;
use crate::queue::ledger::End;
use crate::queue::mark::Mark;
use jkool_transport::{Disposition, ErrorKind, Outcome, Payload, TransportError};
use std::time::Duration;

/// The batch by what is to be done with each payload.
#[derive(Debug, Default)]
pub(super) struct BatchOutcome {
    pub(super) resend: Batch,
    /// What is to be sent again, and may itself be why it failed.
    pub(super) doubtful: Batch,
    /// Whether what is doubtful is rejected instead.
    pub(super) convict: bool,
    pub(super) rejected: Refused,
    pub(super) too_large: Refused,
    /// Some payload is to be sent again; no sooner than that, when the server said so, and why.
    pub(super) retry: Option<(Option<Duration>, TransportError)>,
    pub(super) misconfigured: Option<TransportError>,
    /// No answer came in time.
    pub(super) late: bool,
}

/// What the server refused, and why it refused the first of it.
#[derive(Debug, Default)]
pub(super) struct Refused {
    pub(super) batch: Batch,
    pub(super) error: Option<TransportError>,
}

impl Refused {
    fn add(&mut self, payload: Payload, mark: Mark, error: TransportError) {
        self.error.get_or_insert(error);
        self.batch.push(payload, mark);
    }
}

impl BatchOutcome {
    /// What came back in parts goes separate ways from here on.
    pub(super) fn detach_parts(&mut self, whole: usize) {
        let parts = [&mut self.resend, &mut self.doubtful, &mut self.rejected.batch, &mut self.too_large.batch];
        parts.into_iter().filter(|part| part.len() < whole).for_each(|part| part.detach());
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
            Disposition::TooLarge => self.too_large.add(payload, mark, failure.error),
            Disposition::Rejected => self.rejected.add(payload, mark, failure.error),
            Disposition::Retry { .. } if self.convict && failure.maybe_rejected => {
                self.rejected.add(payload, mark, failure.error);
            }
            disposition => {
                let mut kept = &mut self.resend;
                match disposition {
                    Disposition::Misconfigured => {
                        self.misconfigured.get_or_insert(failure.error);
                    }
                    Disposition::Retry { after } => {
                        let (latest, _) = self.retry.get_or_insert((None, failure.error));
                        *latest = (*latest).max(after);
                        if failure.maybe_rejected {
                            kept = &mut self.doubtful;
                        }
                    }
                    // A disposition that this version does not know: keeping is never wrong.
                    _ => {
                        self.retry.get_or_insert((None, failure.error));
                    }
                }
                settled.maybe_duplicated += u64::from(failure.maybe_delivered);
                kept.push(payload, mark);
            }
        }
    }
}
