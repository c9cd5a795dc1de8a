//! A transport that sends to two others.

use crate::error::{ErrorKind, TransportError};
use crate::metric::{Metric, of_two};
use crate::payload::Payload;
use crate::receipt::{Disposition, Failure, Outcome, Receipt};
use crate::transport::Transport;
use async_trait::async_trait;
use std::collections::HashSet;
use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;

/// The maximum number of remembered payloads that one side has and the other lacks.
const REMEMBERED: usize = 65_536;

/// Sends everything to two transports at the same time. A payload is delivered when both have confirmed it.
///
/// If only one has confirmed it, a retry sends it by the other one only. The transport remembers these payloads by a digest, up
/// to 65,536 for each side. Beyond that, or if another process sends the payload again from a spool, it may arrive twice at one
/// side.
///
/// ```
/// use jkool_transport::{Kind, MemoryTransport, Payload, Tee, Transport};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (one, other) = (MemoryTransport::new(), MemoryTransport::new());
/// let transport = Tee::new(one.clone(), other.clone());
/// assert!(transport.send(&[Payload::new(Kind::Event, "{}")]).await.is_delivered());
/// assert_eq!((one.len(), other.len()), (1, 1));
/// # }
/// ```
#[derive(Debug)]
pub struct Tee<A, B> {
    one: A,
    other: B,
    half: Mutex<Half>,
    digests: [RandomState; 2],
}

/// The payloads that one side has and the other lacks.
#[derive(Debug, Default)]
struct Half {
    at_one: HashSet<u128>,
    at_other: HashSet<u128>,
}

impl<A: Transport, B: Transport> Tee<A, B> {
    /// Creates a transport that sends to both.
    pub fn new(one: A, other: B) -> Self {
        Self { one, other, half: Mutex::default(), digests: [RandomState::new(), RandomState::new()] }
    }

    fn digest(&self, payload: &Payload) -> u128 {
        let [high, low] = [&self.digests[0], &self.digests[1]].map(|by| by.hash_one(payload.body()));
        u128::from(high) << 64 | u128::from(low)
    }

    fn half(&self) -> MutexGuard<'_, Half> {
        self.half.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records which side has the payload now, and returns the combined outcome.
    fn settle(half: &mut Half, digest: u128, [one, other]: [Outcome; 2]) -> Outcome {
        half.at_one.remove(&digest);
        half.at_other.remove(&digest);
        let (side, failure) = match (one, other) {
            (Outcome::Delivered, Outcome::Delivered) => return Outcome::Delivered,
            (Outcome::Failed(one), Outcome::Failed(other)) => return Outcome::Failed(worse(one, other)),
            (Outcome::Delivered, Outcome::Failed(failure)) => (&mut half.at_one, failure),
            (Outcome::Failed(failure), Outcome::Delivered) => (&mut half.at_other, failure),
        };
        if failure.disposition != Disposition::Rejected && side.len() < REMEMBERED {
            side.insert(digest);
        }
        Outcome::Failed(failure)
    }
}

#[async_trait]
impl<A: Transport, B: Transport> Transport for Tee<A, B> {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        if batch.is_empty() {
            return Receipt::delivered(0);
        }
        // Digests are computed only after failures.
        let all_is_well = {
            let half = self.half();
            half.at_one.is_empty() && half.at_other.is_empty()
        };
        let of_batch = if all_is_well { &[] } else { batch };
        let digests: Vec<_> = of_batch.iter().map(|payload| self.digest(payload)).collect();
        let [has_one, has_other] = {
            let half = self.half();
            [&half.at_one, &half.at_other]
                .map(|side| digests.iter().map(|digest| side.contains(digest)).collect::<Vec<_>>())
        };
        let (to_one, to_other) = (lacking(batch, &has_one), lacking(batch, &has_other));
        let [one, other] = send_both(&self.one, &to_one, &self.other, &to_other).await;
        if one.is_delivered() && other.is_delivered() && digests.is_empty() {
            return Receipt::delivered(batch.len());
        }
        let (mut one, mut other) = (one.into_outcomes().into_iter(), other.into_outcomes().into_iter());
        let mut half = self.half();
        let outcomes = batch.iter().enumerate().map(|(at, payload)| {
            let next = |has: &[bool], sent: &mut std::vec::IntoIter<Outcome>| match has.get(at) {
                Some(true) => Outcome::Delivered,
                _ => sent.next().unwrap_or_else(untold),
            };
            let pair = [next(&has_one, &mut one), next(&has_other, &mut other)];
            let digest = digests.get(at).copied().unwrap_or_else(|| self.digest(payload));
            Self::settle(&mut half, digest, pair)
        });
        Receipt::new(outcomes.collect())
    }

    /// The smaller of the two, so that a batch fits both.
    fn max_batch(&self) -> usize {
        self.one.max_batch().min(self.other.max_batch())
    }

    async fn close(&self) -> Result<(), TransportError> {
        let (one, other) = (self.one.close().await, self.other.close().await);
        one.and(other)
    }

    /// Reports the metrics of both as those of the parts `one` and `other`.
    fn metrics(&self) -> Vec<Metric> {
        of_two([("one", self.one.metrics()), ("other", self.other.metrics())])
    }
}

fn lacking(batch: &[Payload], has: &[bool]) -> Vec<Payload> {
    let lacks = |at: &usize| has.get(*at) != Some(&true);
    (0..batch.len()).filter(lacks).filter_map(|at| batch.get(at).cloned()).collect()
}

/// The outcome for a payload that is missing in a transport's receipt.
fn untold() -> Outcome {
    let error = TransportError::new(ErrorKind::Other, "the transport returned no outcome for the payload");
    Outcome::Failed(Failure::new(Disposition::Retry { after: None }, error).in_doubt())
}

/// Concurrently, so that it takes as long as the slower one.
async fn send_both(
    one: &impl Transport,
    to_one: &[Payload],
    other: &impl Transport,
    to_other: &[Payload],
) -> [Receipt; 2] {
    let (mut one, mut other) = (one.send(to_one), other.send(to_other));
    let (mut from_one, mut from_other) = (None, None);
    poll_fn(move |context| {
        if from_one.is_none() {
            if let Poll::Ready(receipt) = one.as_mut().poll(context) {
                from_one = Some(receipt);
            }
        }
        if from_other.is_none() {
            if let Poll::Ready(receipt) = other.as_mut().poll(context) {
                from_other = Some(receipt);
            }
        }
        match (from_one.take(), from_other.take()) {
            (Some(one), Some(other)) => Poll::Ready([one, other]),
            (one, other) => {
                (from_one, from_other) = (one, other);
                Poll::Pending
            }
        }
    })
    .await
}

/// Chooses between two failures: one whose cause is not the payload comes first, because then the payload must be kept.
fn worse(one: Failure, other: Failure) -> Failure {
    let weight = |failure: &Failure| match failure.disposition {
        Disposition::Rejected => 0,
        Disposition::TooLarge => 1,
        Disposition::Misconfigured => 2,
        Disposition::Retry { .. } => 3,
    };
    let in_doubt = one.maybe_delivered || other.maybe_delivered;
    let mut failure = if weight(&other) > weight(&one) { other } else { one };
    failure.maybe_delivered = in_doubt;
    failure
}
