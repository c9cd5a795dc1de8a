//! Where records come from.

use async_trait::async_trait;
use jkool_client::model::Timestamp;
use std::fmt;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A place in a source: so much of a partition.
///
/// A partition is a part of a source whose records have an order, such as a partition of a topic or a file; its number is the source's
/// own choice. The offset is where the next record begins, in the source's own unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// Which partition.
    pub partition: u64,
    /// Where the record behind this place begins.
    pub offset: u64,
}

/// One record, which should hold one entity as JSON.
#[derive(Debug, Clone)]
pub struct Record {
    /// The place behind it.
    pub position: Position,
    /// What it holds, as it came.
    pub body: Vec<u8>,
    /// When it was written, for an entity that does not say its time.
    pub time: Option<Timestamp>,
}

/// What comes next from a source.
#[derive(Debug)]
pub enum Next {
    /// Records, in the order of their partitions.
    Records(Vec<Record>),
    /// Partitions that go to another relay.
    Revoked(Revoked),
    /// What a person should know, such as that a file can't be read.
    Notice(String),
    /// Nothing comes any more.
    End,
}

/// Partitions that go to another relay, which starts where this one has committed.
///
/// The relay waits for a while for what of them is under way, and then answers with the positions to be committed.
#[derive(Debug)]
pub struct Revoked {
    /// Their numbers.
    pub partitions: Vec<u64>,
    /// Takes how far each of them has come that has made progress since the last commit.
    pub done: oneshot::Sender<Vec<Position>>,
}

/// Where records come from. A [`Relay`](crate::Relay) is the only one that calls these methods.
#[async_trait]
pub trait Source: fmt::Debug + Send + 'static {
    /// What it is called in messages, such as `kafka topic orders`. Together with a position it identifies a record, so it is the same
    /// after a restart.
    fn name(&self) -> &str;

    /// Whether what was not committed is given again, to the next relay that starts. When not, what is under way when the relay is
    /// killed is lost.
    fn repeats(&self) -> bool;

    /// What comes next, however long that takes.
    ///
    /// # Errors
    /// When there will never be anything more. What passes by itself is no error: the source tries again.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped before it is ready.
    async fn next(&mut self) -> Result<Next, SourceError>;

    /// Gives no new records until [`resume`](Self::resume); what was read already may still come, and partitions may be revoked.
    fn pause(&mut self);

    /// Gives records again.
    fn resume(&mut self);

    /// Reads nothing new for good. A source that does not repeat still gives what it has, and then [`Next::End`]; of any other records are
    /// not taken any more.
    fn stop(&mut self);

    /// All that stands before these positions need not be given again, also after a restart. At most one position for each partition.
    ///
    /// # Errors
    /// When that could not be kept. It is tried again with later positions.
    async fn commit(&mut self, positions: &[Position]) -> Result<(), SourceError>;

    /// Lets go of files, connections and partitions, after the last commit.
    ///
    /// # Errors
    /// When the last commit could not be kept.
    async fn close(&mut self) -> Result<(), SourceError>;
}

/// What a source could not do.
#[derive(Debug, Clone)]
pub struct SourceError {
    message: Arc<str>,
    cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl SourceError {
    /// An error in the source's own words.
    pub fn new(message: impl Into<Arc<str>>) -> Self {
        Self { message: message.into(), cause: None }
    }

    /// Adds what caused it.
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
