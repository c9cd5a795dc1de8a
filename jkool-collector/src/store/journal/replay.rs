//! Reads the journal of a process that did not close the store.

use super::MAGIC;
use super::frame::{Read, read};
use crate::store::{StoreError, Stored};
use bytes::Bytes;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The content of a journal.
#[derive(Debug, Default)]
pub(crate) struct Replayed {
    /// The entities that are not indexed, in the order of arrival.
    pub(crate) entities: Vec<Arc<Stored>>,
    /// The files, with the number of the last entity in each.
    pub(crate) files: Vec<(PathBuf, u64)>,
    /// Messages about damaged files that were set aside.
    pub(crate) notices: Vec<String>,
}

/// Reads all entities after `indexed`.
pub(crate) fn replay(folder: &Path, indexed: u64) -> Result<Replayed, StoreError> {
    let io = |error: &std::io::Error| StoreError::io(error).at(folder);
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).map_err(|error| io(&error))?.flatten().map(|file| file.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    // Sorted by the number of the first entity, which always has the same number of digits.
    paths.sort();
    let mut replayed = Replayed::default();
    for path in paths {
        let bytes = Bytes::from(fs::read(&path).map_err(|error| io(&error))?);
        let mut last = 0;
        let is_sound = one(&bytes, &mut |stored| {
            last = stored.id.sequence();
            if last > indexed {
                replayed.entities.push(Arc::new(stored));
            }
        });
        if !is_sound {
            let aside = path.with_extension("damaged");
            fs::copy(&path, &aside).map_err(|error| io(&error))?;
            replayed.notices.push(format!(
                "{} is damaged: the readable part was recovered, and a copy is {}",
                path.display(),
                aside.display()
            ));
        }
        replayed.files.push((path, last));
    }
    Ok(replayed)
}

/// Passes the entities of a file to `tell`, up to its end or to an incomplete group. Returns false if the file is
/// damaged.
fn one(bytes: &Bytes, tell: &mut dyn FnMut(Stored)) -> bool {
    if !bytes.starts_with(MAGIC) {
        return MAGIC.starts_with(bytes);
    }
    let mut at = MAGIC.len();
    while at < bytes.len() {
        match read(&bytes.slice(at..)) {
            Read::Group(entities, length) => {
                entities.into_iter().for_each(&mut *tell);
                at += length;
            }
            Read::Torn => return true,
            Read::Damaged => return false,
        }
    }
    true
}
