//! Builds the receipt of a batch that is sent in several units, by the rules of `Transport::send`.

use crate::receipt::{Failure, Outcome, Receipt};

/// Builds the [`Receipt`] of a batch that is sent in several units, by the rules of
/// [`Transport::send`](crate::Transport::send). Use it in a transport that splits batches.
///
/// ```
/// use jkool_transport::{Disposition, ErrorKind, Failure, ReceiptBuilder, TransportError};
/// let mut receipt = ReceiptBuilder::new(5);
/// receipt.record(2, Ok(()));
/// let late = TransportError::new(ErrorKind::Timeout, "no answer");
/// receipt.record(1, Err(Failure::new(Disposition::Retry { after: None }, late)));
/// assert!(receipt.is_stopped()); // so the last two are not tried
/// assert_eq!(receipt.build().outcomes().len(), 5);
/// ```
#[derive(Debug)]
pub struct ReceiptBuilder {
    len: usize,
    /// The number of payloads delivered before the first failure; usually all of them.
    delivered: usize,
    /// The outcomes of the payloads after them.
    outcomes: Vec<Outcome>,
    stopped: Option<Failure>,
}

impl ReceiptBuilder {
    /// Creates a builder for a batch of `len` payloads.
    pub fn new(len: usize) -> Self {
        Self { len, delivered: 0, outcomes: Vec::new(), stopped: None }
    }

    /// Records the outcome of the next `count` payloads.
    pub fn record(&mut self, count: usize, result: Result<(), Failure>) {
        let outcome = match result {
            Ok(()) if self.outcomes.is_empty() => {
                self.delivered += count;
                return;
            }
            Ok(()) => Outcome::Delivered,
            Err(failure) => {
                if failure.holds_for_all() {
                    self.stopped = Some(Failure { maybe_delivered: false, maybe_rejected: false, ..failure.clone() });
                }
                Outcome::Failed(failure)
            }
        };
        self.outcomes.resize(self.outcomes.len() + count, outcome);
    }

    /// Returns whether a failure was recorded that the rest of the batch would have too. Then the rest must not be sent.
    pub fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// Returns the receipt. Every payload up to a failure that stops the batch must have been recorded. Payloads that were not
    /// sent get that failure, not in doubt in any way.
    pub fn build(self) -> Receipt {
        let Self { len, delivered, outcomes, stopped } = self;
        if delivered == len {
            return Receipt::delivered(len);
        }
        let mut all = vec![Outcome::Delivered; delivered];
        all.extend(outcomes);
        if let Some(failure) = stopped {
            all.resize(len, Outcome::Failed(failure));
        }
        debug_assert_eq!(all.len(), len, "an outcome for each payload");
        Receipt::new(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ErrorKind, TransportError};
    use crate::receipt::Disposition;

    fn failure(disposition: Disposition) -> Failure {
        Failure::new(disposition, TransportError::new(ErrorKind::Answer, "no"))
    }

    /// `.` delivered, `?` failed in doubt, `!` its content in doubt too, `x` failed for sure.
    fn marks(receipt: ReceiptBuilder) -> String {
        let outcomes = receipt.build().into_outcomes();
        outcomes
            .into_iter()
            .map(|outcome| match outcome {
                Outcome::Delivered => '.',
                Outcome::Failed(failure) => match (failure.maybe_delivered, failure.maybe_rejected) {
                    (false, false) => 'x',
                    (true, false) => '?',
                    (_, true) => '!',
                },
            })
            .collect()
    }

    #[test]
    fn goes_on_after_a_failure_of_the_payload() {
        for disposition in [Disposition::TooLarge, Disposition::Rejected] {
            let mut receipt = ReceiptBuilder::new(4);
            receipt.record(2, Err(failure(disposition)));
            assert!(!receipt.is_stopped());
            receipt.record(2, Ok(()));
            assert_eq!(marks(receipt), "xx..");
        }
    }

    #[test]
    fn the_rest_was_surely_not_delivered() {
        for disposition in [Disposition::Retry { after: None }, Disposition::Misconfigured] {
            let mut receipt = ReceiptBuilder::new(5);
            receipt.record(1, Ok(()));
            receipt.record(2, Err(failure(disposition).in_doubt()));
            assert!(receipt.is_stopped());
            assert_eq!(marks(receipt), ".??xx");
        }
    }

    #[test]
    fn the_rest_did_not_cause_the_failure() {
        let mut receipt = ReceiptBuilder::new(3);
        receipt.record(1, Err(failure(Disposition::Retry { after: None }).in_doubt().content_in_doubt()));
        assert_eq!(marks(receipt), "!xx");
    }
}
