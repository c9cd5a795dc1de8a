//! From a filter to the ids of what it wants.

use super::EntityId;
use super::apply::kind_number;
use super::link::{CORRELATOR, Role, hash};
use super::rollup::Level;
use super::search::Search;
use crate::filter::{Filter, SeverityRange};
use jkool_model::{SourceFqn, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Result, params, params_from_iter};
use std::collections::BTreeSet;

/// A filter whose names are looked up: ids in place of names and times.
#[derive(Debug)]
pub(super) struct ResolvedFilter {
    pub(super) from: EntityId,
    pub(super) to: EntityId,
    /// All of them when none are named.
    pub(super) facets: Option<Vec<i64>>,
    words: Option<String>,
    /// Hashes.
    correlator: Option<i64>,
    parent: Option<i64>,
}

/// Which end of what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Oldest,
    Youngest,
}

/// A query whose rows are entities `e`.
#[derive(Debug)]
pub(super) struct Selection {
    /// From `FROM` to the end of the conditions.
    pub(super) sql: String,
    /// What stands for its question marks.
    pub(super) values: Vec<Value>,
    /// What is the entity's id there.
    pub(super) id: &'static str,
}

/// With more facets than this a walk along the whole table is taken for shorter than one along each of them.
const MANY_FACETS: usize = 1_000;

/// So few entities are looked through for words one by one, rather than all that have the words for these entities.
const FEW: u64 = 2_000;

impl ResolvedFilter {
    /// `None` when nothing can be found: a name or a combination that nobody ever sent.
    pub(super) fn resolve(connection: &Connection, filter: &Filter, now: Timestamp) -> Result<Option<Self>> {
        let Some(conditions) = conditions(connection, filter)? else { return Ok(None) };
        let facets = match conditions.as_str() {
            "" => None,
            conditions => {
                let mut facets = connection.prepare_cached(&format!("SELECT id FROM facet WHERE {conditions}"))?;
                let facets = facets.query_map([], |row| row.get(0))?.collect::<Result<Vec<_>>>()?;
                if facets.is_empty() {
                    return Ok(None);
                }
                Some(facets)
            }
        };
        let words = match filter.text.as_deref().map(|text| Search::parse(text).to_fts()) {
            Some(None) => return Ok(None),
            words => words.flatten(),
        };
        Ok(Some(Self {
            from: filter.since.map_or(EntityId::FIRST, |since| EntityId::first_of(since.before(now))),
            to: filter.until.map_or(EntityId::LAST, |until| EntityId::first_of(until.before(now))),
            facets,
            words,
            correlator: filter.correlator.as_deref().map(hash),
            parent: filter.parent.as_deref().map(hash),
        }))
    }

    /// Whether the table `tally` knows how many there are.
    pub(super) fn is_tallied(&self) -> bool {
        self.words.is_none() && self.correlator.is_none() && self.parent.is_none()
    }

    /// The ids of the first that are wanted from that end, `limit` at most.
    pub(super) fn ids(&self, connection: &Connection, end: End, limit: usize) -> Result<Vec<EntityId>> {
        let facets = self.facets.as_deref().filter(|facets| facets.len() <= MANY_FACETS);
        if let (Some(facets), None, None) = (facets, &self.correlator, self.parent) {
            if self.words.is_none() || self.tallied(connection)? <= FEW {
                return self.along_facets(connection, facets, end, limit);
            }
        }
        let Selection { sql, values, id } = self.selection();
        let order = end.sql();
        let mut query = connection.prepare_cached(&format!("SELECT {id} {sql} ORDER BY {id} {order} LIMIT {limit}"))?;
        query.query_map(params_from_iter(values), |row| row.get(0))?.collect()
    }

    /// Takes from each facet what comes first, and of all these the first: however rare a facet is, it is one look at an index.
    fn along_facets(&self, connection: &Connection, facets: &[i64], end: End, limit: usize) -> Result<Vec<EntityId>> {
        let words = if self.words.is_some() {
            " AND EXISTS (SELECT 1 FROM words WHERE words MATCH ?4 AND words.rowid = entity.id)"
        } else {
            ""
        };
        let sql = format!(
            "SELECT id FROM entity WHERE facet = ?1 AND id >= ?2 AND id < ?3{words} ORDER BY id {} LIMIT {limit}",
            end.sql()
        );
        let mut query = connection.prepare_cached(&sql)?;
        let (mut from, mut to) = (self.from, self.to);
        let mut first = BTreeSet::new();
        for facet in facets {
            let mut values = vec![Value::from(*facet), Value::from(from), Value::from(to)];
            values.extend(self.words.clone().map(Value::from));
            for id in query.query_map(params_from_iter(values), |row| row.get(0))? {
                first.insert(id?);
            }
            // What lies behind the last of those that we have already is of no interest.
            while first.len() > limit {
                match end {
                    End::Oldest => to = first.pop_last().unwrap_or(to),
                    End::Youngest => from = first.pop_first().unwrap_or(from),
                }
            }
        }
        Ok(match end {
            End::Oldest => first.into_iter().collect(),
            End::Youngest => first.into_iter().rev().collect(),
        })
    }

    /// All that is wanted. What names an id leads, then the words, for it is the rarest most likely.
    pub(super) fn selection(&self) -> Selection {
        let mut values = Vec::new();
        let named =
            [(CORRELATOR.to_owned(), self.correlator), (format!("role = {}", Role::Parent as i64), self.parent)];
        let mut named = named.into_iter().filter_map(|(role, hash)| Some((role, hash?)));
        let leads = named.next();
        let (mut sql, id) = if let Some((role, hash)) = &leads {
            let sql = format!("FROM links CROSS JOIN entity e ON e.id = links.entity WHERE hash = {hash} AND {role}");
            (sql, "links.entity")
        } else if let Some(words) = &self.words {
            values.push(Value::from(words.clone()));
            ("FROM words CROSS JOIN entity e ON e.id = words.rowid WHERE words MATCH ?".to_owned(), "words.rowid")
        } else {
            ("FROM entity e WHERE true".to_owned(), "e.id")
        };
        let mut and = |condition: &str| {
            sql.push_str(" AND ");
            sql.push_str(condition);
        };
        and(&format!("{id} >= {} AND {id} < {}", self.from, self.to));
        if let Some(facets) = &self.facets {
            // The plus keeps SQLite from walking along all of them, and from sorting what it finds.
            and(&format!("+e.facet IN ({})", list(facets)));
        }
        for (role, hash) in named {
            and(&format!("EXISTS (SELECT 1 FROM links l WHERE l.hash = {hash} AND l.{role} AND l.entity = e.id)"));
        }
        if let (Some(_), Some(words)) = (&leads, &self.words) {
            and("EXISTS (SELECT 1 FROM words WHERE words MATCH ? AND words.rowid = e.id)");
            values.push(Value::from(words.clone()));
        }
        Selection { sql, values, id }
    }

    /// The condition on a column that holds facets.
    pub(super) fn on_facet(&self, column: &str) -> String {
        match &self.facets {
            Some(facets) => format!("{column} IN ({})", list(facets)),
            None => "true".to_owned(),
        }
    }

    /// How many there are of these facets, at any time.
    fn tallied(&self, connection: &Connection) -> Result<u64> {
        let sql = format!("SELECT coalesce(sum(count), 0) FROM tally WHERE level = ?1 AND {}", self.on_facet("facet"));
        connection.prepare_cached(&sql)?.query_row([Level::Hour as i64], |row| row.get(0))
    }
}

impl End {
    fn sql(self) -> &'static str {
        match self {
            End::Oldest => "ASC",
            End::Youngest => "DESC",
        }
    }
}

/// The conditions on the table `facet`; `None` if one of them can't hold.
fn conditions(connection: &Connection, filter: &Filter) -> Result<Option<String>> {
    let mut conditions = Vec::new();
    if let Some(kind) = filter.kind {
        conditions.push(format!("kind = {}", kind_number(kind)));
    }
    if let Some(SeverityRange { from, to }) = filter.severity {
        conditions.push(format!("severity BETWEEN {} AND {}", from as i64, to as i64));
    }
    if let Some(name) = &filter.operation {
        let mut find = connection.prepare_cached("SELECT id FROM operation WHERE name = ?1")?;
        let Some(id) = find.query_row([name], |row| row.get::<_, i64>(0)).optional()? else { return Ok(None) };
        conditions.push(format!("operation = {id}"));
    }
    if let Some(source) = &filter.source {
        conditions.push(format!("source IN ({})", list(&sources_with(connection, source)?)));
    }
    Ok(Some(conditions.join(" AND ")))
}

/// The ids of the sources that hold every element of `source`.
pub(super) fn sources_with(connection: &Connection, source: &SourceFqn) -> Result<Vec<i64>> {
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

pub(super) fn list(ids: &[i64]) -> String {
    ids.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")
}
