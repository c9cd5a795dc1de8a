//! A file of the entities that VictoriaLogs does not keep, for example because they are older than its retention.
//! People can read it.

use crate::store::{StoreError, Stored};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The file of refused entities.
#[derive(Debug)]
pub(super) struct Refused {
    path: PathBuf,
    count: AtomicU64,
}

impl Refused {
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self { path: folder.join("refused.jsonl"), count: AtomicU64::new(0) }
    }

    /// Appends entities to the file as they were received, one per line.
    pub(super) fn keep(&self, entities: &[Arc<Stored>]) -> Result<(), StoreError> {
        if entities.is_empty() {
            return Ok(());
        }
        let mut lines = Vec::new();
        for stored in entities {
            // In JSON, a line break has the same meaning as a space.
            lines.extend(stored.json.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
            lines.push(b'\n');
        }
        let write = || {
            let mut options = OpenOptions::new();
            options.append(true).create(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&self.path)?;
            file.write_all(&lines)?;
            file.sync_all()
        };
        write().map_err(|error: std::io::Error| StoreError::io(&error).at(&self.path))?;
        self.count.fetch_add(entities.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Returns a message if entities were refused since the start.
    pub(super) fn notice(&self) -> Option<String> {
        let count = self.count.load(Ordering::Relaxed);
        let path = self.path.display();
        let text = || {
            format!(
                "VictoriaLogs does not keep {count} entities, mostly for their times (see its -retentionPeriod and -futureRetention): they are in {path}"
            )
        };
        (count > 0).then(text)
    }
}
