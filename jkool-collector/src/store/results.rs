//! The result types of the store.

use super::EntityId;
use crate::field::FieldName;
use bytes::Bytes;
use jkool_model::{Entity, Severity, SourceFqn, Text, Timestamp};

/// The outcome of storing records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Appended {
    /// The number of entities that were stored.
    pub stored: usize,
    /// The number of duplicates: an entity with the same tracking id and the same content was already stored. The order and the spelling
    /// of fields do not matter.
    pub duplicates: usize,
    /// The number of entities that were already too old to be kept when they arrived. They were not stored.
    pub expired: usize,
}

/// A stored entity.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Stored {
    /// The id of the entity. The newer of two entities has the higher id.
    pub id: EntityId,
    /// The time of the entity, or the time when it was received if it has none.
    pub time: Timestamp,
    /// When it was received.
    pub received: Timestamp,
    /// The parsed entity.
    pub entity: Entity,
    /// The JSON of the entity, as it was received.
    pub json: Bytes,
}

/// The number of entities of each severity: an array in the order of [`Severity::ALL`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Severities(pub [u64; 11]);

impl Severities {
    /// Returns the number of entities of one severity.
    pub fn of(&self, severity: Severity) -> u64 {
        self.0.get(severity as usize).copied().unwrap_or_default()
    }

    /// Returns the number of all entities.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// The number of entities in a time bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// The start of the bucket, which ends where the next one starts.
    pub start: Timestamp,
    /// The number of entities, by severity.
    pub severities: Severities,
}

/// The values of a metric in a time bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// The start of the bucket.
    pub start: Timestamp,
    /// The number of values.
    pub count: u64,
    /// The smallest value.
    pub min: f64,
    /// The mean of the values.
    pub avg: f64,
    /// The largest value.
    pub max: f64,
}

/// The name of a metric: a numeric property of a snapshot, or of events.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MetricName {
    /// The category of the snapshot; empty if it has none.
    pub category: String,
    /// The name of the snapshot; empty for a property of events.
    pub snapshot: String,
    /// The name of the property.
    pub property: String,
}

impl MetricName {
    /// Returns the field that contains the values.
    pub(crate) fn field(&self) -> FieldName {
        match self.snapshot.is_empty() && self.category.is_empty() {
            true => FieldName::property(&self.property),
            false => FieldName::snapshot(&self.category, &self.snapshot, &self.property),
        }
    }
}

/// A name and the number of entities that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Top {
    /// The name.
    pub name: Text,
    /// The number of entities, by severity.
    pub severities: Severities,
}

/// Messages from one source to another: RECEIVE events, each with the SEND event before it that shares a correlator.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Flow {
    /// The sender.
    pub from: SourceFqn,
    /// The receiver.
    pub to: SourceFqn,
    /// The number of messages.
    pub count: u64,
    /// The number of messages that failed: the RECEIVE event, or a later event of the receiver with one of its correlators, has the
    /// severity ERROR or above.
    pub errors: u64,
    /// The number of messages per minute.
    pub per_minute: f64,
    /// The 95th percentile of the time from SEND to RECEIVE, in microseconds.
    pub transit_p95_usec: i64,
}

/// The size of the store, and the number of its entities.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sizes {
    /// Events.
    pub events: u64,
    /// Activities.
    pub activities: u64,
    /// Snapshots that were sent without an event.
    pub snapshots: u64,
    /// The number of entities of each severity.
    pub severities: Severities,
    /// The number of distinct sources; approximate if there are many.
    pub sources: u64,
    /// The number of distinct operations; approximate if there are many.
    pub operations: u64,
    /// The time of the oldest entity.
    pub oldest: Option<Timestamp>,
    /// The time of the newest entity.
    pub newest: Option<Timestamp>,
    /// The size of the store in bytes.
    pub bytes: u64,
    /// The number of field values that cannot be queried, because there were too many different fields. The entities still contain them.
    pub not_indexed: u64,
}

impl Sizes {
    /// Returns the number of all entities.
    pub fn total(&self) -> u64 {
        self.severities.total()
    }
}
