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

/// Builds a [`FileTransport`]; see [`FileTransport::builder`].
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

    /// Sets the size in bytes at which a file rolls. The default is 64 MiB. A batch is not split, so a batch larger than this
    /// makes a larger file.
    pub fn max_size(mut self, bytes: u64) -> Self {
        self.max_size = bytes;
        self
    }

    /// Sets the time after which a file rolls, counted from when this process first wrote to it, and checked on writes. By
    /// default files do not roll by time.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Whether each batch is synced to disk (`fdatasync`) before it is confirmed. The default is false: a file then survives
    /// `kill -9` of the process, but not a power failure.
    pub fn sync(mut self, sync: bool) -> Self {
        self.sync = sync;
        self
    }

    /// Sets how many rolled files are kept; older ones are deleted. By default all are kept.
    pub fn keep(mut self, files: usize) -> Self {
        self.keep = Some(files);
        self
    }

    /// Compresses rolled files in the background: `events.000001.jsonl.gz`. The default is false.
    #[cfg(feature = "file-gzip")]
    #[cfg_attr(docsrs, doc(cfg(feature = "file-gzip")))]
    pub fn gzip(mut self, gzip: bool) -> Self {
        self.gzip = gzip;
        self
    }

    /// Opens the file, and removes an incomplete last line.
    ///
    /// # Errors
    /// If the file cannot be written, another process writes to it, or it contains something else than JSON lines.
    pub fn build(self) -> Result<FileTransport, TransportError> {
        if self.path.file_name().and_then(|name| name.to_str()).is_none() {
            return Err(TransportError::new(ErrorKind::Config, "path: must name a file, in UTF-8"));
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
