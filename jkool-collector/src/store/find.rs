//! From a filter to SQL.

use super::EntityId;
use super::apply::kind_number;
use super::record::hash_of;
use super::text::Search;
use crate::{Filter, SeverityRange};
use jkool_model::{Timestamp, TrackingId};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Result, params};

/// A filter whose names are looked up: numbers in place of names, ids in place of times.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) from: EntityId,
    pub(super) to: EntityId,
    pub(super) kind: Option<i64>,
    pub(super) severity: Option<SeverityRange>,
    pub(super) operation: Option<i64>,
    pub(super) sources: Option<Vec<i64>>,
    pub(super) words: Option<String>,
    pub(super) correlator: Option<String>,
    pub(super) parent: Option<i64>,
}

impl Wanted {
    /// `None` when nothing can be found: a name that nobody ever said.
    pub(super) fn resolve(connection: &Connection, filter: &Filter, now: Timestamp) -> Result<Option<Self>> {
        let mut wanted = Self {
            from: filter.since.map_or(EntityId::FIRST, |since| EntityId::first_of(since.before(now))),
            to: filter.until.map_or(EntityId::LAST, |until| EntityId::first_of(until.before(now))),
            kind: filter.kind.map(kind_number),
            severity: filter.severity,
            operation: None,
            sources: None,
            words: None,
            correlator: filter.correlator.clone(),
            parent: filter.parent.as_ref().map(|parent| hash_of(&TrackingId::from(parent.clone()))),
        };
        if let Some(name) = &filter.operation {
            let mut find = connection.prepare_cached("SELECT id FROM operation WHERE name = ?1")?;
            let Some(id) = find.query_row([name], |row| row.get(0)).optional()? else { return Ok(None) };
            wanted.operation = Some(id);
        }
        if let Some(source) = &filter.source {
            let sources = sources_with(connection, source)?;
            if sources.is_empty() {
                return Ok(None);
            }
            wanted.sources = Some(sources);
        }
        if let Some(text) = &filter.text {
            let Some(words) = Search::parse(text).to_fts() else { return Ok(None) };
            wanted.words = Some(words);
        }
        Ok(Some(wanted))
    }

    /// Whether the table `tally` can answer how many there are.
    pub(super) fn is_tallied(&self) -> bool {
        self.words.is_none() && self.correlator.is_none() && self.parent.is_none()
    }

    /// The conditions on the columns that `tally` and `entity` have in common.
    pub(super) fn on_columns(&self) -> String {
        let mut conditions = String::new();
        let mut add = |condition: String| {
            conditions.push_str(" AND ");
            conditions.push_str(&condition);
        };
        if let Some(kind) = self.kind {
            add(format!("kind = {kind}"));
        }
        if let Some(SeverityRange { from, to }) = self.severity {
            add(format!("severity BETWEEN {} AND {}", from as i64, to as i64));
        }
        if let Some(operation) = self.operation {
            add(format!("operation = {operation}"));
        }
        if let Some(sources) = &self.sources {
            let sources: Vec<_> = sources.iter().map(i64::to_string).collect();
            add(format!("source IN ({})", sources.join(", ")));
        }
        conditions
    }

    /// `FROM …, WHERE …` of the entities, with what stands for its question marks. The entity's columns are `e`'s.
    pub(super) fn selection(&self) -> (String, Vec<Value>) {
        let mut values = Vec::new();
        let mut sql = if let Some(words) = &self.words {
            values.push(Value::from(words.clone()));
            // Walked by words alone, from the youngest on.
            "FROM words CROSS JOIN entity e ON e.id = words.rowid WHERE words MATCH ? AND words.rowid".to_owned()
        } else if let Some(correlator) = &self.correlator {
            values.push(Value::from(correlator.clone()));
            "FROM correlator c CROSS JOIN entity e ON e.id = c.entity WHERE c.name = ? AND c.entity".to_owned()
        } else {
            "FROM entity e WHERE e.id".to_owned()
        };
        sql.push_str(&format!(" >= {} AND e.id < {}{}", self.from, self.to, self.on_columns()));
        if let Some(parent) = self.parent {
            sql.push_str(&format!(" AND e.parent = {parent}"));
        }
        if let (Some(_), Some(correlator)) = (&self.words, &self.correlator) {
            values.push(Value::from(correlator.clone()));
            sql.push_str(" AND e.id IN (SELECT entity FROM correlator WHERE name = ?)");
        }
        (sql, values)
    }

    /// What the entities are ordered by.
    pub(super) fn order(&self) -> &'static str {
        if self.words.is_some() { "words.rowid" } else { "e.id" }
    }
}

/// The ids of the sources that hold every element of `source`.
fn sources_with(connection: &Connection, source: &jkool_model::SourceFqn) -> Result<Vec<i64>> {
    let mut with = connection.prepare_cached("SELECT source FROM source_element WHERE element = ?1 ORDER BY source")?;
    let mut found: Option<Vec<i64>> = None;
    for (source_type, name) in source.elements() {
        let these = with.query_map(params![format!("{source_type}={name}")], |row| row.get(0))?;
        let these = these.collect::<Result<Vec<i64>>>()?;
        found = Some(match found {
            None => these,
            Some(found) => found.into_iter().filter(|id| these.binary_search(id).is_ok()).collect(),
        });
    }
    Ok(found.unwrap_or_default())
}
