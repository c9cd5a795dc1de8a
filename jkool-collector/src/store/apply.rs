//! Writing a group of entities, within a transaction.

use super::EntityId;
use super::link::{Role, count_fresh, settle};
use super::record::{Record, Samples};
use super::rollup::Rollup;
use crate::Kind;
use jkool_model::{SourceFqn, Timestamp};
use rusqlite::{CachedStatement, Connection, ErrorCode, OptionalExtension, Result, params};
use std::collections::HashMap;

/// What the writer knows by heart, so that it needs not look it up. After a rollback it must be forgotten.
#[derive(Debug, Default)]
pub(super) struct Memory {
    operations: HashMap<String, i64>,
    sources: HashMap<String, i64>,
    metrics: HashMap<String, i64>,
    facets: HashMap<[i64; 4], i64>,
    fresh_links: Option<i64>,
    /// For times that came before: the slot to try next.
    slots: HashMap<Timestamp, i64>,
}

/// Stands between the parts of a metric's name; in none of them does it mean anything.
const END: char = '\0';

/// So many entries of each: a client that says a new operation every time fills no memory.
const REMEMBERED: usize = 20_000;

impl Memory {
    fn trim(&mut self) {
        for names in [&mut self.operations, &mut self.sources, &mut self.metrics] {
            if names.len() > REMEMBERED {
                names.clear();
            }
        }
        if self.facets.len() > REMEMBERED {
            self.facets.clear();
        }
        if self.slots.len() > REMEMBERED {
            self.slots.clear();
        }
    }
}

/// Writes a group of records, and says under which id each is; `None` is one that was there before.
pub(super) fn apply(
    connection: &Connection,
    memory: &mut Memory,
    records: &[&Record],
) -> Result<Vec<Option<EntityId>>> {
    memory.trim();
    let (ids, rollup, added_links) = {
        let mut writing = Writing::new(connection, memory)?;
        let ids = records.iter().map(|record| writing.add(record)).collect::<Result<_>>()?;
        (ids, writing.rollup, writing.added_links)
    };
    rollup.write(connection)?;
    let fresh = match memory.fresh_links {
        Some(before) => before + added_links,
        None => count_fresh(connection)?,
    };
    memory.fresh_links = Some(settle(connection, fresh)?);
    Ok(ids)
}

/// The statements of one group.
struct Writing<'a> {
    memory: &'a mut Memory,
    rollup: Rollup,
    added_links: i64,
    key: String,
    with_id: CachedStatement<'a>,
    is_equal: CachedStatement<'a>,
    entity: CachedStatement<'a>,
    link: CachedStatement<'a>,
    words: CachedStatement<'a>,
    operation: Names<'a>,
    source: Names<'a>,
    source_element: CachedStatement<'a>,
    facet: Names<'a>,
    metric: Names<'a>,
}

impl<'a> Writing<'a> {
    fn new(connection: &'a Connection, memory: &'a mut Memory) -> Result<Self> {
        let prepare = |sql: &str| connection.prepare_cached(sql);
        Ok(Self {
            memory,
            rollup: Rollup::default(),
            added_links: 0,
            key: String::new(),
            // A role in the place of `?2` would have SQLite plan anew each time, for there is an index of one role.
            with_id: prepare(&format!("SELECT entity FROM links WHERE hash = ?1 AND role = {}", Role::Own as i64))?,
            is_equal: prepare("SELECT 1 FROM entity WHERE id = ?1 AND json = ?2")?,
            entity: prepare("INSERT INTO entity VALUES (?1, ?2, ?3, ?4, ?5)")?,
            link: prepare("INSERT INTO fresh_link VALUES (?1, ?2, ?3, ?4)")?,
            words: prepare("INSERT INTO words (rowid, text) VALUES (?1, ?2)")?,
            operation: Names {
                find: prepare("SELECT id FROM operation WHERE name = ?1")?,
                add: prepare("INSERT INTO operation (name) VALUES (?1) RETURNING id")?,
            },
            source: Names {
                find: prepare("SELECT id FROM source WHERE fqn = ?1")?,
                add: prepare("INSERT INTO source (fqn) VALUES (?1) RETURNING id")?,
            },
            source_element: prepare("INSERT OR IGNORE INTO source_element VALUES (?1, ?2)")?,
            facet: Names {
                find: prepare(
                    "SELECT id FROM facet WHERE kind = ?1 AND severity = ?2 AND operation = ?3 AND source = ?4",
                )?,
                add: prepare(
                    "INSERT INTO facet (kind, severity, operation, source) VALUES (?1, ?2, ?3, ?4) RETURNING id",
                )?,
            },
            metric: Names {
                find: prepare("SELECT id FROM metric_name WHERE category = ?1 AND snapshot = ?2 AND property = ?3")?,
                add: prepare(
                    "INSERT INTO metric_name (category, snapshot, property) VALUES (?1, ?2, ?3) RETURNING id",
                )?,
            },
        })
    }

    fn add(&mut self, record: &Record) -> Result<Option<EntityId>> {
        if self.is_known(record)? {
            return Ok(None);
        }
        let source = self.source_id(record.source.as_ref())?;
        let facet = self.facet_id(record, source)?;
        let id = self.insert(record, facet)?;
        for link in &record.links {
            self.link.execute(params![link.hash, link.role as i64, id, facet])?;
            self.added_links += 1;
        }
        if !record.text.is_empty() {
            self.words.execute(params![id, record.text])?;
        }
        self.rollup.count(record.time, facet, 1);
        for Samples { category, snapshot, time, values } in &record.samples {
            for (property, value) in values {
                let name = self.metric_id(category, snapshot, property)?;
                self.rollup.add(name, source, *time, *value);
            }
        }
        Ok(Some(id))
    }

    /// Whether an entity of this id is there that is equal in every byte.
    fn is_known(&mut self, record: &Record) -> Result<bool> {
        let Some(own) = record.links.iter().find(|link| link.role == Role::Own) else { return Ok(false) };
        let json: &[u8] = &record.json;
        let mut same_id = self.with_id.query([own.hash])?;
        while let Some(row) = same_id.next()? {
            let id: EntityId = row.get(0)?;
            if self.is_equal.query_row(params![id, json], |_| Ok(())).optional()?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Puts the entity into the first free place at its time.
    fn insert(&mut self, record: &Record, facet: i64) -> Result<EntityId> {
        let first = EntityId::first_of(record.time);
        let mut slot = self.memory.slots.get(&record.time).copied().unwrap_or_default();
        let mut step = 1;
        let json: &[u8] = &record.json;
        loop {
            let id = first.plus(slot);
            let inserted =
                self.entity.execute(params![id, facet, record.time.as_usec(), record.received.as_usec(), json,]);
            match inserted {
                Ok(_) => {
                    self.memory.slots.insert(record.time, slot + 1);
                    return Ok(id);
                }
                // Wider and wider steps: thousands may be of this very time, and we have forgotten how many.
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                    slot += step;
                    step *= 2;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn facet_id(&mut self, record: &Record, source: i64) -> Result<i64> {
        let operation = self.operation_id(&record.operation)?;
        let facet = [kind_number(record.kind), record.severity as i64, operation, source];
        if let Some(id) = self.memory.facets.get(&facet) {
            return Ok(*id);
        }
        let id = self.facet.id(facet)?;
        self.memory.facets.insert(facet, id);
        Ok(id)
    }

    fn operation_id(&mut self, name: &str) -> Result<i64> {
        if name.is_empty() {
            return Ok(0);
        }
        if let Some(id) = self.memory.operations.get(name) {
            return Ok(*id);
        }
        let id = self.operation.id([name])?;
        self.memory.operations.insert(name.to_owned(), id);
        Ok(id)
    }

    fn source_id(&mut self, source: Option<&SourceFqn>) -> Result<i64> {
        let Some(source) = source else { return Ok(0) };
        if let Some(id) = self.memory.sources.get(source.as_str()) {
            return Ok(*id);
        }
        let id = self.source.id([source.as_str()])?;
        for (source_type, name) in source.elements() {
            self.source_element.execute(params![format!("{source_type}={name}"), id])?;
        }
        self.memory.sources.insert(source.as_str().to_owned(), id);
        Ok(id)
    }

    fn metric_id(&mut self, category: &str, snapshot: &str, property: &str) -> Result<i64> {
        let key = &mut self.key;
        key.clear();
        for part in [category, snapshot, property] {
            key.push_str(part);
            key.push(END);
        }
        if let Some(id) = self.memory.metrics.get(key.as_str()) {
            return Ok(*id);
        }
        let id = self.metric.id(params![category, snapshot, property])?;
        self.memory.metrics.insert(key.clone(), id);
        Ok(id)
    }
}

/// A table of names.
struct Names<'a> {
    find: CachedStatement<'a>,
    add: CachedStatement<'a>,
}

impl Names<'_> {
    fn id(&mut self, name: impl rusqlite::Params + Clone) -> Result<i64> {
        match self.find.query_row(name.clone(), |row| row.get(0)).optional()? {
            Some(id) => Ok(id),
            None => self.add.query_row(name, |row| row.get(0)),
        }
    }
}

/// As the column `kind` says it.
pub(super) const fn kind_number(kind: Kind) -> i64 {
    match kind {
        Kind::Event => 0,
        Kind::Activity => 1,
        Kind::Snapshot => 2,
    }
}
