//! A source that reads a folder of files with JSON lines, as `FileTransport` writes them.

mod listing;
mod positions;
mod reader;

use crate::source::{Next, Position, Source, SourceError};
use async_trait::async_trait;
use positions::{Known, Positions};
use reader::{Control, Reader};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// The maximum number of pieces that were read and not taken yet.
const WAITING: usize = 4;

/// A source that reads the files `*.jsonl` and `*.jsonl.gz` of a folder, the oldest names first, and keeps reading as files grow and new
/// files appear.
///
/// Files may be rotated and compressed at the same time, as `FileTransport` does. The position in each file is stored in
/// `.jkool-relay.json`, by default in the same folder. A line is read when its line break has been written. Only one relay at a time can
/// read a folder.
pub struct FolderSource {
    name: String,
    known: Arc<Mutex<Known>>,
    positions: Arc<Positions>,
    batches: mpsc::Receiver<Result<Next, SourceError>>,
    control: Arc<Control>,
}

impl FolderSource {
    /// Opens a folder, and stores the positions in it.
    ///
    /// # Errors
    /// Returns an error if the folder cannot be read or written, if another relay reads it, or if the stored positions cannot be read.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, SourceError> {
        let folder = folder.into();
        let positions = folder.join(".jkool-relay.json");
        Self::with_positions(folder, positions)
    }

    /// Opens a folder, and stores the positions in another file, for example if the folder is not writable.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn with_positions(folder: impl AsRef<Path>, file: impl Into<PathBuf>) -> Result<Self, SourceError> {
        let folder = folder.as_ref();
        let shown = folder.display();
        let failed = |error| SourceError::new(format!("the folder {shown} can't be read")).with_source(error);
        let folder = folder.canonicalize().map_err(failed)?;
        drop(std::fs::read_dir(&folder).map_err(failed)?);
        let (positions, known) = Positions::open(file.into())?;
        let (known, control) = (Arc::new(Mutex::new(known)), Arc::<Control>::default());
        let (to, batches) = mpsc::channel(WAITING);
        let reader = Reader::new(folder.clone(), Arc::clone(&known), Arc::clone(&control), to);
        // The reader ends when the source is stopped or dropped.
        let started = jkool_client::spawn_thread("jkool-folder", move || reader.run());
        started.map_err(|error| SourceError::new("a thread could not be started").with_source(error))?;
        let name = format!("folder {}", folder.display());
        Ok(Self { name, known, positions: Arc::new(positions), batches, control })
    }
}

#[async_trait]
impl Source for FolderSource {
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
        self.control.pause(true);
    }

    fn resume(&mut self) {
        self.control.pause(false);
    }

    fn stop(&mut self) {
        self.control.stop();
        // Pieces that were read and not taken yet are read again.
        self.batches.close();
        while self.batches.try_recv().is_ok() {}
    }

    async fn commit(&mut self, positions: &[Position]) -> Result<(), SourceError> {
        let known = {
            let mut known = lock(&self.known);
            known.commit(positions);
            known.clone()
        };
        let file = Arc::clone(&self.positions);
        let written = tokio::task::spawn_blocking(move || file.write(&known));
        written.await.map_err(|error| {
            SourceError::new("the thread that writes positions ended unexpectedly").with_source(error)
        })?
    }

    async fn close(&mut self) -> Result<(), SourceError> {
        self.stop();
        Ok(())
    }
}

impl Drop for FolderSource {
    fn drop(&mut self) {
        self.control.stop();
    }
}

impl fmt::Debug for FolderSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FolderSource").field("name", &self.name).finish_non_exhaustive()
    }
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}
