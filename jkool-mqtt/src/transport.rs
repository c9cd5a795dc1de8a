//! The transport: units of messages, and the receipts that their acknowledgements make.

use crate::builder::MqttTransportBuilder;
use crate::driver::Driver;
use crate::packet::Connect;
use crate::session::{Message, Session};
use crate::stats::{Counters, MqttStats};
use crate::topic::Topic;
use crate::verdict;
use async_trait::async_trait;
use jkool_transport::{Connector, ErrorKind, Failure, Payload, Receipt, ReceiptBuilder, Transport, TransportError};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};

/// So many units may wait for the task that delivers.
const UNITS: usize = 16;

/// Sends payloads as messages of QoS 1 to a broker of MQTT 5 or 3.1.1.
///
/// The payload of a message is the event as JSON, as TNT4J's MQTT sink writes it; it is not retained. A message is delivered
/// when the broker has acknowledged it. Until then it is kept, and sent again over a new connection, in order and before all
/// else; [`timeout`](MqttTransportBuilder::timeout) limits that.
///
/// A task does the work, on the runtime of the first send. It ends when the transport is closed or dropped and every message has
/// its answer.
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

/// The task that delivers.
pub(crate) enum Task {
    /// There is nothing to deliver yet.
    Idle,
    Running {
        units: mpsc::Sender<Vec<Message>>,
        ended: watch::Receiver<()>,
    },
    /// The transport is closed; what the task still has goes on.
    Closed(Option<watch::Receiver<()>>),
}

impl MqttTransport {
    /// The settings of a new transport.
    pub fn builder() -> MqttTransportBuilder {
        MqttTransportBuilder::new()
    }

    /// How many messages went where since the transport was built.
    pub fn stats(&self) -> MqttStats {
        self.counters.read()
    }

    fn task(&self) -> MutexGuard<'_, Task> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The way to the task, which is started when there is none, or its runtime has ended.
    fn units(&self) -> Result<mpsc::Sender<Vec<Message>>, Failure> {
        let mut task = self.task();
        match &*task {
            Task::Closed(_) => return Err(verdict::closed()),
            Task::Running { units, .. } if !units.is_closed() => return Ok(units.clone()),
            Task::Running { .. } | Task::Idle => {}
        }
        let runtime = Handle::try_current().map_err(|error| {
            let error = TransportError::new(ErrorKind::Other, "not within a runtime of tokio").with_source(error);
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

    /// Hands over the messages of a unit and waits for what becomes of each.
    async fn unit(&self, unit: &[Payload], receipt: &mut ReceiptBuilder) {
        let units = match self.units() {
            Ok(units) => units,
            Err(failure) => return receipt.record(unit.len(), Err(failure)),
        };
        let (messages, answers): (Vec<_>, Vec<_>) = unit.iter().map(|payload| self.message(payload)).unzip();
        // When the task is gone its messages are too, and so no answer comes.
        let handed_over = units.send(messages).await.is_ok();
        for answer in answers {
            let lost = || {
                let error = TransportError::new(ErrorKind::Interrupted, "the runtime that delivers has ended");
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

    /// Waits until every message has its answer, those of cancelled sends included, which the builder's
    /// [`timeout`](MqttTransportBuilder::timeout) limits, and ends the connection.
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
            // It never changes, so this ends when the task does.
            while ended.changed().await.is_ok() {}
        }
        Ok(())
    }
}

/// Shows where it sends, and nothing that is secret.
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
