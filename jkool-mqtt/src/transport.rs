//! The MQTT transport, which sends groups of messages and builds receipts from their acknowledgements.

use crate::builder::MqttTransportBuilder;
use crate::driver::Driver;
use crate::packet::Connect;
use crate::session::{Message, Session};
use crate::stats::{Counters, MqttStats};
use crate::topic::Topic;
use crate::verdict;
use async_trait::async_trait;
use jkool_transport::{
    Connector, ErrorKind, Failure, Metric, Payload, Receipt, ReceiptBuilder, Transport, TransportError,
};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};

/// The maximum number of groups that wait for the delivery task.
const UNITS: usize = 16;

/// A transport that sends payloads as messages of QoS 1 to an MQTT 5 or 3.1.1 broker.
///
/// The payload of a message is the event as JSON, as TNT4J's MQTT sink writes it. The message is not retained. It is delivered when the
/// broker has acknowledged it. Until then the transport keeps it, and sends it again over a new connection: in order, and before other
/// messages. [`timeout`](MqttTransportBuilder::timeout) limits this time.
///
/// A task on the runtime of the first send does the work. It ends when the transport is closed or dropped and every message has its
/// answer.
///
/// ```no_run
/// use jkool_mqtt::MqttTransport;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let transport = MqttTransport::builder()
///     .server("mqtts://broker.example.com")
///     .credentials("shop", "secret")
///     .topic("jkool/{server}/{source}")
///     .build()?;
/// let client = jkool_client::Client::builder().transport(transport).build()?;
/// # Ok(())
/// # }
/// ```
pub struct MqttTransport {
    pub(crate) connector: Arc<Connector>,
    pub(crate) connect: Arc<Connect>,
    pub(crate) topic: Topic,
    pub(crate) max_batch: usize,
    pub(crate) max_in_flight: u16,
    pub(crate) timeout: Duration,
    pub(crate) counters: Arc<Counters>,
    pub(crate) task: Mutex<Task>,
}

/// The state of the delivery task.
pub(crate) enum Task {
    /// The task is not started yet.
    Idle,
    Running {
        units: mpsc::Sender<Vec<Message>>,
        ended: watch::Receiver<()>,
    },
    /// The transport is closed; the task still delivers the messages that it has.
    Closed(Option<watch::Receiver<()>>),
}

impl MqttTransport {
    /// Returns a builder for a transport.
    pub fn builder() -> MqttTransportBuilder {
        MqttTransportBuilder::new()
    }

    /// Returns the counters since the transport was built.
    pub fn stats(&self) -> MqttStats {
        self.counters.read()
    }

    fn task(&self) -> MutexGuard<'_, Task> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the channel to the task. Starts the task if there is none, or if its runtime has ended.
    fn units(&self) -> Result<mpsc::Sender<Vec<Message>>, Failure> {
        let mut task = self.task();
        match &*task {
            Task::Closed(_) => return Err(verdict::closed()),
            Task::Running { units, .. } if !units.is_closed() => return Ok(units.clone()),
            Task::Running { .. } | Task::Idle => {}
        }
        let runtime = Handle::try_current().map_err(|error| {
            let error = TransportError::new(ErrorKind::Other, "not called within a tokio runtime").with_source(error);
            Failure::new(verdict::RETRY, error)
        })?;
        let (units, receiver) = mpsc::channel(UNITS);
        let (end, ended) = watch::channel(());
        let counters = Arc::clone(&self.counters);
        let driver = Driver {
            connector: Arc::clone(&self.connector),
            connect: Arc::clone(&self.connect),
            units: receiver,
            session: Session::new(self.connect.version, self.max_in_flight, self.timeout, counters),
        };
        runtime.spawn(async move {
            driver.run().await;
            drop(end);
        });
        *task = Task::Running { units: units.clone(), ended };
        Ok(units)
    }

    /// Hands the messages of a group to the task and waits for the outcome of each.
    async fn unit(&self, unit: &[Payload], receipt: &mut ReceiptBuilder) {
        let units = match self.units() {
            Ok(units) => units,
            Err(failure) => return receipt.record(unit.len(), Err(failure)),
        };
        let (messages, answers): (Vec<_>, Vec<_>) = unit.iter().map(|payload| self.message(payload)).unzip();
        // If the task has ended, its messages are lost too, and no answer arrives.
        let handed_over = units.send(messages).await.is_ok();
        for answer in answers {
            let lost = || {
                let error =
                    TransportError::new(ErrorKind::Interrupted, "the tokio runtime of the connection has ended");
                let failure = Failure::new(verdict::RETRY, error);
                if handed_over { failure.in_doubt() } else { failure }
            };
            receipt.record(1, answer.await.unwrap_or_else(|_| Err(lost())));
        }
    }

    fn message(&self, payload: &Payload) -> (Message, oneshot::Receiver<Result<(), Failure>>) {
        let (answer, answered) = oneshot::channel();
        (Message { topic: self.topic.of(payload), payload: payload.to_bytes(), answer }, answered)
    }
}

#[async_trait]
impl Transport for MqttTransport {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        let mut receipt = ReceiptBuilder::new(batch.len());
        for unit in batch.chunks(self.max_batch) {
            self.unit(unit, &mut receipt).await;
            if receipt.is_stopped() {
                break;
            }
        }
        receipt.build()
    }

    fn max_batch(&self) -> usize {
        self.max_batch
    }

    /// Waits until every message has its answer, including those of cancelled sends, and closes the connection. The builder's
    /// [`timeout`](MqttTransportBuilder::timeout) limits this time.
    async fn close(&self) -> Result<(), TransportError> {
        let ended = {
            let mut task = self.task();
            let ended = match &*task {
                Task::Idle | Task::Closed(None) => None,
                Task::Running { ended, .. } | Task::Closed(Some(ended)) => Some(ended.clone()),
            };
            *task = Task::Closed(ended.clone());
            ended
        };
        if let Some(mut ended) = ended {
            // The value never changes, so this loop ends when the task ends.
            while ended.changed().await.is_ok() {}
        }
        Ok(())
    }

    fn metrics(&self) -> Vec<Metric> {
        self.stats().metrics()
    }
}

/// Shows the broker and the client identifier, and nothing that is secret.
impl fmt::Debug for MqttTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MqttTransport")
            .field("to", &self.connector.to_string())
            .field("client_id", &self.connect.client_id)
            .field("max_batch", &self.max_batch)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
