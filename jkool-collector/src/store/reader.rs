//! Questions to the store: entities.

use super::find::{End, Wanted};
use super::record::hash_of;
use super::{EntityId, Record, StoreError, StoreErrorKind, Stored};
use crate::Filter;
use bytes::Bytes;
use jkool_model::{Entity, Timestamp, TrackingId};
use rusqlite::{Connection, OptionalExtension, Params, Row};

/// One state of the store, to be asked.
#[derive(Debug)]
pub struct Reader<'a>(pub(super) &'a Connection);

/// So many of one tracking id are looked at: a client that uses one id for all its events shall not slow a page down.
const OF_ONE_ID: usize = 100;

const COLUMNS: &str = "e.id, e.time, e.received, e.json";

type Result<T> = std::result::Result<T, StoreError>;

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
        wanted.to = before.map_or(wanted.to, |before| wanted.to.min(before));
        self.all(&wanted.ids(self.0, End::Youngest, limit)?)
    }

    /// The oldest that `filter` lets through, `limit` at most; with `after`, only those that are younger than that one. For
    /// who goes through all of them.
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
        wanted.from = after.map_or(wanted.from, |after| wanted.from.max(after.plus(1)));
        self.all(&wanted.ids(self.0, End::Oldest, limit)?)
    }

    fn all(&self, ids: &[EntityId]) -> Result<Vec<Stored>> {
        ids.iter().filter_map(|id| self.get(*id).transpose()).collect()
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
        let sql = format!("SELECT {COLUMNS} FROM entity e WHERE e.tracking = ?1 ORDER BY e.id LIMIT {OF_ONE_ID}");
        let mut found = self.query(&sql, [hash_of(id)])?;
        found.retain(|stored| stored.entity.tracking_id() == Some(id));
        Ok(found)
    }

    /// Those that name `id` as their parent, the oldest first, `limit` at most.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn children(&self, id: &TrackingId, limit: usize) -> Result<Vec<Stored>> {
        let sql = format!("SELECT {COLUMNS} FROM entity e WHERE e.parent = ?1 ORDER BY e.id LIMIT {limit}");
        let mut found = self.query(&sql, [hash_of(id)])?;
        found.retain(|stored| stored.entity.parent_id() == Some(id));
        Ok(found)
    }

    /// What belongs to an entity: its parent, its children, its siblings, and all that shares a correlator with it, itself
    /// included, the oldest first, `limit` of each at most.
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
        let sql = format!(
            "SELECT {COLUMNS} FROM correlator c JOIN entity e ON e.id = c.entity WHERE c.name = ?1
             ORDER BY e.id LIMIT {limit}"
        );
        for correlator in to.entity.correlators() {
            found.extend(self.query(&sql, [correlator])?);
        }
        found.sort_by_key(|stored| stored.id);
        found.dedup_by_key(|stored| stored.id);
        Ok(found)
    }

    fn query(&self, sql: &str, params: impl Params) -> Result<Vec<Stored>> {
        let mut query = self.0.prepare_cached(sql)?;
        query.query_map(params, |row| Ok(stored(row)))?.map(|stored| stored?).collect()
    }
}

/// Reads `COLUMNS`.
fn stored(row: &Row<'_>) -> Result<Stored> {
    let json: Vec<u8> = row.get(3)?;
    let entity: Entity = serde_json::from_slice(&json)
        .map_err(|error| StoreError::new(StoreErrorKind::Corrupt, format!("a stored entity can't be read: {error}")))?;
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
