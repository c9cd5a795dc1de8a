//! What VictoriaLogs does not keep, such as events that are older than its retention: a file for people to look at.

use crate::store::{StoreError, Stored};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The file of what was refused.
#[derive(Debug)]
pub(super) struct Refused {
    path: PathBuf,
    count: AtomicU64,
}

impl Refused {
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self { path: folder.join("refused.jsonl"), count: AtomicU64::new(0) }
    }

    /// Writes entities to the file, one a line, as they were received.
    pub(super) fn keep(&self, entities: &[Arc<Stored>]) -> Result<(), StoreError> {
        if entities.is_empty() {
            return Ok(());
        }
        let mut lines = Vec::new();
        for stored in entities {
            // In JSON, a new line means no more than a space.
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

    /// What there is to tell, if anything was refused since the start.
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
