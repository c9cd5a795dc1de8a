//! A transport for tests, which records what it is sent.

mod decode;
mod step;

pub use decode::DecodeError;
pub use step::Step;

use crate::error::{ErrorKind, TransportError};
use crate::payload::{Kind, Payload};
use crate::receipt::{Disposition, Failure, Receipt};
use crate::receipt_builder::ReceiptBuilder;
use crate::transport::Transport;
use async_trait::async_trait;
use serde::de::DeserializeOwned;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A transport for tests: it records what it is sent, and can be scripted to fail.
///
/// Clones share their state, so a test keeps one and passes another to the client.
///
/// ```
/// use jkool_transport::{Disposition, ErrorKind, Failure, Kind, MemoryTransport, Payload, Step, Transport, TransportError};
///
/// let transport = MemoryTransport::new();
/// let busy = TransportError::new(ErrorKind::Answer, "the server is busy");
/// transport.push(Step::Fail(Failure::new(Disposition::Retry { after: None }, busy)));
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
/// # runtime.block_on(async {
/// let payload = Payload::new(Kind::Event, r#"{"operation":"ProcessOrder"}"#);
/// assert!(!transport.send(&[payload.clone()]).await.is_delivered());
/// assert!(transport.send(&[payload]).await.is_delivered());
/// # });
///
/// #[derive(serde::Deserialize)]
/// struct Event { operation: String }
///
/// let events: Vec<Event> = transport.decode(Kind::Event)?;
/// assert_eq!(events[0].operation, "ProcessOrder");
/// # Ok::<(), jkool_transport::DecodeError>(())
/// ```
#[derive(Clone)]
pub struct MemoryTransport {
    shared: Arc<Mutex<State>>,
    max_batch: usize,
}

#[derive(Default)]
struct State {
    payloads: Vec<Payload>,
    batches: Vec<usize>,
    script: VecDeque<Step>,
    closed: bool,
}

impl MemoryTransport {
    /// Creates a transport that delivers everything, in batches of up to 512.
    pub fn new() -> Self {
        Self { shared: Arc::default(), max_batch: 512 }
    }

    /// Sets the maximum number of payloads in a unit. Values below 1 count as 1.
    #[must_use]
    pub fn with_max_batch(mut self, max: usize) -> Self {
        self.max_batch = max.max(1);
        self
    }

    /// Appends a step to the script. Each unit of up to [`max_batch`](Transport::max_batch) payloads uses one step; after the
    /// end of the script, everything is delivered.
    pub fn push(&self, step: Step) {
        self.state().script.push_back(step);
    }

    /// Appends several steps to the script.
    pub fn script(&self, steps: impl IntoIterator<Item = Step>) {
        self.state().script.extend(steps);
    }

    /// Returns the payloads that were delivered, in order.
    pub fn payloads(&self) -> Vec<Payload> {
        self.state().payloads.clone()
    }

    /// Removes and returns the payloads that were delivered, in order.
    pub fn take(&self) -> Vec<Payload> {
        std::mem::take(&mut self.state().payloads)
    }

    /// Returns how many payloads were delivered and not [taken](Self::take).
    pub fn len(&self) -> usize {
        self.state().payloads.len()
    }

    /// Returns whether nothing was delivered, or everything was [taken](Self::take).
    pub fn is_empty(&self) -> bool {
        self.state().payloads.is_empty()
    }

    /// Returns the bodies of the delivered payloads, in order, as text. Invalid UTF-8 is replaced by U+FFFD.
    pub fn bodies(&self) -> Vec<String> {
        self.state().payloads.iter().map(|payload| String::from_utf8_lossy(payload.body()).into_owned()).collect()
    }

    /// Returns the delivered payloads of one kind, in order, decoded from JSON.
    ///
    /// # Errors
    /// If a payload of this kind is not JSON, or does not fit `T`; the error is about the first one.
    pub fn decode<T: DeserializeOwned>(&self, kind: Kind) -> Result<Vec<T>, DecodeError> {
        decode::all(&self.payloads(), kind)
    }

    /// Returns the number of payloads in each attempt, in order, whatever its outcome.
    pub fn batches(&self) -> Vec<usize> {
        self.state().batches.clone()
    }

    /// Returns the number of attempts, one for each unit, whatever its outcome.
    pub fn attempts(&self) -> usize {
        self.state().batches.len()
    }

    /// Each change is atomic, so a panic elsewhere leaves no partial state.
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends one unit. The lock is not held while waiting.
    async fn attempt(&self, unit: &[Payload], receipt: &mut ReceiptBuilder) {
        self.state().batches.push(unit.len());
        loop {
            let step = self.state().script.pop_front().unwrap_or(Step::Deliver);
            match step {
                Step::Delay(time) => tokio::time::sleep(time).await,
                step => return step.play(unit, &mut self.state().payloads, receipt),
            }
        }
    }
}

impl Default for MemoryTransport {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Transport for MemoryTransport {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        if self.state().closed {
            let error = TransportError::new(ErrorKind::Closed, "the transport is closed");
            return Receipt::failed(batch.len(), Failure::new(Disposition::Retry { after: None }, error));
        }
        let mut receipt = ReceiptBuilder::new(batch.len());
        for unit in batch.chunks(self.max_batch) {
            self.attempt(unit, &mut receipt).await;
            if receipt.is_stopped() {
                break;
            }
        }
        receipt.build()
    }

    fn max_batch(&self) -> usize {
        self.max_batch
    }

    async fn close(&self) -> Result<(), TransportError> {
        self.state().closed = true;
        Ok(())
    }
}

/// Shows the number of payloads, not their content.
impl fmt::Debug for MemoryTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("MemoryTransport")
            .field("payloads", &state.payloads.len())
            .field("attempts", &state.batches.len())
            .field("steps_left", &state.script.len())
            .field("max_batch", &self.max_batch)
            .field("closed", &state.closed)
            .finish()
    }
}
