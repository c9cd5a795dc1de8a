//! A transport that uses a second one while the first one fails.

use crate::error::TransportError;
use crate::metric::{Metric, of_two};
use crate::payload::Payload;
use crate::receipt::{Disposition, Failure, Outcome, Receipt};
use crate::transport::Transport;
use async_trait::async_trait;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long the first transport is not tried after a failure.
const PAUSE: Duration = Duration::from_secs(30);

/// Sends by a first transport, and by a second one if the first one fails for a reason of its own: it cannot be reached, is
/// slow, or refuses everything. After such a failure, everything is sent by the second transport for 30 seconds; then the first
/// one is tried again.
///
/// Payloads that the first transport rejects for their content or size are not sent by the second one. Payloads that are in
/// doubt may arrive by both.
///
/// ```
/// use jkool_transport::{Disposition, ErrorKind, Failover, Failure, Kind, MemoryTransport, Payload, Step, Transport, TransportError};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (first, second) = (MemoryTransport::new(), MemoryTransport::new());
/// let away = TransportError::new(ErrorKind::Connect, "the connection was refused");
/// first.push(Step::Fail(Failure::new(Disposition::Retry { after: None }, away)));
///
/// let transport = Failover::new(first, second.clone());
/// assert!(transport.send(&[Payload::new(Kind::Event, "{}")]).await.is_delivered());
/// assert_eq!(second.bodies(), ["{}"]);
/// # }
/// ```
#[derive(Debug)]
pub struct Failover<A, B> {
    first: A,
    second: B,
    pause: Duration,
    /// Until then everything is sent by the second transport.
    until: Mutex<Option<Instant>>,
}

impl<A: Transport, B: Transport> Failover<A, B> {
    /// Creates a transport that sends by `first`, and by `second` while `first` fails.
    pub fn new(first: A, second: B) -> Self {
        Self { first, second, pause: PAUSE, until: Mutex::new(None) }
    }

    /// Sets how long the first transport is not tried after a failure. The default is 30 seconds. With zero it is tried each
    /// time.
    #[must_use]
    pub fn with_pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    fn is_paused(&self) -> bool {
        self.until.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| Instant::now() < until)
    }

    /// Records whether the first transport fails.
    fn note(&self, in_trouble: bool) {
        let until = in_trouble.then(|| Instant::now().checked_add(self.pause)).flatten();
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }
}

#[async_trait]
impl<A: Transport, B: Transport> Transport for Failover<A, B> {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        if batch.is_empty() {
            return Receipt::delivered(0);
        }
        if self.is_paused() {
            let receipt = self.second.send(batch).await;
            if receipt.is_delivered() {
                return receipt;
            }
            // Both fail, so the first is tried again: it may work by now.
            return self.send_on(receipt, batch, &self.first).await;
        }
        let receipt = self.first.send(batch).await;
        let in_trouble = receipt.outcomes().iter().any(|outcome| trouble(outcome).is_some());
        self.note(in_trouble);
        if !in_trouble { receipt } else { self.send_on(receipt, batch, &self.second).await }
    }

    /// The smaller of the two, so that a batch fits both.
    fn max_batch(&self) -> usize {
        self.first.max_batch().min(self.second.max_batch())
    }

    async fn close(&self) -> Result<(), TransportError> {
        let (first, second) = (self.first.close().await, self.second.close().await);
        first.and(second)
    }

    /// Reports whether the second transport is in use, and the metrics of both as those of the parts `first` and `second`.
    fn metrics(&self) -> Vec<Metric> {
        const HELP: &str = "1 while events go to the second transport, because the first one failed.";
        let mut metrics = vec![Metric::gauge("failover_active", HELP, f64::from(u8::from(self.is_paused())))];
        metrics.extend(of_two([("first", self.first.metrics()), ("second", self.second.metrics())]));
        metrics
    }
}

impl<A: Transport, B: Transport> Failover<A, B> {
    /// Sends by the other transport what failed by this one.
    async fn send_on(&self, receipt: Receipt, batch: &[Payload], other: &impl Transport) -> Receipt {
        let mut outcomes = receipt.into_outcomes();
        let failed: Vec<_> = (0..outcomes.len()).filter(|at| trouble(&outcomes[*at]).is_some()).collect();
        let payloads: Vec<_> = failed.iter().filter_map(|at| batch.get(*at).cloned()).collect();
        let again = other.send(&payloads).await.into_outcomes();
        for (at, outcome) in failed.into_iter().zip(again) {
            outcomes[at] = match (trouble(&outcomes[at]), outcome) {
                (Some(before), Outcome::Failed(failure)) => Outcome::Failed(both(before.clone(), failure)),
                (_, outcome) => outcome,
            };
        }
        Receipt::new(outcomes)
    }
}

/// A failure whose cause is not the payload.
fn trouble(outcome: &Outcome) -> Option<&Failure> {
    match outcome {
        Outcome::Failed(failure)
            if matches!(failure.disposition, Disposition::Retry { .. } | Disposition::Misconfigured) =>
        {
            Some(failure)
        }
        _ => None,
    }
}

/// Combines two failures of one payload: it is retried as soon as either transport may work.
fn both(one: Failure, other: Failure) -> Failure {
    let disposition = match (one.disposition, other.disposition) {
        (Disposition::Retry { after: one }, Disposition::Retry { after: other }) => {
            Disposition::Retry { after: one.min(other) }
        }
        (Disposition::Misconfigured, other @ Disposition::Retry { .. }) => other,
        (one, _) => one,
    };
    let refused = matches!(other.disposition, Disposition::Rejected | Disposition::TooLarge);
    Failure {
        disposition,
        maybe_delivered: one.maybe_delivered || other.maybe_delivered,
        maybe_rejected: one.maybe_rejected || other.maybe_rejected || refused,
        error: one.error,
    }
}
