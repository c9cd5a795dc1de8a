//! The trait for stores, so that the one in this process can be replaced.

use super::parse::parse;
use super::{Aggregation, Appended, EntityId, Record, Row, StoreError, StoreErrorKind, Stored};
use crate::field::cut;
use crate::filter::{Filter, severity_of};
use jkool_model::{Entity, Severity, Timestamp};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{broadcast, oneshot};

/// The outcome of storing records.
pub(crate) type Reply = oneshot::Receiver<Result<Appended, StoreError>>;

/// A store. Pages, API and command are built on these methods.
pub(crate) trait Engine: fmt::Debug + Send + Sync {
    /// Stores all `records` or none; the reply comes when they are as durable as requested.
    fn put(&self, records: Vec<Record>) -> Result<Reply, StoreError>;

    /// Returns the first entities that match a filter. Acknowledged entities are found at once.
    fn find(&self, find: &Find, deadline: &Deadline) -> Result<Vec<Stored>, StoreError>;

    /// Like [`find`](Self::find), but returns only the fields that the map needs.
    fn messages(&self, find: &Find, deadline: &Deadline) -> Result<Vec<Message>, StoreError> {
        Ok(self.find(find, deadline)?.iter().map(Message::of).collect())
    }

    /// Returns the entity with this id.
    fn get(&self, id: EntityId) -> Result<Option<Stored>, StoreError>;

    /// Groups and counts the entities that match a filter; see [`settle`](Self::settle).
    fn aggregate(&self, aggregate: &Aggregate, deadline: &Deadline) -> Result<Vec<Row>, StoreError>;

    /// Waits until all entities acknowledged so far are counted too, as long as the index can keep up.
    fn settle(&self, deadline: &Deadline);

    /// Subscribes to new entities, in the order of arrival. A subscriber that is too slow is told how many it missed.
    fn tail(&self) -> broadcast::Receiver<Arc<Fresh>>;

    /// Returns the sizes of the store.
    fn extent(&self) -> Result<Extent, StoreError>;

    /// Returns the state of the store.
    fn health(&self) -> Health;
}

/// A new entity, for subscribers. They decode it, not the writer, which has no time for that.
#[derive(Debug, Clone)]
pub(crate) struct Fresh {
    pub(crate) id: EntityId,
    pub(crate) received: Timestamp,
    /// A copy, so that the request body can be freed; a large entity must be read from the store.
    pub(crate) json: Option<bytes::Bytes>,
}

impl Fresh {
    /// Parses the entity; `None` for a large one.
    pub(crate) fn read(&self) -> Option<Stored> {
        let json = self.json.clone()?;
        let entity = parse(&json).ok()?;
        Some(Stored { id: self.id, time: self.id.time(), received: self.received, entity, json })
    }
}

/// A query for entities.
#[derive(Debug, Clone)]
pub(crate) struct Find {
    pub(crate) filter: Filter,
    /// Ages in the filter are relative to this time.
    pub(crate) now: Timestamp,
    /// Newest first, or oldest first.
    pub(crate) youngest_first: bool,
    /// Only entities after this one, in that order.
    pub(crate) beyond: Option<EntityId>,
    pub(crate) limit: usize,
}

/// The fields of a message that the map needs.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: EntityId,
    pub(crate) severity: Severity,
    /// As indexed: a very long text is replaced by its beginning and a hash. The same is true for correlators.
    pub(crate) source: Option<Arc<str>>,
    pub(crate) resource: Option<Arc<str>>,
    pub(crate) correlators: Vec<Arc<str>>,
}

impl Message {
    pub(crate) fn of(stored: &Stored) -> Self {
        let entity = &stored.entity;
        Self {
            id: stored.id,
            severity: severity_of(entity),
            source: entity.source().map(|source| cut(source.as_str()).into()),
            resource: resource_of(entity).map(|resource| cut(resource).into()),
            correlators: entity.correlators().iter().map(|correlator| cut(correlator).into()).collect(),
        }
    }
}

fn resource_of(entity: &Entity) -> Option<&str> {
    match entity {
        Entity::Event(event) => Some(&*event.resource),
        Entity::Activity(activity) => Some(&*activity.resource),
        _ => None,
    }
    .filter(|resource| !resource.is_empty())
}

/// A query for groups and measures.
#[derive(Debug, Clone)]
pub(crate) struct Aggregate {
    pub(crate) filter: Filter,
    /// Ages in the filter are relative to this time.
    pub(crate) now: Timestamp,
    pub(crate) aggregation: Aggregation,
}

/// The sizes of a store.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extent {
    pub(crate) entities: u64,
    pub(crate) bytes: u64,
    pub(crate) oldest: Option<Timestamp>,
    pub(crate) newest: Option<Timestamp>,
    /// The fields that not every entity has.
    pub(crate) names: std::collections::BTreeSet<String>,
    /// The names of those fields that have numbers.
    pub(crate) numbers: std::collections::BTreeSet<String>,
    /// The number of values that are not indexed, because there were too many fields.
    pub(crate) passed_over: u64,
}

/// The state of a store.
#[derive(Debug, Clone, Default)]
pub(crate) struct Health {
    /// The number of acknowledged entities that are not counted by queries yet.
    pub(crate) waiting: u64,
    /// Problems that a person should know about.
    pub(crate) notices: Vec<String>,
}

/// The time range of a filter, in microseconds.
pub(crate) fn range_of(filter: &Filter, now: Timestamp) -> Range<i64> {
    let usec = |moment: crate::Moment| moment.before(now).as_usec();
    filter.since.map_or(i64::MIN, usec)..filter.until.map_or(i64::MAX, usec)
}

/// The timeout of a query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    began: Instant,
    patience: Duration,
}

impl Deadline {
    #[expect(clippy::disallowed_methods, reason = "a deadline, which a clock that jumps must not move")]
    pub(crate) fn within(patience: Duration) -> Self {
        Self { began: Instant::now(), patience }
    }

    /// Returns the remaining time.
    pub(crate) fn left(&self) -> Duration {
        self.patience.saturating_sub(self.began.elapsed())
    }

    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if !self.left().is_zero() {
            return Ok(());
        }
        Err(StoreError::new(StoreErrorKind::TooSlow, "the query took too long"))
    }
}
