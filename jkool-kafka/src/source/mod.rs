//! A topic as a source for `jkool-relay`: consumers of a group share its partitions.

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

/// How long a commit is waited for.
const COMMIT: Duration = Duration::from_secs(2);
/// How long it may take to leave the group.
const LEAVE: Duration = Duration::from_secs(5);

/// Reads a topic of Apache Kafka as a member of a consumer group, for a `jkool_relay::Relay`.
///
/// Offsets are committed when what stands before them is delivered or durable, and by no other way. Partitions are shared
/// cooperatively: a member that comes or goes holds up those partitions alone that change hands, and they go when nothing of them is
/// under way. A group without offsets begins with the oldest record.
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
    /// One that was given up waiting for; there is no second one beside it.
    committing: Option<JoinHandle<Result<(), SourceError>>>,
}

impl KafkaSource {
    /// The settings of a new source.
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

    /// It stays in the group until [`close`](Source::close), so that the last commit counts.
    fn stop(&mut self) {
        self.consumer.pause(true);
    }

    async fn commit(&mut self, positions: &[Position]) -> Result<(), SourceError> {
        if self.committing.as_ref().is_some_and(|committing| !committing.is_finished()) {
            return Err(SourceError::new(format!("{}: an earlier commit is not answered yet", self.name)));
        }
        let (consumer, positions) = (Arc::clone(&self.consumer), positions.to_vec());
        let committing = tokio::task::spawn_blocking(move || consumer.commit(&positions));
        match tokio::time::timeout(COMMIT, self.committing.insert(committing)).await {
            Ok(Ok(committed)) => committed,
            Ok(Err(error)) => Err(SourceError::new("committing ended early").with_source(error)),
            Err(_) => Err(SourceError::new(format!("{}: a commit is not answered in time", self.name))),
        }
    }

    async fn close(&mut self) -> Result<(), SourceError> {
        // Who gives partitions back waits for nobody any more.
        self.batches.close();
        while self.batches.try_recv().is_ok() {}
        let mut ended = self.consumer.leave();
        // It never changes, so this ends when the thread does.
        let left = async { while ended.changed().await.is_ok() {} };
        match tokio::time::timeout(LEAVE, left).await {
            Ok(()) => Ok(()),
            Err(_) => Err(SourceError::new(format!("{}: the group could not be left in time", self.name))),
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
