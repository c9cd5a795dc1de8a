//! Queries to the store for entities.

use super::engine::{Aggregate, Deadline, Engine, Find};
use super::{Aggregation, EntityId, Row, StoreError, Stored};
use crate::condition::{Condition, Test};
use crate::expression::Expression;
use crate::field::{CORRELATOR, FieldName};
use crate::filter::Filter;
use jkool_model::{Text, Timestamp, TrackingId};
use std::cell::OnceCell;

/// Read access to a [`Store`](super::Store); [`Store::read`](super::Store::read) provides it.
#[derive(Debug)]
pub struct Reader<'a> {
    pub(super) engine: &'a dyn Engine,
    pub(super) deadline: Deadline,
    /// Done once for all aggregations, so that they show about the same state.
    settled: OnceCell<()>,
}

/// The maximum number of entities of one tracking id that are read, so that a client that uses one id for all its events does not make
/// pages slow.
const OF_ONE_ID: usize = 100;

pub(super) type Result<T> = std::result::Result<T, StoreError>;

impl<'a> Reader<'a> {
    pub(super) fn new(engine: &'a dyn Engine, deadline: Deadline) -> Self {
        Self { engine, deadline, settled: OnceCell::new() }
    }

    /// Returns the newest entities that match `filter`, at most `limit`; with `before`, only those that are older than that one.
    ///
    /// # Errors
    /// Returns an error if the store cannot be read.
    pub fn find(&self, filter: &Filter, limit: usize, before: Option<EntityId>, now: Timestamp) -> Result<Vec<Stored>> {
        self.ask(&Find { filter: filter.clone(), now, youngest_first: true, beyond: before, limit })
    }

    /// Returns the oldest entities that match `filter`, at most `limit`; with `after`, only those that are newer than that one. Use it to
    /// iterate over all entities.
    ///
    /// # Errors
    /// Returns an error if the store cannot be read.
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

    /// Groups the entities that match `filter`, and computes the measures of each group. Time buckets are in order of time; groups of a
    /// field are in order of size, the largest first. At most 250,000 groups are created.
    ///
    /// # Errors
    /// Returns an error if a field cannot be grouped by, if there are too many groups, or if the store cannot be read.
    pub fn aggregate(&self, filter: &Filter, aggregation: &Aggregation, now: Timestamp) -> Result<Vec<Row>> {
        self.deadline.check()?;
        self.settle();
        let ask = Aggregate { filter: filter.clone(), now, aggregation: aggregation.clone() };
        self.engine.aggregate(&ask, &self.deadline)
    }

    pub(super) fn settle(&self) {
        self.settled.get_or_init(|| self.engine.settle(&self.deadline));
    }

    /// Returns the oldest of the entities that belong together, whatever their time.
    pub(super) fn oldest(&self, filter: Filter, limit: usize) -> Result<Vec<Stored>> {
        self.ask(&Find { filter, now: Timestamp::from_usec(0), youngest_first: false, beyond: None, limit })
    }

    /// Returns the entity with this id.
    ///
    /// # Errors
    /// Returns an error if the store cannot be read.
    pub fn get(&self, id: EntityId) -> Result<Option<Stored>> {
        self.engine.get(id)
    }

    /// Returns the entities with this tracking id; more than one if a client used it for different entities.
    ///
    /// # Errors
    /// Returns an error if the store cannot be read.
    pub fn with_tracking_id(&self, id: &TrackingId) -> Result<Vec<Stored>> {
        let is_it = Condition::new(FieldName::new("tracking-id".to_owned()), Test::Is(id.to_string()));
        self.oldest(Filter { expression: is_it.into(), ..Filter::default() }, OF_ONE_ID)
    }

    /// Returns the entities whose parent is `id`, the oldest first, at most `limit`.
    ///
    /// # Errors
    /// Returns an error if the store cannot be read.
    pub fn children(&self, id: &TrackingId, limit: usize) -> Result<Vec<Stored>> {
        self.oldest(Filter { parent: Some(id.to_string()), ..Filter::default() }, limit)
    }

    /// Returns the entities that are related to an entity: its parent, its children, its siblings, and all that share a correlator with it.
    /// The entity itself is included. The oldest come first, at most `limit` of each. Only the first 1,000 correlators are used.
    ///
    /// # Errors
    /// Returns an error if the store cannot be read.
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
