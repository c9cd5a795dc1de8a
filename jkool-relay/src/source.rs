//! The trait for the sources of a relay.

use async_trait::async_trait;
use jkool_client::model::Timestamp;
use std::fmt;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A position in a source: a partition and an offset in it.
///
/// A partition is a part of a source whose records are ordered, such as a partition of a topic, or a file. The source chooses its number,
/// and the unit of the offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// The number of the partition.
    pub partition: u64,
    /// Where the next record after this position begins.
    pub offset: u64,
}

/// A record from a source, which should contain one entity as JSON.
#[derive(Debug, Clone)]
pub struct Record {
    /// The position after the record.
    pub position: Position,
    /// The content of the record, unchanged.
    pub body: Vec<u8>,
    /// When the record was written. An entity without a time gets this one.
    pub time: Option<Timestamp>,
}

/// What [`Source::next`] returns.
#[derive(Debug)]
pub enum Next {
    /// Records. Those of one partition are in order.
    Records(Vec<Record>),
    /// Partitions that move to another relay.
    Revoked(Revoked),
    /// A message for people, for example that a file cannot be read.
    Notice(String),
    /// The source has ended.
    End,
}

/// Partitions that move to another relay, which starts at the last committed positions.
///
/// The relay waits for the records of these partitions that are in flight, up to a timeout, and then answers with the positions to commit.
#[derive(Debug)]
pub struct Revoked {
    /// The numbers of the partitions.
    pub partitions: Vec<u64>,
    /// Receives the positions to commit: one for each of these partitions that has made progress since the last commit. Drop the receiver
    /// if another relay may already read the partitions: the relay then releases them at once.
    pub done: oneshot::Sender<Vec<Position>>,
}

/// A source of records. Implement it to relay from another system; only [`Relay`](crate::Relay) calls the methods.
#[async_trait]
pub trait Source: fmt::Debug + Send + 'static {
    /// Returns the name of the source for messages, such as `kafka topic orders`. Name and position together identify a record, so the name
    /// must be the same after a restart.
    fn name(&self) -> &str;

    /// Whether the next relay gets records again that were not committed. If not, records in flight are lost when the relay is killed.
    fn repeats(&self) -> bool;

    /// Waits for the next records or another notification, without a timeout.
    ///
    /// # Errors
    /// Returns an error only if the source failed permanently. After a temporary failure the source retries by itself.
    ///
    /// # Cancel safety
    /// This method is cancel safe: no record is lost if the future is dropped before it is ready.
    async fn next(&mut self) -> Result<Next, SourceError>;

    /// Stops reading records until [`resume`](Self::resume). Records that were already read may still be returned, and partitions may be
    /// revoked.
    fn pause(&mut self);

    /// Reads records again after [`pause`](Self::pause).
    fn resume(&mut self);

    /// Stops reading permanently. A source that does not [repeat](Self::repeats) still returns the records that it has, and then
    /// [`Next::End`]. From other sources the relay takes no more records.
    fn stop(&mut self);

    /// Stores these positions: records before them need not be returned again, also after a restart. There is at most one position for each
    /// partition.
    ///
    /// # Errors
    /// Returns an error if the positions could not be stored. The relay tries again with later positions.
    async fn commit(&mut self, positions: &[Position]) -> Result<(), SourceError>;

    /// Releases files, connections and partitions after the last commit.
    ///
    /// # Errors
    /// Returns an error if the last commit could not be stored.
    async fn close(&mut self) -> Result<(), SourceError>;
}

/// An error of a source.
#[derive(Debug, Clone)]
pub struct SourceError {
    message: Arc<str>,
    cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl SourceError {
    /// Creates an error with a message.
    pub fn new(message: impl Into<Arc<str>>) -> Self {
        Self { message: message.into(), cause: None }
    }

    /// Sets the cause of the error.
    #[must_use]
    pub fn with_source(mut self, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.cause = Some(Arc::new(cause));
        self
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SourceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}
