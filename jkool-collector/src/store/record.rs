//! What of an entity goes into which column.

use crate::Kind;
use crate::filter::{operation_of, severity_of, words_of};
use bytes::Bytes;
use jkool_model::{Entity, OpType, Property, Severity, Snapshot, Text, Timestamp, TrackingId};

/// An entity that was read and is ready to be stored.
#[derive(Debug, Clone)]
pub struct Record {
    pub(super) kind: Kind,
    pub(super) severity: Severity,
    /// Empty for none, as the source.
    pub(super) operation: Text,
    pub(super) source: String,
    pub(super) time: Timestamp,
    pub(super) received: Timestamp,
    pub(super) tracking: Option<i64>,
    pub(super) parent: Option<i64>,
    pub(super) role: Role,
    pub(super) correlators: Vec<Text>,
    /// What full-text search looks at.
    pub(super) text: String,
    pub(super) samples: Vec<Sample>,
    pub(super) json: Bytes,
}

/// What a correlator of this entity tells about messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    None = 0,
    Send = 1,
    Receive = 2,
}

/// A value of a metric.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) category: Text,
    pub(super) snapshot: Text,
    pub(super) property: Text,
    pub(super) time: Timestamp,
    pub(super) value: f64,
}

impl Record {
    /// Reads one entity. It is kept as it is here, byte for byte.
    ///
    /// # Errors
    /// When it is no JSON object, or a field is of a kind that can't be understood.
    ///
    /// ```
    /// use jkool_collector::Record;
    /// use jkool_model::Timestamp;
    /// let json = br#"{"operation":"ProcessOrder","msg-text":"Order processed"}"#;
    /// assert!(Record::read(json.as_slice().into(), Timestamp::from_usec(0)).is_ok());
    /// ```
    pub fn read(json: Bytes, received: Timestamp) -> Result<Self, serde_json::Error> {
        Ok(Self::of(serde_json::from_slice(&json)?, json, received))
    }

    /// What `entity` is made of; `json` is how it was received.
    pub(super) fn of(entity: Entity, json: Bytes, received: Timestamp) -> Self {
        // 0 is what some clients say for unknown.
        let time = entity.time().filter(|time| (1..=Timestamp::MAX.as_usec()).contains(&time.as_usec()));
        let mut record = Self {
            kind: Kind::of(&entity),
            severity: severity_of(&entity),
            operation: operation_of(&entity).map(|name| Text::from(name.to_owned())).unwrap_or_default(),
            source: entity.source().map(|source| source.as_str().to_owned()).unwrap_or_default(),
            time: time.unwrap_or(received),
            received,
            tracking: entity.tracking_id().map(hash_of),
            parent: entity.parent_id().map(hash_of),
            role: match entity.op_type() {
                OpType::Send => Role::Send,
                OpType::Receive => Role::Receive,
                _ => Role::None,
            },
            correlators: entity.correlators().to_vec(),
            text: words_of(&entity),
            samples: Vec::new(),
            json,
        };
        match entity {
            Entity::Event(event) => record.add_snapshots(event.properties, event.snapshots),
            Entity::Activity(activity) => record.add_snapshots(activity.properties, activity.snapshots),
            Entity::Snapshot(snapshot) => record.add_snapshots(Vec::new(), vec![*snapshot]),
            // The model's enum may grow; what this version doesn't know it keeps all the same.
            _ => {}
        }
        record
    }

    /// How many bytes it takes, about.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + self.json.len() + self.text.len() + self.samples.len() * size_of::<Sample>()
    }

    fn add_snapshots(&mut self, properties: Vec<Property>, snapshots: Vec<Snapshot>) {
        self.add_samples(&Text::default(), &Text::default(), self.time, properties);
        for snapshot in snapshots {
            let time = snapshot.time.filter(|time| (1..=Timestamp::MAX.as_usec()).contains(&time.as_usec()));
            self.add_samples(&snapshot.category, &snapshot.name, time.unwrap_or(self.time), snapshot.properties);
        }
    }

    fn add_samples(&mut self, category: &Text, snapshot: &Text, time: Timestamp, properties: Vec<Property>) {
        for property in properties {
            let Some(value) = number(&property) else { continue };
            let (category, snapshot) = (category.clone(), snapshot.clone());
            self.samples.push(Sample { category, snapshot, property: property.name, time, value });
        }
    }
}

/// What a chart can draw: a finite number.
fn number(property: &Property) -> Option<f64> {
    property.value.as_f64().filter(|value| value.is_finite())
}

/// FNV-1a of an id's text, for the index: the same in every version. Who looks one up compares the ids themselves too.
pub(super) fn hash_of(id: &TrackingId) -> i64 {
    let text = id.to_string();
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    i64::from_ne_bytes(hash.to_ne_bytes())
}
