//! The relay as a program holds it.

use crate::builder::RelayBuilder;
use crate::dead_letters::Writer;
use crate::engine::Engine;
use crate::source::{Source, SourceError};
use crate::status::RelayStatus;
use jkool_client::{ClientBuilder, LossReason};
use std::future::Future;
use std::pin::pin;

/// Takes what comes from a source, and streams it by a client.
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

/// How a relay has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RelayReport {
    /// Records that came from the source.
    pub received: u64,
    /// Records that are done with, and whose positions are committed.
    pub settled: u64,
    /// Dead letters among them.
    pub dead_letters: u64,
    /// Records that were under way at the end. A source that repeats gives them again; those of any other are lost.
    pub left: u64,
}

impl RelayReport {
    /// Whether nothing was left.
    pub fn is_drained(&self) -> bool {
        self.left == 0
    }
}

/// Why a relay has ended before it was told to.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RelayError {
    /// The source will never give anything more.
    #[error("{0}")]
    Source(#[source] SourceError),
    /// The client takes or delivers nothing more.
    #[error("the client has ended: {0}")]
    Client(LossReason),
}

impl Relay {
    /// The settings of a relay from `source` by a client, which the relay builds.
    pub fn builder(source: impl Source, client: ClientBuilder) -> RelayBuilder {
        RelayBuilder::new(source, client)
    }

    /// How it is doing, for whoever watches it.
    pub fn status(&self) -> RelayStatus {
        self.engine.status()
    }

    /// Relays until `stop` is ready or the source has ended. Then it reads nothing new, waits for what is under way, at most for the
    /// builder's `drain_timeout`, lets the client spool the rest, commits, and ends the client.
    ///
    /// # Errors
    /// When the source or the client has failed for good. All the same it has drained and committed then.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<RelayReport, RelayError> {
        let Self { mut engine, mut writer } = self;
        let relayed = engine.relay(pin!(stop), pin!(writer.run())).await;
        engine.finish().await;
        relayed.map(|()| engine.report())
    }
}
