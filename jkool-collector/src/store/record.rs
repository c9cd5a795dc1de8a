//! What of an entity goes into which column.

use super::link::{Link, Role};
use super::{StoreError, StoreErrorKind};
use crate::filter::Kind;
use crate::filter::{severity_of, words_of};
use bytes::Bytes;
use jkool_model::{Entity, OpType, Property, Severity, Snapshot, SourceFqn, Text, Timestamp};

/// An entity that was read and is ready to be stored.
#[derive(Debug, Clone)]
pub struct Record {
    pub(super) kind: Kind,
    pub(super) severity: Severity,
    /// Empty for none.
    pub(super) operation: Text,
    pub(super) source: Option<SourceFqn>,
    pub(super) time: Timestamp,
    /// Whether it says its time itself.
    pub(super) is_dated: bool,
    pub(super) received: Timestamp,
    pub(super) links: Vec<Link>,
    /// What full-text search looks at.
    pub(super) text: String,
    pub(super) samples: Vec<Samples>,
    pub(super) json: Bytes,
}

/// The numbers of one snapshot, or of an event itself; then category and snapshot are empty.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Samples {
    pub(super) category: Text,
    pub(super) snapshot: Text,
    pub(super) time: Timestamp,
    pub(super) values: Vec<(Text, f64)>,
}

impl Record {
    /// Reads one entity. It is kept as it is here, byte for byte.
    ///
    /// # Errors
    /// [`StoreErrorKind::NoEntity`](super::StoreErrorKind::NoEntity), with line and column, when it is no JSON object, or a
    /// field is of a kind that can't be understood.
    ///
    /// ```
    /// use jkool_collector::Record;
    /// use jkool_model::Timestamp;
    /// let json = br#"{"operation":"ProcessOrder","msg-text":"Order processed"}"#;
    /// assert!(Record::read(json.as_slice().into(), Timestamp::from_usec(0)).is_ok());
    /// ```
    pub fn read(json: Bytes, received: Timestamp) -> Result<Self, StoreError> {
        Self::parse(json, received).map_err(|error| StoreError::new(StoreErrorKind::NoEntity, error))
    }

    pub(crate) fn parse(json: Bytes, received: Timestamp) -> Result<Self, serde_json::Error> {
        Ok(Self::of(serde_json::from_slice(&json)?, json, received))
    }

    /// What `entity` is made of; `json` is how it was received.
    pub(super) fn of(entity: Entity, json: Bytes, received: Timestamp) -> Self {
        let time = entity.time().filter(is_said);
        let mut record = Self {
            kind: Kind::of(&entity),
            severity: severity_of(&entity),
            operation: Text::default(),
            source: entity.source().cloned(),
            time: time.unwrap_or(received),
            is_dated: time.is_some(),
            received,
            links: links_of(&entity),
            text: words_of(&entity),
            samples: Vec::new(),
            json,
        };
        match entity {
            Entity::Event(event) => {
                let event = *event;
                record.operation = event.operation;
                record.add_samples(Text::default(), Text::default(), event.properties, None);
                record.add_snapshots(event.snapshots);
            }
            Entity::Activity(activity) => {
                let activity = *activity;
                record.operation = activity.operation;
                record.add_samples(Text::default(), Text::default(), activity.properties, None);
                record.add_snapshots(activity.snapshots);
            }
            Entity::Snapshot(snapshot) => record.add_snapshots(vec![*snapshot]),
            // The model's enum may grow; what this version doesn't know it keeps all the same.
            _ => {}
        }
        record
    }

    /// How many bytes it takes, about.
    pub(super) fn size(&self) -> usize {
        let samples: usize = self.samples.iter().map(|samples| 64 * (1 + samples.values.len())).sum();
        size_of::<Self>() + self.json.len() + self.text.len() + samples
    }

    fn add_snapshots(&mut self, snapshots: Vec<Snapshot>) {
        for snapshot in snapshots {
            self.add_samples(snapshot.category, snapshot.name, snapshot.properties, snapshot.time);
        }
    }

    /// Takes from the properties what a chart can draw: finite numbers.
    fn add_samples(&mut self, category: Text, snapshot: Text, properties: Vec<Property>, time: Option<Timestamp>) {
        let number =
            |property: Property| Some((property.name, property.value.as_f64().filter(|value| value.is_finite())?));
        let values: Vec<_> = properties.into_iter().filter_map(number).collect();
        if !values.is_empty() {
            let time = time.filter(is_said).unwrap_or(self.time);
            self.samples.push(Samples { category, snapshot, time, values });
        }
    }
}

/// 0 is what some clients say for unknown, and nothing can be before 1970 or after 9999.
fn is_said(time: &Timestamp) -> bool {
    (1..=Timestamp::MAX.as_usec()).contains(&time.as_usec())
}

/// The ids and correlators that an entity names, each once.
pub(super) fn links_of(entity: &Entity) -> Vec<Link> {
    let correlator = match entity.op_type() {
        OpType::Send => Role::SendCorrelator,
        OpType::Receive => Role::ReceiveCorrelator,
        _ => Role::Correlator,
    };
    let own = entity.tracking_id().map(|id| Link::new(Role::Own, &id.to_string()));
    let parent = entity.parent_id().map(|id| Link::new(Role::Parent, &id.to_string()));
    let correlators = entity.correlators().iter().map(|name| Link::new(correlator, name));
    let mut links: Vec<_> = own.into_iter().chain(parent).chain(correlators).collect();
    links.sort_unstable();
    links.dedup();
    links
}
