//! What is kept, and for how long.

use super::EntityId;
use super::link::Link;
use super::record::links_of;
use super::rollup::{Level, Rollup};
use jkool_model::Timestamp;
use rusqlite::{Connection, OptionalExtension, Result, params};
use std::collections::HashSet;
use std::time::Duration;

/// How much is kept; what is oldest goes first. By default all of it, for a file, and 512 MiB in memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// No longer than this, by the entities' own times.
    pub age: Option<Duration>,
    /// No more than this, in bytes of the database.
    pub bytes: Option<u64>,
}

impl Retention {
    /// Everything is kept.
    pub const ALL: Self = Self { age: None, bytes: None };

    /// What a store in memory keeps unless told otherwise: 512 MiB.
    pub const IN_MEMORY: Self = Self { age: None, bytes: Some(512 << 20) };

    /// Keeps nothing longer than `age`.
    #[must_use]
    pub fn age(mut self, age: Duration) -> Self {
        self.age = Some(age);
        self
    }

    /// Keeps no more than so many bytes.
    #[must_use]
    pub fn bytes(mut self, bytes: u64) -> Self {
        self.bytes = Some(bytes);
        self
    }
}

/// So many go at once, so that nobody waits long.
const AT_ONCE: usize = 1_000;

/// Lets some of what is too much go, and says how many entities that were. 0 means that all is well.
pub(super) fn step(connection: &Connection, retention: Retention, now: Timestamp) -> Result<usize> {
    let too_old = retention.age.map(|age| {
        let age = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
        EntityId::first_of(Timestamp::from_usec(now.as_usec().saturating_sub(age)))
    });
    let too_large = match retention.bytes {
        Some(bytes) => used_bytes(connection)? > bytes,
        None => false,
    };
    let mut oldest = connection.prepare_cached("SELECT id FROM entity WHERE id < ?1 ORDER BY id LIMIT ?2")?;
    let before = match too_old {
        _ if too_large => EntityId::LAST,
        Some(before) => before,
        None => return Ok(0),
    };
    let ids = oldest.query_map(params![before, AT_ONCE], |row| row.get(0))?.collect::<Result<Vec<EntityId>>>()?;
    if let Some(last) = ids.last() {
        remove_up_to(connection, *last)?;
    }
    Ok(ids.len())
}

/// The bytes of the pages that hold something.
pub(super) fn used_bytes(connection: &Connection) -> Result<u64> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    Ok((pragma("page_count")? - pragma("freelist_count")?) * pragma("page_size")?)
}

fn remove_up_to(connection: &Connection, last: EntityId) -> Result<()> {
    let (mut rollup, mut facets) = (Rollup::default(), HashSet::new());
    let mut gone = connection.prepare_cached("SELECT id, time, facet, json FROM entity WHERE id <= ?1")?;
    let mut words = connection.prepare_cached("DELETE FROM words WHERE rowid = ?1")?;
    // Which of the two it is in nobody knows.
    let mut links = Vec::new();
    for table in ["link", "fresh_link"] {
        let sql = format!("DELETE FROM {table} WHERE hash = ?1 AND role = ?2 AND entity = ?3");
        links.push(connection.prepare_cached(&sql)?);
    }
    let mut rows = gone.query([last])?;
    while let Some(row) = rows.next()? {
        let id: EntityId = row.get(0)?;
        let facet = row.get(2)?;
        facets.insert(facet);
        rollup.count(Timestamp::from_usec(row.get(1)?), facet, -1);
        words.execute([id])?;
        // What it was read from says what leads to it.
        let json = row.get_ref(3)?.as_blob()?;
        let named = serde_json::from_slice(json).map(|entity| links_of(&entity)).unwrap_or_default();
        for link in named.into_iter().chain([Link::of_bytes(json)]) {
            for delete in &mut links {
                delete.execute(params![link.hash, link.role as i64, id])?;
            }
        }
    }
    connection.prepare_cached("DELETE FROM entity WHERE id <= ?1")?.execute([last])?;
    rollup.write(connection)?;
    let mut tally = connection.prepare_cached("DELETE FROM tally WHERE level = ?1 AND bucket <= ?2 AND count <= 0")?;
    // Of a bucket that is left in part, nobody knows which value was its least: it stays as it is.
    let mut metric = connection.prepare_cached("DELETE FROM metric WHERE level = ?1 AND bucket < ?2 RETURNING name")?;
    let mut metrics = HashSet::new();
    for level in Level::ALL {
        let before = params![level as i64, level.bucket(last.time())];
        tally.execute(before)?;
        for name in metric.query_map(before, |row| row.get(0))? {
            metrics.insert(name?);
        }
    }
    forget_facets(connection, &facets)?;
    forget_metrics(connection, &metrics)
}

/// Lets go of combinations, and of the names in them, that nothing has any more.
fn forget_facets(connection: &Connection, facets: &HashSet<i64>) -> Result<()> {
    let mut forget = connection.prepare_cached(
        "DELETE FROM facet WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM entity WHERE facet = ?1)
         RETURNING operation, source",
    )?;
    let unused = |table: &str| {
        connection.prepare_cached(&format!(
            "DELETE FROM {table} WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM facet WHERE facet.{table} = ?1)"
        ))
    };
    let (mut operation, mut source) = (unused("operation")?, unused("source")?);
    let mut elements = connection.prepare_cached("DELETE FROM source_element WHERE source = ?1")?;
    for facet in facets {
        let forgotten = forget.query_row([facet], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
        if let Some((operation_id, source_id)) = forgotten.optional()? {
            operation.execute([operation_id])?;
            if source.execute([source_id])? > 0 {
                elements.execute([source_id])?;
            }
        }
    }
    Ok(())
}

/// The same for metrics.
fn forget_metrics(connection: &Connection, names: &HashSet<i64>) -> Result<()> {
    let mut forget = connection.prepare_cached(
        "DELETE FROM metric_name WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM metric WHERE name = ?1)",
    )?;
    for name in names {
        forget.execute([name])?;
    }
    Ok(())
}
