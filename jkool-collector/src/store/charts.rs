//! Questions to the store: counts and metrics.

use super::apply::kind_number;
use super::find::{Selection, Wanted, list, sources_with};
use super::retention::used_bytes;
use super::rollup::Level;
use super::scale::Scale;
use super::{Bucket, EntityId, Metric, MetricName, Reader, Severities, Sizes, StoreError, Top};
use crate::{Filter, Kind};
use jkool_model::Timestamp;
use rusqlite::{params, params_from_iter};

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
        let Some(wanted) = Wanted::resolve(self.0, filter, now)? else { return Ok(Vec::new()) };
        let Some(scale) = self.scale(&wanted, buckets)? else { return Ok(Vec::new()) };
        let mut counts = vec![Severities::default(); scale.len()];
        let mut count = |index: i64, severity: i64, by: i64| {
            let severities = usize::try_from(index).ok().and_then(|index| counts.get_mut(index));
            if let Some(severities) = severities {
                add(severities, severity, by);
            }
        };
        if wanted.is_tallied() {
            let sql = format!(
                "SELECT bucket / {}, severity, sum(count) FROM tally CROSS JOIN facet ON facet.id = tally.facet
                 WHERE {} {} GROUP BY 1, 2",
                scale.per_bucket,
                scale.condition(),
                wanted.on_facet()
            );
            let mut query = self.0.prepare_cached(&sql)?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                count(row.get::<_, i64>(0)? - scale.first, row.get(1)?, row.get(2)?);
            }
        } else {
            let Selection { sql, values, id } = wanted.selection();
            let sql = format!(
                "SELECT time, severity FROM (SELECT e.time, e.facet {sql} ORDER BY {id} DESC LIMIT {COUNTED}) found
                 JOIN facet ON facet.id = found.facet"
            );
            let mut query = self.0.prepare_cached(&sql)?;
            let mut rows = query.query(params_from_iter(values))?;
            while let Some(row) = rows.next()? {
                count(scale.index(Timestamp::from_usec(row.get(0)?)), row.get(1)?, 1);
            }
        }
        Ok(scale.starts().zip(counts).map(|(start, severities)| Bucket { start, severities }).collect())
    }

    /// The operations that come most often, `limit` at most. A text, a correlator and a parent in the filter are no matter.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn top_operations(&self, filter: &Filter, limit: usize, now: Timestamp) -> Result<Vec<Top>> {
        self.top("operation", "name", filter, limit, now)
    }

    /// The sources that send most, as [`top_operations`](Self::top_operations).
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn top_sources(&self, filter: &Filter, limit: usize, now: Timestamp) -> Result<Vec<Top>> {
        self.top("source", "fqn", filter, limit, now)
    }

    fn top(&self, table: &str, name: &str, filter: &Filter, limit: usize, now: Timestamp) -> Result<Vec<Top>> {
        let filter = Filter { text: None, correlator: None, parent: None, ..filter.clone() };
        let Some(wanted) = Wanted::resolve(self.0, &filter, now)? else { return Ok(Vec::new()) };
        let Some(scale) = self.scale(&wanted, 60)? else { return Ok(Vec::new()) };
        let sql = format!(
            "WITH counts AS (
                 SELECT {table} AS id, severity, sum(count) AS count
                 FROM tally CROSS JOIN facet ON facet.id = tally.facet WHERE {} {} GROUP BY 1, 2),
             most AS (
                 SELECT id, sum(count) AS total FROM counts WHERE id > 0 GROUP BY 1 HAVING total > 0
                 ORDER BY total DESC LIMIT {limit})
             SELECT {table}.{name}, counts.severity, counts.count
             FROM most JOIN counts USING (id) JOIN {table} USING (id) ORDER BY most.total DESC, most.id",
            scale.condition(),
            wanted.on_facet()
        );
        let mut query = self.0.prepare_cached(&sql)?;
        let mut rows = query.query([])?;
        let mut tops: Vec<Top> = Vec::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            if tops.last().is_none_or(|top| top.name != name) {
                tops.push(Top { name: name.into(), severities: Severities::default() });
            }
            if let Some(top) = tops.last_mut() {
                add(&mut top.severities, row.get(1)?, row.get(2)?);
            }
        }
        Ok(tops)
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
        let Some(wanted) = Wanted::resolve(self.0, &filter.time_only(), now)? else { return Ok(Vec::new()) };
        let Some(scale) = self.scale(&wanted, buckets)? else { return Ok(Vec::new()) };
        let on_source = match &filter.source {
            Some(source) => format!("AND source IN ({})", list(&sources_with(self.0, source)?)),
            None => String::new(),
        };
        let sql = format!(
            "SELECT bucket / {}, sum(count), min(min), sum(sum) / sum(count), max(max) FROM metric
             WHERE name = (SELECT id FROM metric_name WHERE category = ?1 AND snapshot = ?2 AND property = ?3)
             AND {} {on_source} GROUP BY 1 ORDER BY 1",
            scale.per_bucket,
            scale.condition()
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

    /// From when to when: what the filter says, even if nothing is there; else the first and the last that there is.
    fn scale(&self, wanted: &Wanted, buckets: usize) -> Result<Option<Scale>> {
        let (Some(first), Some(last)) = self.ends(wanted.from, wanted.to)? else { return Ok(None) };
        let first = if wanted.from == EntityId::FIRST { first } else { wanted.from.time() };
        let until = Timestamp::from_usec(wanted.to.time().as_usec() - 1);
        let last = if wanted.to == EntityId::LAST { last } else { until };
        Ok((first <= last).then(|| Scale::new(first, last, buckets)))
    }
}

fn add(severities: &mut Severities, severity: i64, count: i64) {
    let slot = usize::try_from(severity).ok().and_then(|index| severities.0.get_mut(index));
    if let Some(slot) = slot {
        *slot += u64::try_from(count).unwrap_or_default();
    }
}
