//! Writing a group of entities, within a transaction.

use super::EntityId;
use super::record::Record;
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
    /// For times that came before: the slot to try next.
    slots: HashMap<Timestamp, i64>,
}

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
    let mut writing = Writing::new(connection, memory)?;
    let ids = records.iter().map(|record| writing.add(record)).collect::<Result<_>>()?;
    write_rollup(connection, &writing.rollup)?;
    Ok(ids)
}

/// The statements of one group.
struct Writing<'a> {
    memory: &'a mut Memory,
    rollup: Rollup,
    key: String,
    same_id: CachedStatement<'a>,
    entity: CachedStatement<'a>,
    correlator: CachedStatement<'a>,
    words: CachedStatement<'a>,
    operation: Names<'a>,
    source: Names<'a>,
    source_element: CachedStatement<'a>,
    facet: Names<'a>,
    metric: Names<'a>,
}

impl<'a> Writing<'a> {
    fn new(connection: &'a Connection, memory: &'a mut Memory) -> Result<Self> {
        let prepare = |sql| connection.prepare_cached(sql);
        Ok(Self {
            memory,
            rollup: Rollup::default(),
            key: String::new(),
            same_id: prepare("SELECT 1 FROM entity WHERE tracking = ?1 AND json = ?2")?,
            entity: prepare("INSERT INTO entity VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?,
            // A correlator that an entity names twice is one.
            correlator: prepare("INSERT OR IGNORE INTO correlator VALUES (?1, ?2, ?3, ?4)")?,
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
        if let Some(tracking) = record.tracking {
            let json: &[u8] = &record.json;
            if self.same_id.query_row(params![tracking, json], |_| Ok(())).optional()?.is_some() {
                return Ok(None);
            }
        }
        let source = self.source_id(&record.source)?;
        let facet = self.facet_id(record, source)?;
        let id = self.insert(record, facet)?;
        for name in &record.correlators {
            let role = record.role as i64;
            self.correlator.execute(params![name, role, id, facet])?;
        }
        if !record.text.is_empty() {
            self.words.execute(params![id, record.text])?;
        }
        self.rollup.count(record.time, facet, 1);
        for sample in &record.samples {
            // None of the three can hold a line feed that matters: two metrics whose names differ in one only are one.
            self.key.clear();
            for part in [&sample.category, &sample.snapshot, &sample.property] {
                self.key.push_str(part);
                self.key.push('\n');
            }
            let name = match self.memory.metrics.get(&self.key) {
                Some(id) => *id,
                None => {
                    let id = self.metric.id(params![sample.category, sample.snapshot, sample.property])?;
                    self.memory.metrics.insert(self.key.clone(), id);
                    id
                }
            };
            self.rollup.add(name, source, sample);
        }
        Ok(Some(id))
    }

    /// Puts the entity into the first free place at its time.
    fn insert(&mut self, record: &Record, facet: i64) -> Result<EntityId> {
        let first = EntityId::first_of(record.time);
        let mut slot = self.memory.slots.get(&record.time).copied().unwrap_or_default();
        let mut step = 1;
        let json: &[u8] = &record.json;
        loop {
            let id = first.plus(slot);
            let inserted = self.entity.execute(params![
                id,
                facet,
                record.time.as_usec(),
                record.received.as_usec(),
                record.tracking,
                record.parent,
                json,
            ]);
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

    fn source_id(&mut self, fqn: &str) -> Result<i64> {
        if fqn.is_empty() {
            return Ok(0);
        }
        if let Some(id) = self.memory.sources.get(fqn) {
            return Ok(*id);
        }
        let id = self.source.id([fqn])?;
        for (source_type, name) in fqn.parse::<SourceFqn>().iter().flat_map(SourceFqn::elements) {
            self.source_element.execute(params![format!("{source_type}={name}"), id])?;
        }
        self.memory.sources.insert(fqn.to_owned(), id);
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

/// Adds the counts and metrics of a group.
pub(super) fn write_rollup(connection: &Connection, rollup: &Rollup) -> Result<()> {
    let mut tally = connection.prepare_cached(
        "INSERT INTO tally VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET count = count + excluded.count",
    )?;
    for (key, count) in &rollup.tally {
        tally.execute(params![key.level as i64, key.bucket, key.facet, count])?;
    }
    let mut metric = connection.prepare_cached(
        "INSERT INTO metric VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT DO UPDATE SET count = count + excluded.count, sum = sum + excluded.sum,
             min = min(min, excluded.min), max = max(max, excluded.max)",
    )?;
    for (key, spread) in &rollup.metrics {
        let level = key.level as i64;
        metric.execute(params![
            key.name,
            level,
            key.bucket,
            key.source,
            spread.count,
            spread.sum,
            spread.min,
            spread.max
        ])?;
    }
    Ok(())
}

/// As the column `kind` says it.
pub(super) const fn kind_number(kind: Kind) -> i64 {
    match kind {
        Kind::Event => 0,
        Kind::Activity => 1,
        Kind::Snapshot => 2,
    }
}
