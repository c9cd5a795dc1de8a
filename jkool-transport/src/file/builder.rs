//! The settings of a file transport.

use super::FileTransport;
use super::rolled::Rolled;
use super::writer::Writer;
use crate::error::{ErrorKind, TransportError};
use crate::serial::Serial;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The settings of a [`FileTransport`]: see [`FileTransport::builder`].
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until build"]
pub struct FileTransportBuilder {
    path: PathBuf,
    pub(super) max_size: u64,
    pub(super) max_age: Option<Duration>,
    pub(super) sync: bool,
    keep: Option<usize>,
    gzip: bool,
}

impl FileTransportBuilder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, max_size: 64 << 20, max_age: None, sync: false, keep: None, gzip: false }
    }

    /// How many bytes a file has at most before it rolls: 64 MiB by default. A batch is never divided, so one that is larger
    /// makes a larger file.
    pub fn max_size(mut self, bytes: u64) -> Self {
        self.max_size = bytes;
        self
    }

    /// Rolls a file when this process has written to it for so long; looked at when something is written. By default time does
    /// not matter.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Confirms only what is on the disk (`fdatasync` for each batch). Without it, which is the default, a file survives
    /// `kill -9` of the process, but not a loss of power.
    pub fn sync(mut self, sync: bool) -> Self {
        self.sync = sync;
        self
    }

    /// Keeps so many files that have rolled, and deletes the oldest ones. By default all are kept.
    pub fn keep(mut self, files: usize) -> Self {
        self.keep = Some(files);
        self
    }

    /// Compresses files that have rolled, in the background: `events.000001.jsonl.gz`.
    #[cfg(feature = "file-gzip")]
    #[cfg_attr(docsrs, doc(cfg(feature = "file-gzip")))]
    pub fn gzip(mut self, gzip: bool) -> Self {
        self.gzip = gzip;
        self
    }

    /// Opens the file, and cuts off a line that is not complete.
    ///
    /// # Errors
    /// When the file can't be written, another process writes it, or it holds something else than JSON lines.
    pub fn build(self) -> Result<FileTransport, TransportError> {
        if self.path.file_name().and_then(|name| name.to_str()).is_none() {
            return Err(TransportError::new(ErrorKind::Config, "path: it names no file, or not in UTF-8"));
        }
        let rolled = Arc::new(Rolled::new(self.path.clone(), self.keep, self.gzip));
        let path = self.path.clone();
        let writer = Writer::open(self, Arc::clone(&rolled), Instant::now())?;
        Ok(FileTransport { path, writer: Serial::new(writer), rolled })
    }

    pub(super) fn path(&self) -> &PathBuf {
        &self.path
    }
}
