//! The relay, and the report of its end.

use crate::builder::RelayBuilder;
use crate::dead_letters::Writer;
use crate::engine::Engine;
use crate::source::{Source, SourceError};
use crate::status::RelayStatus;
use jkool_client::{ClientBuilder, LossReason};
use std::future::Future;
use std::pin::pin;

/// Reads records from a [`Source`], sends them with a client, and commits the positions of settled records.
///
/// ```
/// use jkool_client::Client;
/// use jkool_client::transport::MemoryTransport;
/// use jkool_relay::{FolderSource, Relay};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("jkool-relay-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// std::fs::write(folder.join("events.jsonl"), "{\"operation\":\"ProcessOrder\",\"source-fqn\":\"APPL=Orders\"}\n")?;
/// let memory = MemoryTransport::new();
/// let relay = Relay::builder(FolderSource::open(&folder)?, Client::builder().transport(memory.clone())).build()?;
///
/// let status = relay.status();
/// let stop = async {
///     while status.settled() == 0 {
///         tokio::time::sleep(std::time::Duration::from_millis(10)).await;
///     }
/// };
/// let report = relay.run(stop).await?;
/// assert!(report.is_drained());
/// assert_eq!(memory.payloads().len(), 1);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Relay {
    pub(crate) engine: Engine,
    pub(crate) writer: Writer,
}

/// The result of a relay that was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RelayReport {
    /// Records that were received from the source.
    pub received: u64,
    /// Records that are settled and whose positions are committed.
    pub settled: u64,
    /// The number of settled records that became dead letters.
    pub dead_letters: u64,
    /// Records that were in flight at the end. The next relay reads them again if the source [repeats](Source::repeats); otherwise they
    /// are lost.
    pub left: u64,
}

impl RelayReport {
    /// Whether no records were left in flight.
    pub fn is_drained(&self) -> bool {
        self.left == 0
    }
}

/// Why a relay ended before it was stopped.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RelayError {
    /// The source failed permanently.
    #[error("{0}")]
    Source(#[source] SourceError),
    /// The client does not accept or deliver events any more.
    #[error("the client no longer accepts events: {0}")]
    Client(LossReason),
}

impl Relay {
    /// Returns a builder for a relay that reads from `source` and sends with a client, which the relay builds.
    pub fn builder(source: impl Source, client: ClientBuilder) -> RelayBuilder {
        RelayBuilder::new(source, client)
    }

    /// Returns a handle to the state and the counters of the relay.
    pub fn status(&self) -> RelayStatus {
        self.engine.status()
    }

    /// Relays until `stop` is ready or the source has ended. Then it reads no new records, waits for the records in flight, at most for the
    /// builder's `drain_timeout`, lets the client write the rest to its spool, commits, and shuts the client down.
    ///
    /// # Errors
    /// Returns an error if the source or the client failed permanently. In this case, too, it waits for the records in flight and commits.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<RelayReport, RelayError> {
        let Self { mut engine, mut writer } = self;
        let relayed = engine.relay(pin!(stop), pin!(writer.run())).await;
        engine.finish().await;
        relayed.map(|()| engine.report())
    }
}
