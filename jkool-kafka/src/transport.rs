//! The transport: units of records, and the receipts that their reports make.

use crate::builder::KafkaTransportBuilder;
use crate::key::RecordKey;
use crate::producer::{Producer, Report, StartError};
use crate::stats::{Counters, KafkaStats};
use crate::verdict;
use async_trait::async_trait;
use jkool_transport::{Disposition, ErrorKind, Failure, Payload, Receipt, ReceiptBuilder, Transport, TransportError};
use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a record waits for room in a full queue of librdkafka before it is tried again.
const FULL: Duration = Duration::from_millis(5);

/// Sends payloads as records to a topic of Apache Kafka.
///
/// The value of a record is the payload's JSON, its key what [`RecordKey`] says; it has no headers. The producer is idempotent,
/// and a record is delivered when all replicas that are in sync have it.
///
/// ```no_run
/// use jkool_kafka::KafkaTransport;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let transport = KafkaTransport::builder().brokers("kafka-1:9092,kafka-2:9092").topic("jkool").build()?;
/// let client = jkool_client::Client::builder().transport(transport).build()?;
/// # Ok(())
/// # }
/// ```
pub struct KafkaTransport {
    config: ClientConfig,
    topic: String,
    key: RecordKey,
    max_batch: usize,
    counters: Arc<Counters>,
    /// None when closed. A send holds it as long as it waits for reports.
    producer: Mutex<Option<Arc<Producer>>>,
}

impl KafkaTransport {
    /// The settings of a new transport.
    pub fn builder() -> KafkaTransportBuilder {
        KafkaTransportBuilder::new()
    }

    pub(crate) fn start(
        config: ClientConfig,
        topic: String,
        key: RecordKey,
        max_batch: usize,
    ) -> Result<Self, TransportError> {
        let counters = Arc::default();
        let producer = Producer::start(&config, Arc::clone(&counters)).map_err(refused)?;
        Ok(Self { config, topic, key, max_batch, counters, producer: Mutex::new(Some(Arc::new(producer))) })
    }

    /// How many records went where since the transport was built.
    pub fn stats(&self) -> KafkaStats {
        self.counters.read()
    }

    fn current(&self) -> MutexGuard<'_, Option<Arc<Producer>>> {
        self.producer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The producer for the next unit, none when the transport is closed. One that is retired is replaced.
    fn producer(&self) -> Result<Arc<Producer>, Failure> {
        let mut current = self.current();
        let producer = current.as_ref().ok_or_else(verdict::closed)?;
        if !producer.is_retired() {
            return Ok(Arc::clone(producer));
        }
        let started = Producer::start(&self.config, Arc::clone(&self.counters));
        let producer = Arc::new(started.map_err(|_| verdict::failure(Code::Fatal, None))?);
        *current = Some(Arc::clone(&producer));
        Ok(producer)
    }

    /// Hands over the records of a unit in order, up to an error that the rest would meet too, and waits for the reports.
    async fn unit(&self, producer: &Producer, unit: &[Payload], receipt: &mut ReceiptBuilder) {
        let mut waiting = Vec::with_capacity(unit.len());
        for payload in unit {
            let enqueued = self.enqueue(producer, payload).await;
            let is_over = enqueued.as_ref().is_err_and(|code| verdict::failure(*code, None).holds_for_all());
            waiting.push(enqueued);
            if is_over {
                break;
            }
        }
        for enqueued in waiting {
            let report = match enqueued {
                // The sender is never dropped without a report, but for a bug, and then nothing is known.
                Ok(report) => report.await.unwrap_or(Err(Code::Fail)),
                Err(code) => Err(code),
            };
            let result = report.map_err(|code| verdict::failure(code, producer.trouble()));
            if result.as_ref().is_err_and(|failure| failure.disposition == Disposition::Misconfigured) {
                // It remembers for minutes that a topic is unknown or forbidden, even when that has been put right.
                producer.retire();
            }
            receipt.record(1, result);
        }
    }

    async fn enqueue(&self, producer: &Producer, payload: &Payload) -> Result<oneshot::Receiver<Report>, Code> {
        let key = self.key.of(payload);
        loop {
            match producer.enqueue(&self.topic, key.as_deref(), payload.body()) {
                // Every record in the queue leaves it by its time-out at the latest.
                Err(Code::QueueFull) => tokio::time::sleep(FULL).await,
                enqueued => {
                    if enqueued.is_ok() {
                        self.counters.enqueued();
                    }
                    return enqueued;
                }
            }
        }
    }
}

#[async_trait]
impl Transport for KafkaTransport {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        let mut receipt = ReceiptBuilder::new(batch.len());
        for unit in batch.chunks(self.max_batch) {
            match self.producer() {
                Ok(producer) => self.unit(&producer, unit, &mut receipt).await,
                Err(failure) => receipt.record(unit.len(), Err(failure)),
            }
            if receipt.is_stopped() {
                break;
            }
        }
        receipt.build()
    }

    fn max_batch(&self) -> usize {
        self.max_batch
    }

    /// Waits until every record has its delivery report, those of cancelled sends included, which the builder's
    /// [`timeout`](KafkaTransportBuilder::timeout) limits.
    async fn close(&self) -> Result<(), TransportError> {
        let producer = self.current().take();
        if let Some(mut ended) = producer.map(|producer| producer.ended()) {
            // It never changes, so this ends when the thread does.
            while ended.changed().await.is_ok() {}
        }
        Ok(())
    }
}

/// Shows no setting but topic and key: others may be secret.
impl fmt::Debug for KafkaTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaTransport")
            .field("topic", &self.topic)
            .field("key", &self.key)
            .field("max_batch", &self.max_batch)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

fn refused(error: StartError) -> TransportError {
    match error {
        // The value is not told: it may be a password.
        StartError::Config(KafkaError::ClientConfig(_, reason, name, _)) => {
            TransportError::new(ErrorKind::Config, format!("librdkafka refuses the property {name}: {reason}"))
        }
        StartError::Config(error) => TransportError::new(ErrorKind::Config, format!("librdkafka: {error}")),
        StartError::Thread(error) => {
            TransportError::new(ErrorKind::Other, "no thread could be started").with_source(error)
        }
    }
}
