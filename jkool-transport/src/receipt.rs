//! Receipts: the outcomes of a batch.

use crate::error::TransportError;
use std::borrow::Cow;
use std::time::Duration;

/// What a failure means for the payload. The transport decides this, because only it knows the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Disposition {
    /// A temporary failure: keep the payload and send it again, not before `after` if the server asked for that.
    Retry {
        /// The time that the server asks to wait, from its response on.
        after: Option<Duration>,
    },
    /// The configuration is wrong (a refused token, a wrong url, a bad certificate), so nothing works until it is changed. The
    /// client acts on it only if no payload gets through: then it keeps all events, reports the problem, and retries at long
    /// intervals.
    Misconfigured,
    /// The payload or the batch is larger than the server accepts. For a single payload, the client acts on it only if other
    /// payloads get through.
    TooLarge,
    /// The server rejects this payload for its content. The client acts on it only if other payloads get through.
    Rejected,
}

/// The failure of one payload.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What the failure means for the payload.
    pub disposition: Disposition,
    /// Whether the payload may have been delivered all the same: true if it was written and no answer arrived. Sending it again
    /// can then create a duplicate.
    pub maybe_delivered: bool,
    /// Whether the content of the payload may be the cause, although the server does not say so. This is true for every failure
    /// of a request that was written, since a server, or a firewall in front of it, may fail over some payloads every time.
    ///
    /// The client sends other payloads before such a one. With [`Disposition::Retry`] it gives the payload up if it never gets
    /// through while others do; with [`Disposition::Misconfigured`] it never gives it up. A payload that the server certainly
    /// rejects has [`Disposition::Rejected`].
    pub maybe_rejected: bool,
    /// The error.
    pub error: TransportError,
}

impl Failure {
    /// Creates a failure of a payload that was certainly not delivered, and whose content is not the cause.
    pub fn new(disposition: Disposition, error: TransportError) -> Self {
        Self { disposition, maybe_delivered: false, maybe_rejected: false, error }
    }

    /// Returns the same failure with [`maybe_delivered`](Self::maybe_delivered) set.
    #[must_use]
    pub fn in_doubt(mut self) -> Self {
        self.maybe_delivered = true;
        self
    }

    /// Returns the same failure with [`maybe_rejected`](Self::maybe_rejected) set.
    #[must_use]
    pub fn content_in_doubt(mut self) -> Self {
        self.maybe_rejected = true;
        self
    }

    /// Returns whether the cause is the connection, the server or a setting, and not a single payload. The rest of a batch
    /// would fail in the same way, so it is not sent.
    pub fn holds_for_all(&self) -> bool {
        match self.disposition {
            Disposition::Retry { .. } | Disposition::Misconfigured => true,
            Disposition::TooLarge | Disposition::Rejected => false,
        }
    }
}

/// The outcome of one payload.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Outcome {
    /// The server confirmed it.
    Delivered,
    /// The server did not confirm it.
    Failed(Failure),
}

/// The result of [`Transport::send`](crate::Transport::send): one [`Outcome`] for each payload, in the order of the batch.
#[derive(Debug, Clone)]
pub struct Receipt {
    outcomes: Cow<'static, [Outcome]>,
}

/// The outcomes of a delivered batch of the usual size, so that they need no allocation.
static DELIVERED: [Outcome; 512] = [const { Outcome::Delivered }; 512];

impl Receipt {
    /// Creates a receipt from the outcomes of all payloads, in order.
    pub fn new(outcomes: Vec<Outcome>) -> Self {
        Self { outcomes: outcomes.into() }
    }

    /// Creates a receipt for `len` payloads that were all delivered.
    pub fn delivered(len: usize) -> Self {
        match DELIVERED.get(..len) {
            Some(outcomes) => Self { outcomes: outcomes.into() },
            None => Self::new(vec![Outcome::Delivered; len]),
        }
    }

    /// Creates a receipt for `len` payloads that all had the same failure.
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

    /// Returns whether every payload was delivered.
    pub fn is_delivered(&self) -> bool {
        self.outcomes.iter().all(|outcome| matches!(outcome, Outcome::Delivered))
    }
}
