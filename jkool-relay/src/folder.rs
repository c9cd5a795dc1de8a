//! A folder of JSON lines, as `FileTransport` writes them.

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

/// How many pieces wait that were read.
const WAITING: usize = 4;

/// Reads the files `*.jsonl` and `*.jsonl.gz` of a folder, the oldest names first, and goes on as they grow and as new ones come.
///
/// Files may roll and be compressed meanwhile, as `FileTransport` does it. How far each was relayed is
/// remembered in `.jkool-relay.json`, which is in the folder unless said otherwise. A line counts when its line break is there. One
/// relay at a time reads a folder.
pub struct FolderSource {
    name: String,
    known: Arc<Mutex<Known>>,
    positions: Arc<Positions>,
    batches: mpsc::Receiver<Result<Next, SourceError>>,
    control: Arc<Control>,
}

impl FolderSource {
    /// Reads a folder, and remembers in it how far it is.
    ///
    /// # Errors
    /// When it is no folder that can be read and written to, another relay reads it, or what is remembered can't be read.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, SourceError> {
        let folder = folder.into();
        let positions = folder.join(".jkool-relay.json");
        Self::with_positions(folder, positions)
    }

    /// The same, which remembers in another file how far it is, such as for a folder that can't be written to.
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
        // It ends when the source is stopped or dropped.
        let started = jkool_client::spawn_thread("jkool-folder", move || reader.run());
        started.map_err(|error| SourceError::new("no thread can be started").with_source(error))?;
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
        // What was read and not taken yet is read again.
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
        written.await.map_err(|error| SourceError::new("writing positions ended early").with_source(error))?
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
