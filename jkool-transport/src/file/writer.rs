//! Writes the current file, without incomplete lines.

use super::builder::FileTransportBuilder;
use super::rolled::Rolled;
use super::tail::end_of_lines;
use crate::error::{ErrorKind, TransportError};
use crate::receipt::{Disposition, Failure};
use bytes::Bytes;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use tokio::time::Instant;

pub(super) struct Writer {
    settings: FileTransportBuilder,
    rolled: Arc<Rolled>,
    /// `None` if it must be opened again, which repairs it.
    current: Option<Current>,
}

struct Current {
    file: File,
    /// All of it is complete lines.
    len: u64,
    opened: Instant,
}

impl Writer {
    pub(super) fn open(
        settings: FileTransportBuilder,
        rolled: Arc<Rolled>,
        now: Instant,
    ) -> Result<Self, TransportError> {
        let current = Current::open(settings.path(), now).map_err(|error| {
            TransportError::new(ErrorKind::Config, told(settings.path(), &error)).with_source(error)
        })?;
        Ok(Self { settings, rolled, current: Some(current) })
    }

    /// Appends complete lines: all of them or none. Returns true if the file was rolled before.
    pub(super) fn write(&mut self, lines: &[Bytes], now: Instant) -> Result<bool, Failure> {
        let size = lines.iter().map(|piece| piece.len() as u64).sum();
        self.prepare(size, now).and_then(|has_rolled| self.append(lines, size).map(|()| has_rolled)).map_err(
            |(error, in_doubt)| {
                let text = told(self.settings.path(), &error);
                let failure =
                    Failure::new(meaning(&error), TransportError::new(ErrorKind::Other, text).with_source(error));
                if in_doubt { failure.in_doubt() } else { failure }
            },
        )
    }

    /// Makes sure that the file is open, is still the one at its path, and has room.
    fn prepare(&mut self, size: u64, now: Instant) -> Result<bool, (io::Error, bool)> {
        let surely_not = |error| (error, false);
        let path = self.settings.path();
        if self.current.as_ref().is_some_and(|current| !current.is_at(path)) {
            // Moved or removed by another program: nobody would read what is written to it.
            self.current = None;
        }
        let is_full = self.current.as_ref().is_some_and(|current| {
            current.len > 0
                && (current.len.saturating_add(size) > self.settings.max_size
                    || self.settings.max_age.is_some_and(|age| now.saturating_duration_since(current.opened) >= age))
        });
        if is_full {
            if let Some(current) = &self.current {
                current.file.sync_data().map_err(surely_not)?;
            }
            self.rolled.roll().map_err(surely_not)?;
            self.current = None;
        }
        if self.current.is_none() {
            self.current = Some(Current::open(path, now).map_err(surely_not)?);
        }
        Ok(is_full)
    }

    fn append(&mut self, lines: &[Bytes], size: u64) -> Result<(), (io::Error, bool)> {
        let Some(current) = &mut self.current else { return Ok(()) };
        let written = lines.iter().try_for_each(|piece| current.file.write_all(piece));
        let written = written.and_then(|()| if self.settings.sync { current.file.sync_data() } else { Ok(()) });
        match written {
            Ok(()) => {
                current.len += size;
                Ok(())
            }
            Err(error) => {
                let in_doubt = current.file.set_len(current.len).is_err();
                if in_doubt {
                    self.current = None;
                }
                Err((error, in_doubt))
            }
        }
    }

    pub(super) fn finish(self) -> Result<(), TransportError> {
        match self.current.map(|current| current.file.sync_data()) {
            Some(Err(error)) => Err(self::error(told(self.settings.path(), &error)).with_source(error)),
            _ => Ok(()),
        }
    }
}

impl Current {
    fn open(path: &Path, now: Instant) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        lock(&file)?;
        let (end, rest) = end_of_lines(&mut file)?;
        match rest {
            None => {}
            // The part of a line that a killed process left, which was never confirmed.
            Some(b'{') => file.set_len(end)?,
            Some(_) => {
                let text = "the file does not end with a JSON line, so nothing is appended to it";
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
        }
        Ok(Self { file, len: end, opened: now })
    }

    #[cfg(unix)]
    fn is_at(&self, path: &Path) -> bool {
        use std::os::unix::fs::MetadataExt;
        let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        matches!((self.file.metadata().map(id), fs::metadata(path).map(id)), (Ok(ours), Ok(there)) if ours == there)
    }

    #[cfg(not(unix))]
    fn is_at(&self, path: &Path) -> bool {
        fs::metadata(path).is_ok()
    }
}

#[cfg(unix)]
fn lock(file: &File) -> io::Result<()> {
    use rustix::fs::{FlockOperation, flock};
    flock(file, FlockOperation::NonBlockingLockExclusive).map_err(|error| match error {
        rustix::io::Errno::WOULDBLOCK => {
            io::Error::new(io::ErrorKind::ResourceBusy, "the file is in use by another process")
        }
        error => error.into(),
    })
}

#[cfg(not(unix))]
fn lock(_: &File) -> io::Result<()> {
    Ok(())
}

/// A full or busy disk can recover without a change of settings, a missing folder cannot.
fn meaning(error: &io::Error) -> Disposition {
    match error.kind() {
        io::ErrorKind::NotFound
        | io::ErrorKind::PermissionDenied
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::InvalidData
        | io::ErrorKind::ReadOnlyFilesystem => Disposition::Misconfigured,
        _ => Disposition::Retry { after: None },
    }
}

fn told(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

pub(super) fn error(text: impl Into<Arc<str>>) -> TransportError {
    TransportError::new(ErrorKind::Other, text)
}
