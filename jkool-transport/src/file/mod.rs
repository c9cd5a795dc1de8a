//! JSON lines in rolling files.

mod builder;
mod rolled;
mod tail;
mod writer;

pub use builder::FileTransportBuilder;

use crate::error::TransportError;
use crate::payload::Payload;
use crate::receipt::Receipt;
use crate::receipt_builder::ReceiptBuilder;
use crate::serial::Serial;
use crate::transport::Transport;
use async_trait::async_trait;
use rolled::Rolled;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::time::Instant;
use writer::Writer;

/// The payloads that are written and confirmed together.
const MAX_BATCH: usize = 512;

/// Writes each payload as a line to a file, which rolls by size and by time. Use it on hosts that cannot reach the service;
/// `jkool send` sends the files.
///
/// Lines are never incomplete: what a failed write or a killed process left of a line is removed before the next one is
/// written. *Delivered* means that the operating system has the line, or with [`sync`](FileTransportBuilder::sync) the disk.
/// Only one process at a time can write to a file. If another program moves or removes the file, a new one is created.
///
/// ```
/// use jkool_transport::{FileTransport, Kind, Payload, Transport};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("jkool-file-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let path = folder.join("events.jsonl");
/// let transport = FileTransport::builder(&path).max_size(256 << 20).keep(10).build()?;
///
/// let payload = Payload::new(Kind::Event, r#"{"type":"EVENT","operation":"ProcessOrder"}"#);
/// assert!(transport.send(&[payload]).await.is_delivered());
/// assert_eq!(std::fs::read_to_string(&path)?, "{\"type\":\"EVENT\",\"operation\":\"ProcessOrder\"}\n");
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok(())
/// # }
/// ```
pub struct FileTransport {
    path: PathBuf,
    writer: Serial<Writer>,
    rolled: Arc<Rolled>,
}

impl FileTransport {
    /// Returns a builder for a transport that writes to the file at `path`. A file that rolls is renamed: `events.jsonl`
    /// becomes `events.000001.jsonl`, the next one `events.000002.jsonl`.
    pub fn builder(path: impl Into<PathBuf>) -> FileTransportBuilder {
        FileTransportBuilder::new(path.into())
    }
}

#[async_trait]
impl Transport for FileTransport {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        let (len, payloads, now) = (batch.len(), batch.to_vec(), Instant::now());
        let written = self.writer.run(move |writer| {
            let (mut receipt, mut has_rolled) = (ReceiptBuilder::new(payloads.len()), false);
            for unit in payloads.chunks(MAX_BATCH) {
                let written = writer.write(&Payload::lines(unit), now);
                has_rolled |= matches!(written, Ok(true));
                receipt.record(unit.len(), written.map(drop));
                if receipt.is_stopped() {
                    break;
                }
            }
            (receipt.build(), has_rolled)
        });
        match written.await {
            Ok((receipt, has_rolled)) => {
                if has_rolled {
                    let rolled = Arc::clone(&self.rolled);
                    // Runs in the background; a failed step is repeated with the next batch, and by `close`.
                    drop(tokio::task::spawn_blocking(move || rolled.tidy()));
                }
                receipt
            }
            Err(failure) => Receipt::failed(len, failure),
        }
    }

    fn max_batch(&self) -> usize {
        MAX_BATCH
    }

    /// Syncs the file to disk, and compresses rolled files.
    async fn close(&self) -> Result<(), TransportError> {
        let Some(writer) = self.writer.close().await else { return Ok(()) };
        let rolled = Arc::clone(&self.rolled);
        let done = tokio::task::spawn_blocking(move || writer.finish().and_then(|()| rolled.tidy()));
        match done.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error),
            Err(error) => Err(writer::error("the writer thread ended unexpectedly").with_source(error)),
        }
    }
}

impl fmt::Debug for FileTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileTransport").field("path", &self.path).finish_non_exhaustive()
    }
}
