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
    /// Nothing will work until a setting is changed (a refused token, a wrong url, a bad certificate). It is believed when
    /// nothing gets through: then everything is kept, it is said so, and tried again slowly.
    Misconfigured,
    /// This payload, or this batch, is larger than the server takes. Of a single payload it is believed when others get through.
    TooLarge,
    /// The server says that it refuses this payload for what it holds. It is believed when other payloads get through.
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
    /// Whether its content may be the cause, although the server does not say so: true for whatever failed behind a
    /// request that was written, since a server, or a firewall before it, may fail over some payloads every time. Such a
    /// payload lets others go first. Of [`Disposition::Retry`] it is refused in effect when others get through and it never
    /// does; of [`Disposition::Misconfigured`] it never is. What the server surely refuses is [`Disposition::Rejected`].
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

    /// Whether it is of the connection, the server or a setting, and not of one payload: the rest of a batch would meet it
    /// too, and is not tried.
    pub fn holds_for_all(&self) -> bool {
        match self.disposition {
            Disposition::Retry { .. } | Disposition::Misconfigured => true,
            Disposition::TooLarge | Disposition::Rejected => false,
        }
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
