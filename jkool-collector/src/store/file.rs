//! A store's file: opened, brought up to date, and set aside if it is damaged.

use super::{Durability, StoreError, StoreErrorKind, schema};
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How much of the file each connection keeps in memory: 32 MiB, in SQLite's way to say KiB.
const CACHE: i64 = -32_768;

/// For who writes.
pub(super) fn open_file(path: &Path, durability: Durability) -> Result<Connection, StoreError> {
    // A journal that is still there was left by a process that had no time to close.
    let was_cut_off = with_suffix(path, "-wal").exists();
    make_private(path);
    let mut connection = Connection::open(path).map_err(|error| at(path, error))?;
    connection.busy_timeout(Duration::from_secs(2))?;
    connection.pragma_update(None, "page_size", 8_192)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(|error| at(path, error))?;
    connection.pragma_update(
        None,
        "synchronous",
        match durability {
            Durability::Disk => "FULL",
            Durability::System => "NORMAL",
        },
    )?;
    if was_cut_off {
        let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if verdict != "ok" {
            return Err(StoreError::new(StoreErrorKind::Corrupt, verdict));
        }
    }
    connection.pragma_update(None, "cache_size", CACHE)?;
    // In pages: fewer trips from the journal to the file, for 16 MiB more of journal.
    connection.pragma_update(None, "wal_autocheckpoint", 2_048)?;
    schema::migrate(&mut connection, schema::MIGRATIONS)?;
    Ok(prepared(connection))
}

/// Makes the file, for its owner alone: it holds what programs log. SQLite gives its journals the same rights.
fn make_private(path: &Path) {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // It is there already, or can't be made: SQLite says why.
    drop(options.open(path));
}

/// For who reads.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| at(path, error))?;
    connection.busy_timeout(Duration::from_secs(2))?;
    connection.pragma_update(None, "cache_size", CACHE)?;
    Ok(prepared(connection))
}

pub(super) fn prepared(connection: Connection) -> Connection {
    connection.set_prepared_statement_cache_capacity(64);
    connection
}

fn at(path: &Path, error: rusqlite::Error) -> StoreError {
    StoreError::from(error).at(path)
}

/// Moves a damaged file and its journals out of the way, and says so.
pub(super) fn set_aside(path: &Path, error: &StoreError) -> Result<String, StoreError> {
    let free = (1..).map(|number| with_suffix(path, &format!(".corrupt-{number}"))).find(|aside| !aside.exists());
    let aside = free.unwrap_or_else(|| with_suffix(path, ".corrupt"));
    std::fs::rename(path, &aside).map_err(|error| StoreError::new(StoreErrorKind::Io, error))?;
    for journal in ["-wal", "-shm"] {
        // They belong to the file; without one there is nothing to move.
        drop(std::fs::rename(with_suffix(path, journal), with_suffix(&aside, journal)));
    }
    Ok(format!("{} is damaged ({error}): it was set aside as {}, and a new one begun", path.display(), aside.display()))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
