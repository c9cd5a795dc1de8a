//! What the store answers with.

use super::EntityId;
use crate::field::FieldName;
use bytes::Bytes;
use jkool_model::{Entity, Severity, SourceFqn, Text, Timestamp};

/// What became of entities that were handed to the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Appended {
    /// So many are kept.
    pub stored: usize,
    /// So many were there before: the same tracking id, and equal in every byte.
    pub duplicates: usize,
    /// So many were too old to be kept when they arrived, and were not.
    pub expired: usize,
}

/// An entity of the store.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Stored {
    /// Its place: the younger of two has the higher one.
    pub id: EntityId,
    /// Its time: what it says, or when it was received if it says none.
    pub time: Timestamp,
    /// When it was received.
    pub received: Timestamp,
    /// What it means.
    pub entity: Entity,
    /// Its JSON as it was received.
    pub json: Bytes,
}

/// How many entities of each severity: an array in the order of [`Severity::ALL`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Severities(pub [u64; 11]);

impl Severities {
    /// How many of one severity.
    pub fn of(&self, severity: Severity) -> u64 {
        self.0.get(severity as usize).copied().unwrap_or_default()
    }

    /// How many in all.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// How many entities there were in a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Where it begins; it ends where the next one begins.
    pub start: Timestamp,
    /// How many.
    pub severities: Severities,
}

/// The values of a metric in a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// Where it begins.
    pub start: Timestamp,
    /// How many values.
    pub count: u64,
    /// The least.
    pub min: f64,
    /// Their mean.
    pub avg: f64,
    /// The greatest.
    pub max: f64,
}

/// A numeric property that was received over and over: one of a snapshot, or of events themselves.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MetricName {
    /// The snapshot's category; empty when it has none.
    pub category: String,
    /// The snapshot's name; empty for a property of events themselves.
    pub snapshot: String,
    /// The property's name.
    pub property: String,
}

impl MetricName {
    /// The field that its values are in.
    pub(crate) fn field(&self) -> FieldName {
        match self.snapshot.is_empty() && self.category.is_empty() {
            true => FieldName::property(&self.property),
            false => FieldName::snapshot(&self.category, &self.snapshot, &self.property),
        }
    }
}

/// A name, and how many entities have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Top {
    /// The name.
    pub name: Text,
    /// How many, by severity.
    pub severities: Severities,
}

/// Messages from one source to another: RECEIVE events, each with the SEND event before it that shares a correlator.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Flow {
    /// Who sent.
    pub from: SourceFqn,
    /// Who received.
    pub to: SourceFqn,
    /// How many messages.
    pub count: u64,
    /// How many of them failed: the RECEIVE event, or what the receiver told later with a correlator of it, is an ERROR or worse.
    pub errors: u64,
    /// How many in a minute.
    pub per_minute: f64,
    /// From SEND to RECEIVE, in microseconds: 95 of 100 took no longer.
    pub transit_p95_usec: i64,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sizes {
    /// Events.
    pub events: u64,
    /// Activities.
    pub activities: u64,
    /// Snapshots that came alone.
    pub snapshots: u64,
    /// Of them all, how many of each severity.
    pub severities: Severities,
    /// Distinct sources; of many, about.
    pub sources: u64,
    /// Distinct operations; of many, about.
    pub operations: u64,
    /// The time of the oldest.
    pub oldest: Option<Timestamp>,
    /// The time of the youngest.
    pub newest: Option<Timestamp>,
    /// What it takes, in bytes.
    pub bytes: u64,
    /// How many values of fields can't be asked for, for their fields were too many: they are kept in their entities.
    pub not_indexed: u64,
}

impl Sizes {
    /// How many entities in all.
    pub fn total(&self) -> u64 {
        self.severities.total()
    }
}
