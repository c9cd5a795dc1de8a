//! Writing a group of entities, within a transaction.

use super::EntityId;
use super::link::{Link, Role, count_fresh, settle};
use super::record::{Record, Samples};
use super::rollup::Rollup;
use crate::filter::Kind;
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
    of_its_time: CachedStatement<'a>,
    equal: CachedStatement<'a>,
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
            of_its_time: prepare(&format!(
                "SELECT max(json = ?2), count(*) FROM entity WHERE id >= ?1 AND id < ?1 + {}",
                EntityId::SLOTS
            ))?,
            // A role in the place of a question mark would have SQLite plan anew each time: there is an index of one role.
            equal: prepare(&format!(
                "SELECT EXISTS (SELECT 1 FROM links JOIN entity e ON e.id = links.entity
                                WHERE hash = ?1 AND role = {} AND json = ?2)",
                Role::Bytes as i64
            ))?,
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
        let source = self.source_id(record.source.as_ref())?;
        let facet = self.facet_id(record, source)?;
        let Some(id) = self.insert(record, facet)? else { return Ok(None) };
        for link in &record.links {
            self.add_link(*link, id, facet)?;
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

    /// Puts the entity into the first free place at its time; `None` if an equal one is there already.
    fn insert(&mut self, record: &Record, facet: i64) -> Result<Option<EntityId>> {
        let first = EntityId::first_of(record.time);
        let mut slot = self.memory.slots.get(&record.time).copied().unwrap_or_default();
        // Equal bytes say the same time: where nothing is of that time, nothing is equal.
        if slot == 0 && record.is_dated && self.insert_at(first, record, facet)? {
            self.memory.slots.insert(record.time, 1);
            return Ok(Some(first));
        }
        let mut link = None;
        if record.links.iter().any(|link| link.role == Role::Own) {
            let looked: (Option<bool>, i64) =
                self.of_its_time.query_row(params![first, &*record.json], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let (is_equal, count) = (looked.0 == Some(true), looked.1);
            // Unless so many are of that time that it may lie elsewhere, or the bytes say none.
            if !is_equal && (count == EntityId::SLOTS || !record.is_dated) {
                link = Some(Link::of_bytes(&record.json));
            }
            if is_equal || self.is_linked(link, record)? {
                return Ok(None);
            }
        }
        // Wider and wider steps: thousands may be of this very time, and we have forgotten how many.
        let mut step = 1;
        while !self.insert_at(first.plus(slot), record, facet)? {
            slot += step;
            step *= 2;
        }
        self.memory.slots.insert(record.time, slot + 1);
        let id = first.plus(slot);
        if let Some(link) = link {
            self.add_link(link, id, facet)?;
        }
        Ok(Some(id))
    }

    /// Says no when the place is taken.
    fn insert_at(&mut self, id: EntityId, record: &Record, facet: i64) -> Result<bool> {
        let values = params![id, facet, record.time.as_usec(), record.received.as_usec(), &*record.json];
        match self.entity.execute(values) {
            Ok(_) => Ok(true),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether an equal one is found by the hash of its bytes.
    fn is_linked(&mut self, link: Option<Link>, record: &Record) -> Result<bool> {
        let Some(link) = link else { return Ok(false) };
        self.equal.query_row(params![link.hash, &*record.json], |row| row.get(0))
    }

    fn add_link(&mut self, link: Link, id: EntityId, facet: i64) -> Result<()> {
        self.added_links += 1;
        self.link.execute(params![link.hash, link.role as i64, id, facet]).map(drop)
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
