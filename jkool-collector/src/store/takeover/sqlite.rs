//! Imports a SQLite file of version 0.1, whose table `entity` contains each entity as it was received.

use crate::store::front::{aside, with_suffix};
use crate::store::index::Span;
use crate::store::local::{Active, folder_of};
use crate::store::progress::Report;
use crate::store::{Record, StoreError, StoreErrorKind};
use jkool_model::Timestamp;
use rusqlite::{Connection, ErrorCode};
use std::fs;
use std::path::{Path, PathBuf};

/// The schema version of version 0.1.
const SCHEMA: i64 = 1;

/// The maximum number of entities in one index.
const DOCUMENTS: u64 = 1_000_000;

/// The suffix of a folder that is being filled.
const CONVERTING: &str = ".converting";
/// The suffix of an imported file.
const OLD: &str = ".old";

/// The suffixes of the file, and of the files that SQLite keeps next to it.
const FILES: [&str; 3] = ["", "-wal", "-shm"];

/// Copies all entities of the file to a new store, and renames the file.
pub(super) fn convert(path: &Path, report: &Report) -> Result<Vec<String>, StoreError> {
    let new = with_suffix(path, CONVERTING);
    let io = |error: std::io::Error| StoreError::io(&error).at(path);
    if new.exists() {
        fs::remove_dir_all(&new).map_err(io)?;
    }
    let root = new.join("index");
    fs::create_dir_all(&root).map_err(io)?;
    #[cfg(unix)]
    fs::set_permissions(&new, std::os::unix::fs::PermissionsExt::from_mode(0o700)).map_err(io)?;
    let (count, damage) = copy(path, &root, report).map_err(|error| error.at(path))?;
    crate::store::journal::sync_folder(&root).map_err(io)?;
    let kept = match damage {
        Some(_) => aside(path),
        None => with_suffix(path, OLD),
    };
    for suffix in FILES {
        let (from, to) = (with_suffix(path, suffix), with_suffix(&kept, suffix));
        if from.exists() {
            fs::rename(from, to).map_err(io)?;
        }
    }
    fs::rename(&new, path).map_err(io)?;
    let damage = damage.map_or(String::new(), |error| format!(" It is damaged: {error}."));
    Ok(vec![format!(
        "{count} entities were imported from an older version's file, which is kept as {}.{damage}",
        kept.display()
    )])
}

/// Completes the last steps if a process ended between them.
pub(super) fn finish(path: &Path) -> Result<(), StoreError> {
    let new = with_suffix(path, CONVERTING);
    if path.exists() || !new.exists() {
        return Ok(());
    }
    fs::rename(&new, path).map_err(|error| StoreError::io(&error).at(path))
}

/// Copies the entities in order of time; returns their number, and an error message if the file is damaged and the rest
/// is missing.
fn copy(path: &Path, root: &Path, report: &Report) -> Result<(u64, Option<String>), StoreError> {
    let connection = Connection::open(path).map_err(of_sqlite)?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(of_sqlite)?;
    if version > SCHEMA {
        return Err(StoreError::new(
            StoreErrorKind::TooNew,
            format!("its schema is {version}, this version supports {SCHEMA}"),
        ));
    }
    let total: u64 = connection.query_row("SELECT count(*) FROM entity", [], |row| row.get(0)).unwrap_or_default();
    let mut filling = Filling { root, active: None, number: 0, count: 0 };
    let copied = filling.copy(&connection, total, report);
    let damage = match copied {
        Err(Stop::Source(error)) if is_damage(&error) => Some(error.to_string()),
        Err(Stop::Source(error)) => return Err(of_sqlite(error)),
        Err(Stop::Store(error)) => return Err(error),
        Ok(()) => None,
    };
    filling.end()?;
    Ok((filling.count, damage))
}

/// The reason why copying stopped.
enum Stop {
    Source(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Source(error)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

struct Filling<'a> {
    root: &'a Path,
    active: Option<Active>,
    number: u64,
    count: u64,
}

impl Filling<'_> {
    fn copy(&mut self, connection: &Connection, total: u64, report: &Report) -> Result<(), Stop> {
        let mut all = connection.prepare("SELECT received, json FROM entity ORDER BY id")?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let json: Vec<u8> = row.get(1)?;
            // Version 0.1 only stored valid entities.
            let Ok(record) = Record::parse(json.into(), Timestamp::from_usec(row.get(0)?)) else { continue };
            self.count += 1;
            let active = match &mut self.active {
                Some(active) => active,
                none => {
                    self.number += 1;
                    let folder: Option<PathBuf> = folder_of(Some(self.root), self.number);
                    let (active, _) = Active::of(Span::create(self.number, folder)?, self.count - 1)?;
                    none.insert(active)
                }
            };
            active.add(&record.into_stored(self.count))?;
            report.tell("importing an older version's file", self.count, total);
            if self.count.is_multiple_of(DOCUMENTS) {
                self.end()?;
            }
        }
        Ok(())
    }

    /// Completes the index.
    fn end(&mut self) -> Result<(), StoreError> {
        self.active.take().map_or(Ok(()), |mut active| active.commit().map(drop))
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

fn of_sqlite(error: rusqlite::Error) -> StoreError {
    let kind = match error.sqlite_error_code() {
        _ if is_damage(&error) => StoreErrorKind::Corrupt,
        Some(ErrorCode::DiskFull) => StoreErrorKind::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreErrorKind::Locked,
        _ => StoreErrorKind::Io,
    };
    StoreError::new(kind, error)
}
