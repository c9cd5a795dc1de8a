//! The Kafka transport, which sends groups of records and builds receipts from their delivery reports.

use crate::builder::KafkaTransportBuilder;
use crate::key::RecordKey;
use crate::producer::{Producer, Report, StartError};
use crate::stats::{Counters, KafkaStats};
use crate::verdict;
use async_trait::async_trait;
use jkool_transport::{
    Disposition, ErrorKind, Failure, Metric, Payload, Receipt, ReceiptBuilder, Transport, TransportError,
};
use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long to wait before a record is enqueued again after the queue of librdkafka was full.
const FULL: Duration = Duration::from_millis(5);

/// A transport that sends payloads as records to an Apache Kafka topic.
///
/// The value of a record is the JSON of the payload, and [`RecordKey`] selects its key. It has no headers. The producer is idempotent,
/// and a record counts as delivered when all in-sync replicas have it.
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
    /// `None` when the transport is closed. A send holds a clone while it waits for reports.
    producer: Mutex<Option<Arc<Producer>>>,
}

impl KafkaTransport {
    /// Returns a builder for a transport.
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

    /// Returns the counters of records, and the state of the connections to the brokers.
    pub fn stats(&self) -> KafkaStats {
        let producer = self.current().as_ref().map(|producer| producer.stats());
        self.counters.read(producer.unwrap_or_default())
    }

    fn current(&self) -> MutexGuard<'_, Option<Arc<Producer>>> {
        self.producer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the producer for the next group. Replaces it if it is retired, and fails if the transport is closed.
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

    /// Enqueues the records of a group in order, up to an error that would also affect the others, and waits for the reports.
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
                // The sender is dropped without a report only because of a bug; then the outcome is unknown.
                Ok(report) => report.await.unwrap_or(Err(Code::Fail)),
                Err(code) => Err(code),
            };
            let result = report.map_err(|code| verdict::failure(code, producer.trouble()));
            if result.as_ref().is_err_and(|failure| failure.disposition == Disposition::Misconfigured) {
                // librdkafka caches for minutes that a topic is unknown or forbidden, even after this was corrected.
                producer.retire();
            }
            receipt.record(1, result);
        }
    }

    async fn enqueue(&self, producer: &Producer, payload: &Payload) -> Result<oneshot::Receiver<Report>, Code> {
        let key = self.key.of(payload);
        loop {
            match producer.enqueue(&self.topic, key.as_deref(), payload.body()) {
                // Every record in the queue leaves it after its timeout at the latest.
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

    /// Waits until every record has its delivery report, including those of cancelled sends. The builder's
    /// [`timeout`](KafkaTransportBuilder::timeout) limits this time.
    async fn close(&self) -> Result<(), TransportError> {
        let producer = self.current().take();
        if let Some(mut ended) = producer.map(|producer| producer.ended()) {
            // The value never changes, so this loop ends when the thread ends.
            while ended.changed().await.is_ok() {}
        }
        Ok(())
    }

    fn metrics(&self) -> Vec<Metric> {
        self.stats().metrics()
    }
}

/// Shows only topic and key, because other settings may be secret.
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
        // The value is omitted, because it may be a password.
        StartError::Config(KafkaError::ClientConfig(_, reason, name, _)) => {
            TransportError::new(ErrorKind::Config, format!("librdkafka rejected the property {name}: {reason}"))
        }
        StartError::Config(error) => TransportError::new(ErrorKind::Config, format!("librdkafka: {error}")),
        StartError::Thread(error) => {
            TransportError::new(ErrorKind::Other, "a thread could not be started").with_source(error)
        }
    }
}
