//! What became of a batch, payload by payload.

use crate::error::TransportError;
use std::borrow::Cow;
use std::time::Duration;

/// What a failure means for the payload, decided by the transport: it alone knows the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disposition {
    /// It may work later: keep the payload and send it again, no sooner than `after` when the server asked for that.
    Retry {
        /// How long the server wants to be left alone, measured from the answer.
        after: Option<Duration>,
    },
    /// Nothing will work until a setting is changed (a refused token, a wrong url, a bad certificate): keep everything,
    /// say so, and try again slowly.
    Misconfigured,
    /// This payload, or this batch, is larger than the server takes.
    TooLarge,
    /// The server refuses this payload for what it holds; sending it again would not help.
    Rejected,
}

/// One payload's failure.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What it means for the payload.
    pub disposition: Disposition,
    /// Whether the payload may have been delivered all the same: true when it was written and the answer never came.
    /// Sending it again can then make a duplicate.
    pub maybe_delivered: bool,
    /// Whether the server failed over it in a way that its content may have caused: true when it said no more than that
    /// something went wrong in it. A payload over which it does so every time, while others get through, is refused in
    /// effect. Of [`Disposition::Retry`] alone; what is surely refused is [`Disposition::Rejected`].
    pub maybe_rejected: bool,
    /// What happened.
    pub error: TransportError,
}

impl Failure {
    /// A failure after which the payload surely was not delivered, and whose cause is not what it holds.
    pub fn new(disposition: Disposition, error: TransportError) -> Self {
        Self { disposition, maybe_delivered: false, maybe_rejected: false, error }
    }

    /// The same failure, with delivery in doubt.
    pub fn in_doubt(mut self) -> Self {
        self.maybe_delivered = true;
        self
    }

    /// The same failure, with the payload's content as a possible cause.
    pub fn content_in_doubt(mut self) -> Self {
        self.maybe_rejected = true;
        self
    }
}

/// What became of one payload.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Outcome {
    /// The server confirmed it.
    Delivered,
    /// It was not confirmed.
    Failed(Failure),
}

/// What became of a batch: one [`Outcome`] for each payload, in the batch's order.
#[derive(Debug, Clone)]
pub struct Receipt {
    outcomes: Cow<'static, [Outcome]>,
}

/// Nearly always all goes well: then the outcomes of a batch of the usual size are these, and take no list.
static DELIVERED: [Outcome; 512] = [const { Outcome::Delivered }; 512];

impl Receipt {
    /// A receipt from the outcome of each payload, in order.
    pub fn new(outcomes: Vec<Outcome>) -> Self {
        Self { outcomes: outcomes.into() }
    }

    /// All `len` payloads were delivered.
    pub fn delivered(len: usize) -> Self {
        match DELIVERED.get(..len) {
            Some(outcomes) => Self { outcomes: outcomes.into() },
            None => Self::new(vec![Outcome::Delivered; len]),
        }
    }

    /// All `len` payloads met the same failure.
    pub fn failed(len: usize, failure: Failure) -> Self {
        Self::new(vec![Outcome::Failed(failure); len])
    }

    /// The outcomes, in the batch's order.
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// The outcomes, in the batch's order.
    pub fn into_outcomes(self) -> Vec<Outcome> {
        self.outcomes.into_owned()
    }

    /// Whether every payload was delivered.
    pub fn is_delivered(&self) -> bool {
        self.outcomes.iter().all(|outcome| matches!(outcome, Outcome::Delivered))
    }
}
