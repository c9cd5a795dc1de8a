//! Questions to the store.

use super::apply::kind_number;
use super::find::Wanted;
use super::record::hash_of;
use super::retention::used_bytes;
use super::rollup::Level;
use super::views::{Bucket, Flow, Metric, MetricName, Severities, Sizes, Stored, Top};
use super::{EntityId, Record, StoreError};
use crate::{Filter, Kind};
use bytes::Bytes;
use jkool_model::{Entity, Severity, SourceFqn, Timestamp, TrackingId};
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

/// One state of the store, to be asked.
#[derive(Debug)]
pub struct Reader<'a>(&'a Connection);

/// So many matches of a text or a correlator are counted for a chart, the youngest; more would take long.
const COUNTED: usize = 20_000;

/// So many RECEIVE events are looked at for a map, the youngest.
const MAPPED: usize = 5_000;

type Result<T> = std::result::Result<T, StoreError>;

const COLUMNS: &str = "e.id, e.time, e.received, e.json";

impl<'a> Reader<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self(connection)
    }

    /// The youngest that `filter` lets through, `limit` at most; with `before`, only those that are older than that one.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn find(&self, filter: &Filter, limit: usize, before: Option<EntityId>, now: Timestamp) -> Result<Vec<Stored>> {
        let Some(mut wanted) = Wanted::resolve(self.0, filter, now)? else { return Ok(Vec::new()) };
        if let Some(before) = before {
            wanted.to = wanted.to.min(before);
        }
        let (from_where, values) = wanted.selection();
        let sql = format!("SELECT {COLUMNS} {from_where} ORDER BY {} DESC LIMIT {limit}", wanted.order());
        let mut found = self.0.prepare_cached(&sql)?;
        let rows = found.query_map(params_from_iter(values), |row| Ok(stored(row)))?;
        let mut rows = rows.map(|row| row?).collect::<Result<Vec<_>>>()?;
        if let Some(parent) = filter.parent.as_ref().map(|parent| TrackingId::from(parent.clone())) {
            rows.retain(|stored| stored.entity.parent_id() == Some(&parent));
        }
        Ok(rows)
    }

    /// The oldest that came in after `after` by their place, in that order: for an export that goes through all.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn find_after(
        &self,
        filter: &Filter,
        limit: usize,
        after: Option<EntityId>,
        now: Timestamp,
    ) -> Result<Vec<Stored>> {
        let Some(mut wanted) = Wanted::resolve(self.0, filter, now)? else { return Ok(Vec::new()) };
        if let Some(after) = after {
            wanted.from = wanted.from.max(after.plus(1));
        }
        let (from_where, values) = wanted.selection();
        let sql = format!("SELECT {COLUMNS} {from_where} ORDER BY {} LIMIT {limit}", wanted.order());
        let mut found = self.0.prepare_cached(&sql)?;
        let rows = found.query_map(params_from_iter(values), |row| Ok(stored(row)))?;
        rows.map(|row| row?).collect()
    }

    /// One, by its place.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn get(&self, id: EntityId) -> Result<Option<Stored>> {
        let mut get = self.0.prepare_cached(&format!("SELECT {COLUMNS} FROM entity e WHERE e.id = ?1"))?;
        get.query_row([id], |row| Ok(stored(row))).optional()?.transpose()
    }

    /// Those of a tracking id; more than one if a client used it for different entities.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn with_tracking_id(&self, id: &TrackingId) -> Result<Vec<Stored>> {
        let mut rows = self.hashed("tracking", id, RELATED)?;
        rows.retain(|stored| stored.entity.tracking_id() == Some(id));
        Ok(rows)
    }

    /// Those that name `id` as their parent, the oldest first, `limit` at most.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn children(&self, id: &TrackingId, limit: usize) -> Result<Vec<Stored>> {
        let mut rows = self.hashed("parent", id, limit)?;
        rows.retain(|stored| stored.entity.parent_id() == Some(id));
        Ok(rows)
    }

    /// What belongs to an entity: its parent, its children, its siblings, and all that shares a correlator with it, itself
    /// included, the oldest first, `limit` at most.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn related(&self, to: &Stored, limit: usize) -> Result<Vec<Stored>> {
        let mut found = vec![to.clone()];
        if let Some(parent) = to.entity.parent_id() {
            found.extend(self.with_tracking_id(parent)?);
            found.extend(self.children(parent, limit)?);
        }
        if let Some(id) = to.entity.tracking_id() {
            found.extend(self.children(id, limit)?);
        }
        for correlator in to.entity.correlators() {
            let sql = format!(
                "SELECT {COLUMNS} FROM correlator c JOIN entity e ON e.id = c.entity WHERE c.name = ?1 ORDER BY e.id LIMIT {limit}"
            );
            let mut with = self.0.prepare_cached(&sql)?;
            for row in with.query_map([correlator], |row| Ok(stored(row)))? {
                found.push(row??);
            }
        }
        found.sort_by_key(|stored| stored.id);
        found.dedup_by_key(|stored| stored.id);
        found.truncate(limit);
        Ok(found)
    }

    fn hashed(&self, column: &str, id: &TrackingId, limit: usize) -> Result<Vec<Stored>> {
        let sql = format!("SELECT {COLUMNS} FROM entity e WHERE e.{column} = ?1 ORDER BY e.id LIMIT {limit}");
        let mut find = self.0.prepare_cached(&sql)?;
        find.query_map([hash_of(id)], |row| Ok(stored(row)))?.map(|row| row?).collect()
    }

    /// How many `filter` lets through, by severity, in about `buckets` stretches of equal length; empty stretches are there
    /// too. The time is the filter's, or from the first to the last that there is. With a text, a correlator or a parent in
    /// the filter only the youngest 20,000 are counted.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn histogram(&self, filter: &Filter, buckets: usize, now: Timestamp) -> Result<Vec<Bucket>> {
        let Some(wanted) = Wanted::resolve(self.0, filter, now)? else { return Ok(Vec::new()) };
        let Some((from, to)) = self.span(&wanted)? else { return Ok(Vec::new()) };
        let scale = Scale::new(from, to, buckets);
        let mut counts = vec![Severities::default(); scale.len()];
        let mut count = |bucket: i64, severity: i64, count: i64| {
            let index = usize::try_from(bucket - scale.first).ok();
            if let Some(severities) = index.and_then(|index| counts.get_mut(index)) {
                add(severities, severity, count);
            }
        };
        if wanted.is_tallied() {
            let (level, per) = (scale.level as i64, scale.per_bucket);
            let (low, high) = (scale.first * per, (scale.first + scale.count) * per);
            let sql = format!(
                "SELECT bucket / {per}, severity, sum(count) FROM tally
                 WHERE level = {level} AND bucket >= {low} AND bucket < {high}{} GROUP BY 1, 2",
                wanted.on_columns()
            );
            let mut query = self.0.prepare_cached(&sql)?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                count(row.get(0)?, row.get(1)?, row.get(2)?);
            }
        } else {
            let (from_where, values) = wanted.selection();
            let sql =
                format!("SELECT e.time, e.severity {from_where} ORDER BY {} DESC LIMIT {COUNTED}", wanted.order());
            let mut query = self.0.prepare_cached(&sql)?;
            let mut rows = query.query(params_from_iter(values))?;
            while let Some(row) = rows.next()? {
                count(row.get::<_, i64>(0)?.div_euclid(scale.width), row.get(1)?, 1);
            }
        }
        Ok(counts
            .into_iter()
            .zip(scale.first..)
            .map(|(severities, bucket)| Bucket { start: Timestamp::from_usec(bucket * scale.width), severities })
            .collect())
    }

    /// From when to when there is what is wanted.
    fn span(&self, wanted: &Wanted) -> Result<Option<(Timestamp, Timestamp)>> {
        let ends = "SELECT (SELECT time FROM entity WHERE id >= ?1 ORDER BY id LIMIT 1),
                           (SELECT time FROM entity WHERE id < ?2 ORDER BY id DESC LIMIT 1)";
        let mut query = self.0.prepare_cached(ends)?;
        let (first, last): (Option<i64>, Option<i64>) =
            query.query_row(params![wanted.from, wanted.to], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (Some(first), Some(last)) = (first, last) else { return Ok(None) };
        // What the filter says is drawn even where nothing was.
        let first = if wanted.from == EntityId::FIRST { first } else { wanted.from.time().as_usec() };
        let last = if wanted.to == EntityId::LAST { last } else { wanted.to.time().as_usec() - 1 };
        Ok((first <= last).then(|| (Timestamp::from_usec(first), Timestamp::from_usec(last))))
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
        let Some(wanted) = Wanted::resolve(self.0, filter, now)? else { return Ok(Vec::new()) };
        let Some((from, to)) = self.span(&wanted)? else { return Ok(Vec::new()) };
        let scale = Scale::new(from, to, 60);
        let (level, per) = (scale.level as i64, scale.per_bucket);
        let (low, high) = (scale.first * per, (scale.first + scale.count) * per);
        let sql = format!(
            "WITH counts AS (
                 SELECT {table} AS id, severity, sum(count) AS count FROM tally
                 WHERE level = {level} AND bucket >= {low} AND bucket < {high}{} GROUP BY 1, 2),
             most AS (SELECT id, sum(count) AS total FROM counts WHERE id > 0 GROUP BY 1 ORDER BY total DESC LIMIT {limit})
             SELECT {table}.{name}, counts.severity, counts.count FROM most JOIN counts USING (id) JOIN {table} USING (id)
             ORDER BY most.total DESC, most.id",
            wanted.on_columns()
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
        let Some(wanted) = Wanted::resolve(
            self.0,
            &Filter { since: filter.since, until: filter.until, source: filter.source.clone(), ..Filter::default() },
            now,
        )?
        else {
            return Ok(Vec::new());
        };
        let Some((from, to)) = self.span(&wanted)? else { return Ok(Vec::new()) };
        let scale = Scale::new(from, to, buckets);
        let (level, per, width) = (scale.level as i64, scale.per_bucket, scale.width);
        let (low, high) = (scale.first * per, (scale.first + scale.count) * per);
        let sql = format!(
            "SELECT bucket / {per}, sum(count), min(min), sum(sum) / sum(count), max(max) FROM metric
             WHERE name = (SELECT id FROM metric_name WHERE category = ?1 AND snapshot = ?2 AND property = ?3)
             AND level = {level} AND bucket >= {low} AND bucket < {high}{} GROUP BY 1 ORDER BY 1",
            wanted.on_columns()
        );
        let mut query = self.0.prepare_cached(&sql)?;
        let metrics = query.query_map(params![name.category, name.snapshot, name.property], |row| {
            let start = Timestamp::from_usec(row.get::<_, i64>(0)? * width);
            Ok(Metric { start, count: row.get(1)?, min: row.get(2)?, avg: row.get(3)?, max: row.get(4)? })
        })?;
        Ok(metrics.collect::<rusqlite::Result<_>>()?)
    }

    /// Who sent to whom, of the youngest 5,000 RECEIVE events in the filter's time.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn flows(&self, filter: &Filter, now: Timestamp) -> Result<Vec<Flow>> {
        let Some(wanted) =
            Wanted::resolve(self.0, &Filter { since: filter.since, until: filter.until, ..Filter::default() }, now)?
        else {
            return Ok(Vec::new());
        };
        let sql = format!(
            "WITH received AS (
                 SELECT name, entity, source, severity FROM correlator WHERE role = 2 AND entity >= ?1 AND entity < ?2
                 ORDER BY entity DESC LIMIT {MAPPED}),
             pairs AS (
                 SELECT (SELECT sent.source FROM correlator sent
                         WHERE sent.name = received.name AND sent.role = 1 AND sent.entity <= received.entity
                         ORDER BY sent.entity DESC LIMIT 1) AS sender,
                        source AS receiver, severity FROM received)
             SELECT a.fqn, b.fqn, count(*), sum(severity >= {})
             FROM pairs JOIN source a ON a.id = pairs.sender JOIN source b ON b.id = pairs.receiver
             GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2",
            Severity::Error as i64
        );
        let mut query = self.0.prepare_cached(&sql)?;
        let mut rows = query.query(params![wanted.from, wanted.to])?;
        let mut flows = Vec::new();
        while let Some(row) = rows.next()? {
            let names = (row.get::<_, String>(0)?.parse::<SourceFqn>(), row.get::<_, String>(1)?.parse::<SourceFqn>());
            // They were read as source names once already.
            if let (Ok(from), Ok(to)) = names {
                flows.push(Flow { from, to, count: row.get(2)?, errors: row.get(3)? });
            }
        }
        Ok(flows)
    }

    /// How much there is of everything.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn sizes(&self) -> Result<Sizes> {
        let mut sizes = Sizes { bytes: used_bytes(self.0)?, ..Sizes::default() };
        let sql = "SELECT kind, severity, sum(count) FROM tally WHERE level = ?1 GROUP BY 1, 2";
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
        let ends =
            "SELECT (SELECT time FROM entity ORDER BY id LIMIT 1), (SELECT time FROM entity ORDER BY id DESC LIMIT 1)";
        let (oldest, newest): (Option<i64>, Option<i64>) =
            self.0.query_row(ends, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        sizes.oldest = oldest.map(Timestamp::from_usec);
        sizes.newest = newest.map(Timestamp::from_usec);
        Ok(sizes)
    }
}

/// So many of one tracking id are looked at; a client that uses one id for all its events shall not slow a page down.
const RELATED: usize = 100;

/// Stretches of time of equal length, each a whole number of a level's buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Scale {
    level: Level,
    /// So many buckets of the level are one of ours.
    per_bucket: i64,
    /// The width of one of ours, in microseconds.
    width: i64,
    /// The number of our first since 1970, and how many there are.
    first: i64,
    count: i64,
}

impl Scale {
    fn new(from: Timestamp, to: Timestamp, buckets: usize) -> Self {
        let buckets = i64::try_from(buckets.clamp(1, 1_000)).unwrap_or(1_000);
        let (from, to) = (from.as_usec(), to.as_usec());
        let wanted = (to.saturating_sub(from)).div_euclid(buckets) + 1;
        // What a person can read off an axis.
        const SECONDS: [i64; 20] = [
            1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 604_800,
            2_592_000,
        ];
        let rounded = SECONDS.iter().map(|seconds| seconds * 1_000_000).find(|width| *width >= wanted);
        let hour = Level::Hour.usec();
        let width = rounded.unwrap_or_else(|| (wanted + hour - 1) / hour * hour);
        let level = Level::within(width);
        let first = from.div_euclid(width);
        Self { level, per_bucket: width / level.usec(), width, first, count: to.div_euclid(width) - first + 1 }
    }

    fn len(&self) -> usize {
        usize::try_from(self.count).unwrap_or_default()
    }
}

fn add(severities: &mut Severities, severity: i64, count: i64) {
    let slot = usize::try_from(severity).ok().and_then(|index| severities.0.get_mut(index));
    if let Some(slot) = slot {
        *slot += u64::try_from(count).unwrap_or_default();
    }
}

/// Reads `COLUMNS`.
fn stored(row: &Row<'_>) -> Result<Stored> {
    let json: Vec<u8> = row.get(3)?;
    let entity = serde_json::from_slice::<Entity>(&json).map_err(|error| {
        StoreError::new(super::StoreErrorKind::Corrupt, format!("a stored entity can't be read: {error}"))
    })?;
    Ok(Stored {
        id: row.get(0)?,
        time: Timestamp::from_usec(row.get(1)?),
        received: Timestamp::from_usec(row.get(2)?),
        entity,
        json: json.into(),
    })
}

impl Stored {
    /// What `record` is in the store; `None` only if it can't be read, which it was.
    pub(super) fn of(record: Record, id: EntityId) -> Option<Self> {
        let entity = serde_json::from_slice(&record.json).ok()?;
        Some(Self { id, time: record.time, received: record.received, entity, json: Bytes::clone(&record.json) })
    }
}
