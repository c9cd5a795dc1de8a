//! Questions to the store: entities.

use super::find::{End, ResolvedFilter};
use super::link::{CORRELATOR, Role, hash, linked};
use super::{EntityId, StoreError, StoreErrorKind, Stored};
use crate::filter::Filter;
use jkool_model::{Entity, Timestamp, TrackingId};
use rusqlite::{Connection, OptionalExtension, Row};

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
        let Some(mut resolved) = ResolvedFilter::resolve(self.0, filter, now)? else { return Ok(Vec::new()) };
        resolved.to = before.map_or(resolved.to, |before| resolved.to.min(before));
        Ok(named_so(self.all(&resolved.ids(self.0, End::Youngest, limit)?)?, filter))
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
        let Some(mut resolved) = ResolvedFilter::resolve(self.0, filter, now)? else { return Ok(Vec::new()) };
        resolved.from = after.map_or(resolved.from, |after| resolved.from.max(after.plus(1)));
        Ok(named_so(self.all(&resolved.ids(self.0, End::Oldest, limit)?)?, filter))
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
        let role = format!("role = {}", Role::Own as i64);
        let mut found = self.all(&linked(self.0, hash(&id.to_string()), &role, OF_ONE_ID)?)?;
        found.retain(|stored| stored.entity.tracking_id() == Some(id));
        Ok(found)
    }

    /// Those that name `id` as their parent, the oldest first, `limit` at most.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn children(&self, id: &TrackingId, limit: usize) -> Result<Vec<Stored>> {
        let role = format!("role = {}", Role::Parent as i64);
        let mut found = self.all(&linked(self.0, hash(&id.to_string()), &role, limit)?)?;
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
        for correlator in to.entity.correlators() {
            let mut sharing = self.all(&linked(self.0, hash(correlator), CORRELATOR, limit)?)?;
            sharing.retain(|stored| stored.entity.correlators().contains(correlator));
            found.extend(sharing);
        }
        found.sort_by_key(|stored| stored.id);
        found.dedup_by_key(|stored| stored.id);
        Ok(found)
    }
}

/// A hash leads to where to look: what it found must bear the name itself.
fn named_so(mut found: Vec<Stored>, filter: &Filter) -> Vec<Stored> {
    let parent = filter.parent.as_ref().map(|parent| TrackingId::from(parent.clone()));
    found.retain(|Stored { entity, .. }| {
        parent.as_ref().is_none_or(|parent| entity.parent_id() == Some(parent))
            && filter.correlator.as_ref().is_none_or(|name| entity.correlators().iter().any(|own| own == name))
    });
    found
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
