//! What a store can do, so that another one can take the place of the one in this process.

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

/// What became of records that were put into a store.
pub(crate) type Reply = oneshot::Receiver<Result<Appended, StoreError>>;

/// A store. Everything that pages, API and command ask is made of these.
pub(crate) trait Engine: fmt::Debug + Send + Sync {
    /// Stores all of `records` or none; the reply comes when that is done as durably as was asked for.
    fn put(&self, records: Vec<Record>) -> Result<Reply, StoreError>;

    /// The first that a filter lets through. What was acknowledged is found at once.
    fn find(&self, find: &Find, deadline: &Deadline) -> Result<Vec<Stored>, StoreError>;

    /// As [`find`](Self::find), and of each only what the map needs.
    fn messages(&self, find: &Find, deadline: &Deadline) -> Result<Vec<Message>, StoreError> {
        Ok(self.find(find, deadline)?.iter().map(Message::of).collect())
    }

    /// One, by its id.
    fn get(&self, id: EntityId) -> Result<Option<Stored>, StoreError>;

    /// Groups and counts what a filter lets through; see [`settle`](Self::settle).
    fn aggregate(&self, aggregate: &Aggregate, deadline: &Deadline) -> Result<Vec<Row>, StoreError>;

    /// Waits until what was acknowledged before is counted too, as long as the index can follow.
    fn settle(&self, deadline: &Deadline);

    /// What is stored from now on, in the order of arrival. Who is too slow is told how much it missed.
    fn tail(&self) -> broadcast::Receiver<Arc<Fresh>>;

    /// How much there is.
    fn extent(&self) -> Result<Extent, StoreError>;

    /// How it is.
    fn health(&self) -> Health;
}

/// An entity that was just stored, for those who watch. To read it is left to them: who stores has no time for that.
#[derive(Debug, Clone)]
pub(crate) struct Fresh {
    pub(crate) id: EntityId,
    pub(crate) received: Timestamp,
    /// A copy, so that the body that it came in can go; a large one is to be had from the store alone.
    pub(crate) json: Option<bytes::Bytes>,
}

impl Fresh {
    /// `None` for a large one.
    pub(crate) fn read(&self) -> Option<Stored> {
        let json = self.json.clone()?;
        let entity = parse(&json).ok()?;
        Some(Stored { id: self.id, time: self.id.time(), received: self.received, entity, json })
    }
}

/// A question for entities.
#[derive(Debug, Clone)]
pub(crate) struct Find {
    pub(crate) filter: Filter,
    /// What the filter's ages count back from.
    pub(crate) now: Timestamp,
    /// From the youngest to the oldest, or the other way round.
    pub(crate) youngest_first: bool,
    /// Only those behind this one, in that order.
    pub(crate) beyond: Option<EntityId>,
    pub(crate) limit: usize,
}

/// What the map needs of a message.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: EntityId,
    pub(crate) severity: Severity,
    /// As it is indexed: of a very long one, its beginning and a hash. So with correlators.
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

/// A question for figures.
#[derive(Debug, Clone)]
pub(crate) struct Aggregate {
    pub(crate) filter: Filter,
    /// What the filter's ages count back from.
    pub(crate) now: Timestamp,
    pub(crate) aggregation: Aggregation,
}

/// How much there is, without a question.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extent {
    pub(crate) entities: u64,
    pub(crate) bytes: u64,
    pub(crate) oldest: Option<Timestamp>,
    pub(crate) newest: Option<Timestamp>,
    /// The fields that are not in every entity.
    pub(crate) names: std::collections::BTreeSet<String>,
    /// Of these, the fields that there are numbers in.
    pub(crate) numbers: std::collections::BTreeSet<String>,
    /// How many values are kept in their entities alone, for their fields were too many.
    pub(crate) passed_over: u64,
}

/// How a store is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Health {
    /// How many entities are acknowledged and not yet where questions for figures see them.
    pub(crate) waiting: u64,
    /// What a person should know.
    pub(crate) notices: Vec<String>,
}

/// The times that a filter lets through, in microseconds.
pub(crate) fn range_of(filter: &Filter, now: Timestamp) -> Range<i64> {
    let usec = |moment: crate::Moment| moment.before(now).as_usec();
    filter.since.map_or(i64::MIN, usec)..filter.until.map_or(i64::MAX, usec)
}

/// When a question has taken too long.
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

    /// How long there is left.
    pub(crate) fn left(&self) -> Duration {
        self.patience.saturating_sub(self.began.elapsed())
    }

    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if !self.left().is_zero() {
            return Ok(());
        }
        Err(StoreError::new(StoreErrorKind::TooSlow, "the question takes too long"))
    }
}
