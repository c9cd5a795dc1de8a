//! A Kafka topic as a source for `jkool-relay`. The consumers of a group share its partitions.

mod builder;
mod consumer;

pub use builder::KafkaSourceBuilder;

use async_trait::async_trait;
use consumer::{Consumer, StartError};
use jkool_relay::{Next, Position, Source, SourceError};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// How long to wait for a commit.
const COMMIT: Duration = Duration::from_secs(2);
/// How long to wait for leaving the group.
const LEAVE: Duration = Duration::from_secs(5);

/// A source for a `jkool_relay::Relay` that reads an Apache Kafka topic as a member of a consumer group.
///
/// An offset is committed only when all records before it are delivered or durable. The rebalance is cooperative: if a member joins or
/// leaves, only the partitions that are reassigned are paused, and they are released when none of their records is in flight. A group
/// without offsets starts with the oldest record.
///
/// ```no_run
/// use jkool_client::Client;
/// use jkool_kafka::KafkaSource;
/// use jkool_relay::Relay;
///
/// # async fn relay() -> Result<(), Box<dyn std::error::Error>> {
/// let source = KafkaSource::builder().brokers("kafka-1:9092,kafka-2:9092").topic("jkool").group("relay").start()?;
/// let relay = Relay::builder(source, Client::builder().url("https://stream.meshiq.com")).build()?;
/// relay.run(std::future::pending()).await?;
/// # Ok(())
/// # }
/// ```
pub struct KafkaSource {
    name: String,
    consumer: Arc<Consumer>,
    batches: mpsc::Receiver<Result<Next, SourceError>>,
    /// A commit that timed out and still runs. No other commit is started while it runs.
    committing: Option<JoinHandle<Result<(), SourceError>>>,
}

impl KafkaSource {
    /// Returns a builder for a source.
    pub fn builder() -> KafkaSourceBuilder {
        KafkaSourceBuilder::new()
    }

    fn start(config: rdkafka::ClientConfig, topic: &str) -> Result<Self, StartError> {
        let (consumer, batches) = Consumer::start(&config, topic)?;
        Ok(Self { name: format!("kafka topic {topic}"), consumer, batches, committing: None })
    }
}

#[async_trait]
impl Source for KafkaSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn repeats(&self) -> bool {
        true
    }

    async fn next(&mut self) -> Result<Next, SourceError> {
        self.batches.recv().await.unwrap_or(Ok(Next::End))
    }

    fn pause(&mut self) {
        self.consumer.pause(true);
    }

    fn resume(&mut self) {
        self.consumer.pause(false);
    }

    /// Stops reading. The consumer stays in the group until [`close`](Source::close), so that the last commit is valid.
    fn stop(&mut self) {
        self.consumer.pause(true);
    }

    async fn commit(&mut self, positions: &[Position]) -> Result<(), SourceError> {
        if self.committing.as_ref().is_some_and(|committing| !committing.is_finished()) {
            return Err(SourceError::new(format!("{}: the previous commit has not been answered yet", self.name)));
        }
        let (consumer, positions) = (Arc::clone(&self.consumer), positions.to_vec());
        let committing = tokio::task::spawn_blocking(move || consumer.commit(&positions));
        match tokio::time::timeout(COMMIT, self.committing.insert(committing)).await {
            Ok(Ok(committed)) => committed,
            Ok(Err(error)) => Err(SourceError::new("the commit thread ended unexpectedly").with_source(error)),
            Err(_) => Err(SourceError::new(format!("{}: no answer to a commit within the timeout", self.name))),
        }
    }

    async fn close(&mut self) -> Result<(), SourceError> {
        // Revoked partitions are released without waiting any longer.
        self.batches.close();
        while self.batches.try_recv().is_ok() {}
        let mut ended = self.consumer.leave();
        // The value never changes, so this ends when the thread ends.
        let left = async { while ended.changed().await.is_ok() {} };
        match tokio::time::timeout(LEAVE, left).await {
            Ok(()) => Ok(()),
            Err(_) => Err(SourceError::new(format!("{}: the group was not left within the timeout", self.name))),
        }
    }
}

impl Drop for KafkaSource {
    fn drop(&mut self) {
        self.consumer.leave();
    }
}

impl fmt::Debug for KafkaSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaSource").field("name", &self.name).finish_non_exhaustive()
    }
}
