//! Questions to the store: entities.

use super::engine::{Aggregate, Deadline, Engine, Find};
use super::{Aggregation, EntityId, Row, StoreError, Stored};
use crate::condition::{Condition, Test};
use crate::expression::Expression;
use crate::field::{CORRELATOR, FieldName};
use crate::filter::Filter;
use jkool_model::{Text, Timestamp, TrackingId};
use std::cell::OnceCell;

/// The store, to be asked.
#[derive(Debug)]
pub struct Reader<'a> {
    pub(super) engine: &'a dyn Engine,
    pub(super) deadline: Deadline,
    /// Done once for all figures, so that they are of about the same time.
    settled: OnceCell<()>,
}

/// So many of one tracking id are looked at: a client that uses one id for all its events shall not slow a page down.
const OF_ONE_ID: usize = 100;

pub(super) type Result<T> = std::result::Result<T, StoreError>;

impl<'a> Reader<'a> {
    pub(super) fn new(engine: &'a dyn Engine, deadline: Deadline) -> Self {
        Self { engine, deadline, settled: OnceCell::new() }
    }

    /// The youngest that `filter` lets through, `limit` at most; with `before`, only those that are older than that one.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn find(&self, filter: &Filter, limit: usize, before: Option<EntityId>, now: Timestamp) -> Result<Vec<Stored>> {
        self.ask(&Find { filter: filter.clone(), now, youngest_first: true, beyond: before, limit })
    }

    /// The oldest that `filter` lets through, `limit` at most; with `after`, only those that are younger than that one. For
    /// who goes through all of them.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn find_after(
        &self,
        filter: &Filter,
        limit: usize,
        after: Option<EntityId>,
        now: Timestamp,
    ) -> Result<Vec<Stored>> {
        self.ask(&Find { filter: filter.clone(), now, youngest_first: false, beyond: after, limit })
    }

    fn ask(&self, find: &Find) -> Result<Vec<Stored>> {
        self.deadline.check()?;
        self.engine.find(find, &self.deadline)
    }

    /// Groups of what `filter` lets through, and figures of each: the groups of time in order, those of a field with the
    /// largest first. At most 250,000 groups are made.
    ///
    /// # Errors
    /// When a field can't be grouped by, there are too many groups, or the store can't be read.
    pub fn aggregate(&self, filter: &Filter, aggregation: &Aggregation, now: Timestamp) -> Result<Vec<Row>> {
        self.deadline.check()?;
        self.settle();
        let ask = Aggregate { filter: filter.clone(), now, aggregation: aggregation.clone() };
        self.engine.aggregate(&ask, &self.deadline)
    }

    pub(super) fn settle(&self) {
        self.settled.get_or_init(|| self.engine.settle(&self.deadline));
    }

    /// The oldest of those that belong together, at any time.
    pub(super) fn oldest(&self, filter: Filter, limit: usize) -> Result<Vec<Stored>> {
        self.ask(&Find { filter, now: Timestamp::from_usec(0), youngest_first: false, beyond: None, limit })
    }

    /// One, by its id.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn get(&self, id: EntityId) -> Result<Option<Stored>> {
        self.engine.get(id)
    }

    /// Those of a tracking id; more than one if a client used it for different entities.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn with_tracking_id(&self, id: &TrackingId) -> Result<Vec<Stored>> {
        let is_it = Condition::new(FieldName::new("tracking-id".to_owned()), Test::Is(id.to_string()));
        self.oldest(Filter { expression: is_it.into(), ..Filter::default() }, OF_ONE_ID)
    }

    /// Those that name `id` as their parent, the oldest first, `limit` at most.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn children(&self, id: &TrackingId, limit: usize) -> Result<Vec<Stored>> {
        self.oldest(Filter { parent: Some(id.to_string()), ..Filter::default() }, limit)
    }

    /// What belongs to an entity: its parent, its children, its siblings, and all that shares a correlator with it, itself
    /// included, the oldest first, `limit` of each at most. Of very many correlators, the first 1,000 count.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn related(&self, to: &Stored, limit: usize) -> Result<Vec<Stored>> {
        const CORRELATORS: usize = 1_000;
        let mut found = vec![to.clone()];
        if let Some(parent) = to.entity.parent_id() {
            found.extend(self.with_tracking_id(parent)?);
            found.extend(self.children(parent, limit)?);
        }
        if let Some(id) = to.entity.tracking_id() {
            found.extend(self.children(id, limit)?);
        }
        let correlators = to.entity.correlators().iter().take(CORRELATORS);
        let shared =
            |name: &Text| Condition::new(FieldName::new(CORRELATOR.to_owned()), Test::Is(name.to_string())).into();
        let sharing = Expression::Any(correlators.map(shared).collect());
        found.extend(self.oldest(Filter { expression: sharing, ..Filter::default() }, limit)?);
        found.sort_by_key(|stored| stored.id);
        found.dedup_by_key(|stored| stored.id);
        Ok(found)
    }
}
