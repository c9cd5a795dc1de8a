//! Sets damaged indexes aside, and copies their readable entities to new ones.

use super::active::{Active, folder_of};
use crate::store::front::{aside, with_suffix};
use crate::store::index::Span;
use crate::store::progress::Report;
use crate::store::{StoreError, Stored};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// The indexes of a store at its start.
pub(super) struct Found {
    /// The indexes, oldest first.
    pub(super) spans: Vec<Span>,
    /// The sequence number of the last indexed entity.
    pub(super) indexed: u64,
    /// Messages about damaged indexes.
    pub(super) notices: Vec<String>,
}

/// The suffix of an index that is being rebuilt.
const REBUILDING: &str = ".rebuilding";

/// Opens the indexes below `root`. If the last process did not close the store, the index that it wrote to is checked
/// thoroughly.
pub(super) fn open_all(root: &Path, was_closed: bool, report: &Report) -> Result<Found, StoreError> {
    finish_rebuilding(root)?;
    let mut found = Found { spans: Vec::new(), indexed: 0, notices: Vec::new() };
    let numbers = numbers(root)?;
    for number in &numbers {
        let folder = folder_of(Some(root), *number).unwrap_or_default();
        let is_last = Some(number) == numbers.last();
        let opened = match Span::open(*number, &folder) {
            Ok(Some(span)) if is_sound(&span, is_last && !was_closed) => Some(span),
            Ok(None) => {
                fs::remove_dir_all(&folder).map_err(|error| StoreError::io(&error).at(&folder))?;
                None
            }
            Err(error) if error.kind() != crate::StoreErrorKind::Corrupt => return Err(error.at(&folder)),
            Ok(Some(_)) | Err(_) => Some(rebuild(*number, root, &mut found.notices, report)?),
        };
        if let Some(span) = opened {
            found.indexed = found.indexed.max(span.position()?);
            found.spans.push(span);
        }
    }
    Ok(found)
}

/// Whether the index can be read; with `thoroughly`, whether all checksums match.
fn is_sound(span: &Span, thoroughly: bool) -> bool {
    let look = || span.view(None).is_ok() && (!thoroughly || span.is_sound().is_ok_and(|is_sound| is_sound));
    // The index library may panic on damaged files.
    catch_unwind(AssertUnwindSafe(look)).unwrap_or_default()
}

/// Returns the numbers of the indexes, in order.
fn numbers(root: &Path) -> Result<Vec<u64>, StoreError> {
    let folders = fs::read_dir(root).map_err(|error| StoreError::io(&error).at(root))?;
    let number = |name: std::ffi::OsString| name.to_str()?.parse().ok();
    let mut numbers: Vec<u64> = folders.flatten().filter_map(|folder| number(folder.file_name())).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

fn rebuild(number: u64, root: &Path, notices: &mut Vec<String>, report: &Report) -> Result<Span, StoreError> {
    let folder = folder_of(Some(root), number).unwrap_or_default();
    let new = with_suffix(&folder, REBUILDING);
    let io = |error: std::io::Error| StoreError::io(&error).at(&folder);
    let mut saved: Vec<Stored> = Vec::new();
    let salvage = || Span::salvage(&folder, &mut |stored| saved.push(stored)).unwrap_or_default();
    // The index library may panic on damaged files. Entities that were read before that are valid.
    let position = catch_unwind(AssertUnwindSafe(salvage)).unwrap_or_default();
    // In the order of arrival, because sequence numbers must increase.
    saved.sort_unstable_by_key(|stored| stored.id.sequence());
    let (mut active, _) = Active::of(Span::create(number, Some(new.clone()))?, 0)?;
    for (index, stored) in saved.iter().enumerate() {
        active.add(stored)?;
        report.tell("rebuilding a damaged index", index as u64 + 1, saved.len() as u64);
    }
    active.commit_up_to(position)?;
    let (span, writer) = active.into_parts();
    drop((span, writer));
    let set_aside = aside(&folder);
    fs::rename(&folder, &set_aside).map_err(io)?;
    fs::rename(&new, &folder).map_err(io)?;
    notices.push(format!(
        "{} is damaged: {} entities were recovered into a new index; the damaged one is {}",
        folder.display(),
        saved.len(),
        set_aside.display()
    ));
    Span::open_or_create(number, Some(folder))
}

/// Handles a rebuilt index that a process left unfinished: it is complete if the damaged one was already set aside.
fn finish_rebuilding(root: &Path) -> Result<(), StoreError> {
    let folders = fs::read_dir(root).map_err(|error| StoreError::io(&error).at(root))?;
    for path in folders.flatten().map(|folder| folder.path()) {
        let name = path.to_str().and_then(|path| path.strip_suffix(REBUILDING)).map(PathBuf::from);
        let Some(folder) = name else { continue };
        let finished = if folder.exists() { fs::remove_dir_all(&path) } else { fs::rename(&path, &folder) };
        finished.map_err(|error| StoreError::io(&error).at(&path))?;
    }
    Ok(())
}
