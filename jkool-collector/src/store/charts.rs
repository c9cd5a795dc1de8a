//! Questions to the store: counts and metrics.

use super::apply::kind_number;
use super::find::{ResolvedFilter, Selection, list, sources_with};
use super::retention::used_bytes;
use super::rollup::Level;
use super::scale::{Scale, Stretch};
use super::{Bucket, EntityId, Metric, MetricName, Reader, Severities, Sizes, StoreError, Top};
use crate::filter::{Filter, Kind};
use jkool_model::Timestamp;
use rusqlite::{params, params_from_iter};
use std::cmp::Reverse;
use std::collections::HashMap;

/// So many matches of a text, a correlator or a parent are counted, the youngest; more would take long.
const COUNTED: usize = 20_000;

type Result<T> = std::result::Result<T, StoreError>;

impl Reader<'_> {
    /// How many `filter` lets through, by severity, in about `buckets` stretches of equal length; empty stretches are there
    /// too. The time is the filter's, or from the first to the last that there is; its ends are rounded to the second, to the
    /// minute if a stretch is longer than that, to the hour if it is longer than that. With a text, a correlator or a parent in
    /// the filter only the youngest 20,000 are counted.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn histogram(&self, filter: &Filter, buckets: usize, now: Timestamp) -> Result<Vec<Bucket>> {
        let Some(resolved) = ResolvedFilter::resolve(self.0, filter, now)? else { return Ok(Vec::new()) };
        let Some(scale) = self.scale(&resolved, buckets)? else { return Ok(Vec::new()) };
        let mut counts = vec![Severities::default(); scale.len()];
        let mut count = |time: Timestamp, severity: i64, by: i64| {
            let severities = usize::try_from(scale.index(time)).ok().and_then(|index| counts.get_mut(index));
            if let Some(severities) = severities {
                add(severities, severity, by);
            }
        };
        if resolved.is_tallied() {
            let facets = self.facets(&resolved)?;
            self.tallied(scale.stretch(), |time, facet, by| {
                if let Some(facet) = facets.get(&facet) {
                    count(time, facet.severity, by);
                }
            })?;
        } else {
            let Selection { sql, values, id } = resolved.selection();
            let sql = format!(
                "SELECT time, severity FROM (SELECT e.time, e.facet {sql} ORDER BY {id} DESC LIMIT {COUNTED}) found
                 JOIN facet ON facet.id = found.facet"
            );
            let mut query = self.0.prepare_cached(&sql)?;
            let mut rows = query.query(params_from_iter(values))?;
            while let Some(row) = rows.next()? {
                count(Timestamp::from_usec(row.get(0)?), row.get(1)?, 1);
            }
        }
        Ok(scale.starts().zip(counts).map(|(start, severities)| Bucket { start, severities }).collect())
    }

    /// The operations that come most often, `limit` at most. A text, a correlator and a parent in the filter are no matter.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn top_operations(&self, filter: &Filter, limit: usize, now: Timestamp) -> Result<Vec<Top>> {
        self.top("SELECT name FROM operation WHERE id = ?1", |facet| facet.operation, filter, limit, now)
    }

    /// The sources that send most, as [`top_operations`](Self::top_operations).
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn top_sources(&self, filter: &Filter, limit: usize, now: Timestamp) -> Result<Vec<Top>> {
        self.top("SELECT fqn FROM source WHERE id = ?1", |facet| facet.source, filter, limit, now)
    }

    fn top(
        &self,
        name: &str,
        id: impl Fn(&Facet) -> i64,
        filter: &Filter,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Top>> {
        let filter = Filter { text: None, correlator: None, parent: None, ..filter.clone() };
        let Some(resolved) = ResolvedFilter::resolve(self.0, &filter, now)? else { return Ok(Vec::new()) };
        let Some((first, last)) = self.span(&resolved)? else { return Ok(Vec::new()) };
        let facets = self.facets(&resolved)?;
        let mut counts: HashMap<i64, Severities> = HashMap::new();
        for stretch in Stretch::whole(first, last) {
            self.tallied(stretch, |_, facet, by| {
                if let Some(facet) = facets.get(&facet) {
                    add(counts.entry(id(facet)).or_default(), facet.severity, by);
                }
            })?;
        }
        let mut counts: Vec<_> = counts.into_iter().filter(|(id, counts)| *id > 0 && counts.total() > 0).collect();
        counts.sort_by_key(|(id, counts)| (Reverse(counts.total()), *id));
        counts.truncate(limit);
        let mut query = self.0.prepare_cached(name)?;
        let mut top = |(id, severities): (i64, Severities)| {
            Ok(Top { name: query.query_row([id], |row| row.get::<_, String>(0))?.into(), severities })
        };
        counts.into_iter().map(&mut top).collect()
    }

    /// The facets that are wanted, by their ids.
    fn facets(&self, resolved: &ResolvedFilter) -> Result<HashMap<i64, Facet>> {
        let sql = format!("SELECT id, severity, operation, source FROM facet WHERE {}", resolved.on_facet("id"));
        let mut query = self.0.prepare_cached(&sql)?;
        let facets = query.query_map([], |row| {
            Ok((row.get(0)?, Facet { severity: row.get(1)?, operation: row.get(2)?, source: row.get(3)? }))
        })?;
        Ok(facets.collect::<rusqlite::Result<_>>()?)
    }

    /// Tells the time, the facet and the count of each row in a stretch of the table `tally`.
    fn tallied(&self, stretch: Stretch, mut tell: impl FnMut(Timestamp, i64, i64)) -> Result<()> {
        let sql = format!("SELECT bucket, facet, count FROM tally WHERE {}", stretch.condition());
        let mut query = self.0.prepare_cached(&sql)?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let bucket: i64 = row.get(0)?;
            tell(Timestamp::from_usec(bucket * stretch.level.usec()), row.get(1)?, row.get(2)?);
        }
        Ok(())
    }

    /// The metrics that were received, by name.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn metric_names(&self) -> Result<Vec<MetricName>> {
        let sql =
            "SELECT category, snapshot, property FROM metric_name ORDER BY category, snapshot, property LIMIT 10000";
        let mut query = self.0.prepare_cached(sql)?;
        let names = query.query_map([], |row| {
            Ok(MetricName { category: row.get(0)?, snapshot: row.get(1)?, property: row.get(2)? })
        })?;
        Ok(names.collect::<rusqlite::Result<_>>()?)
    }

    /// The values of a metric in about `buckets` stretches of equal length; those without a value are left out. Of the filter,
    /// time and source matter.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn metric(&self, name: &MetricName, filter: &Filter, buckets: usize, now: Timestamp) -> Result<Vec<Metric>> {
        let Some(resolved) = ResolvedFilter::resolve(self.0, &filter.time_only(), now)? else { return Ok(Vec::new()) };
        let Some(scale) = self.scale(&resolved, buckets)? else { return Ok(Vec::new()) };
        let on_source = match &filter.source {
            Some(source) => format!("AND source IN ({})", list(&sources_with(self.0, source)?)),
            None => String::new(),
        };
        let sql = format!(
            "SELECT bucket / {}, sum(count), min(min), sum(sum) / sum(count), max(max) FROM metric
             WHERE name = (SELECT id FROM metric_name WHERE category = ?1 AND snapshot = ?2 AND property = ?3)
             AND {} {on_source} GROUP BY 1 ORDER BY 1",
            scale.per_bucket(),
            scale.stretch().condition()
        );
        let mut query = self.0.prepare_cached(&sql)?;
        let metrics = query.query_map(params![name.category, name.snapshot, name.property], |row| {
            let start = Timestamp::from_usec(row.get::<_, i64>(0)? * scale.width);
            Ok(Metric { start, count: row.get(1)?, min: row.get(2)?, avg: row.get(3)?, max: row.get(4)? })
        })?;
        Ok(metrics.collect::<rusqlite::Result<_>>()?)
    }

    /// How much there is of everything.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn sizes(&self) -> Result<Sizes> {
        let mut sizes = Sizes { bytes: used_bytes(self.0)?, ..Sizes::default() };
        let sql = "SELECT kind, severity, sum(count) FROM tally CROSS JOIN facet ON facet.id = tally.facet
                   WHERE level = ?1 GROUP BY 1, 2";
        let mut query = self.0.prepare_cached(sql)?;
        let mut rows = query.query([Level::Hour as i64])?;
        while let Some(row) = rows.next()? {
            let (kind, count): (i64, i64) = (row.get(0)?, row.get(2)?);
            let of_kind = match Kind::ALL.into_iter().find(|known| kind_number(*known) == kind) {
                Some(Kind::Activity) => &mut sizes.activities,
                Some(Kind::Snapshot) => &mut sizes.snapshots,
                _ => &mut sizes.events,
            };
            *of_kind += u64::try_from(count).unwrap_or_default();
            add(&mut sizes.severities, row.get(1)?, count);
        }
        let count = |table| self.0.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
        sizes.sources = count("source")?;
        sizes.operations = count("operation")?;
        let (oldest, newest) = self.ends(EntityId::FIRST, EntityId::LAST)?;
        sizes.oldest = oldest;
        sizes.newest = newest;
        Ok(sizes)
    }

    /// The times of the first entity from `from` on, and of the last before `to`.
    fn ends(&self, from: EntityId, to: EntityId) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
        let mut query = self.0.prepare_cached(
            "SELECT (SELECT time FROM entity WHERE id >= ?1 ORDER BY id LIMIT 1),
                    (SELECT time FROM entity WHERE id < ?2 ORDER BY id DESC LIMIT 1)",
        )?;
        let time = |usec: Option<i64>| usec.map(Timestamp::from_usec);
        Ok(query.query_row(params![from, to], |row| Ok((time(row.get(0)?), time(row.get(1)?))))?)
    }

    fn scale(&self, resolved: &ResolvedFilter, buckets: usize) -> Result<Option<Scale>> {
        Ok(self.span(resolved)?.map(|(first, last)| Scale::new(first, last, buckets)))
    }

    /// From when to when: what the filter says, even if nothing is there; else the first and the last that there is.
    fn span(&self, resolved: &ResolvedFilter) -> Result<Option<(Timestamp, Timestamp)>> {
        let (Some(first), Some(last)) = self.ends(resolved.from, resolved.to)? else { return Ok(None) };
        let first = if resolved.from == EntityId::FIRST { first } else { resolved.from.time() };
        let until = Timestamp::from_usec(resolved.to.time().as_usec() - 1);
        let last = if resolved.to == EntityId::LAST { last } else { until };
        Ok((first <= last).then_some((first, last)))
    }
}

/// What `tally` counts by.
#[derive(Debug, Clone, Copy)]
struct Facet {
    severity: i64,
    operation: i64,
    source: i64,
}

fn add(severities: &mut Severities, severity: i64, count: i64) {
    let slot = usize::try_from(severity).ok().and_then(|index| severities.0.get_mut(index));
    if let Some(slot) = slot {
        *slot += u64::try_from(count).unwrap_or_default();
    }
}
