//! An event, an activity or a snapshot.

use crate::Text;
use crate::activity::Activity;
use crate::enums::OpType;
use crate::event::Event;
use crate::property::Property;
use crate::snapshot::Snapshot;
use crate::source::SourceFqn;
use crate::timestamp::Timestamp;
use crate::trackable::InvalidEntity;
use crate::tracking_id::TrackingId;
use crate::value::{Value, ValueVisitor};
use crate::wire::Wire;
use serde::de::{self, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// An event, an activity or a snapshot: one JSON document on the wire. Deserializing chooses by its `type`.
///
/// ```
/// use jkool_model::Entity;
/// let entity: Entity = serde_json::from_str(r#"{"type":"ACTIVITY","operation":"Checkout"}"#)?;
/// assert!(matches!(entity, Entity::Activity(_)));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Entity {
    /// Something that happened.
    Event(Box<Event>),
    /// A group of events.
    Activity(Box<Activity>),
    /// A set of metrics that is sent alone.
    Snapshot(Box<Snapshot>),
}

impl Entity {
    /// Returns its `type`.
    pub fn op_type(&self) -> OpType {
        match self {
            Entity::Event(event) => event.op_type,
            Entity::Activity(_) => OpType::Activity,
            Entity::Snapshot(snapshot) => snapshot.op_type,
        }
    }

    /// Returns its tracking id.
    pub fn tracking_id(&self) -> Option<&TrackingId> {
        match self {
            Entity::Event(event) => event.tracking_id.as_ref(),
            Entity::Activity(activity) => activity.tracking_id.as_ref(),
            Entity::Snapshot(snapshot) => snapshot.tracking_id.as_ref(),
        }
    }

    /// Returns the tracking id of its parent.
    pub fn parent_id(&self) -> Option<&TrackingId> {
        match self {
            Entity::Event(event) => event.parent_id.as_ref(),
            Entity::Activity(activity) => activity.parent_id.as_ref(),
            Entity::Snapshot(snapshot) => snapshot.parent_id.as_ref(),
        }
    }

    /// Returns its source.
    pub fn source(&self) -> Option<&SourceFqn> {
        match self {
            Entity::Event(event) => event.source.as_ref(),
            Entity::Activity(activity) => activity.source.as_ref(),
            Entity::Snapshot(snapshot) => snapshot.source.as_ref(),
        }
    }

    /// Returns the time at which it was reported.
    pub fn time(&self) -> Option<Timestamp> {
        match self {
            Entity::Event(event) => event.time,
            Entity::Activity(activity) => activity.time,
            Entity::Snapshot(snapshot) => snapshot.time,
        }
    }

    /// Returns its correlators; a snapshot has none.
    pub fn correlators(&self) -> &[Text] {
        match self {
            Entity::Event(event) => &event.correlators,
            Entity::Activity(activity) => &activity.correlators,
            Entity::Snapshot(_) => &[],
        }
    }

    /// Returns its properties, to change them.
    pub fn properties_mut(&mut self) -> &mut Vec<Property> {
        match self {
            Entity::Event(event) => &mut event.properties,
            Entity::Activity(activity) => &mut activity.properties,
            Entity::Snapshot(snapshot) => &mut snapshot.properties,
        }
    }

    /// Validates it by the rules of the service.
    ///
    /// # Errors
    /// The first field that is missing or invalid.
    pub fn validate(&self) -> Result<(), InvalidEntity> {
        match self {
            Entity::Event(event) => event.validate(),
            Entity::Activity(activity) => activity.validate(),
            Entity::Snapshot(snapshot) => snapshot.validate(),
        }
    }

    /// Appends it as JSON on one line: the same bytes as `serde_json`, in about a quarter of the time.
    ///
    /// ```
    /// use jkool_model::{Activity, Entity};
    /// let entity = Entity::from(Activity::default());
    /// let mut json = Vec::new();
    /// entity.append_json(&mut json);
    /// assert_eq!(json, br#"{"type":"ACTIVITY","severity":"INFO"}"#);
    /// ```
    pub fn append_json(&self, out: &mut Vec<u8>) {
        match self {
            Entity::Event(event) => event.append_json(out),
            Entity::Activity(activity) => activity.append_json(out),
            Entity::Snapshot(snapshot) => snapshot.append_json(out),
        }
    }

    /// Whether its JSON is certain to be deserialized to an equal entity, so that a caller that has both need not read it
    /// again. False if this is not certain.
    #[doc(hidden)]
    pub fn is_read_as_written(&self) -> bool {
        match self {
            Entity::Event(event) => {
                !matches!(event.op_type, OpType::Activity | OpType::Snapshot | OpType::Dataset)
                    && event.snapshots.is_empty()
                    && event.properties.iter().all(Property::is_read_as_written)
            }
            Entity::Activity(activity) => {
                activity.op_type == OpType::Activity
                    && activity.snapshots.is_empty()
                    && activity.properties.iter().all(Property::is_read_as_written)
            }
            Entity::Snapshot(_) => false,
        }
    }

    /// Returns the approximate heap memory that it uses, in bytes: its box, its texts, and the capacity of its lists.
    ///
    /// ```
    /// use jkool_model::{Entity, Snapshot};
    /// let entity = Entity::from(Snapshot::builder("Payment").build());
    /// assert_eq!(entity.heap_size(), size_of::<Snapshot>() + "Payment".len());
    /// ```
    pub fn heap_size(&self) -> usize {
        match self {
            Entity::Event(event) => size_of::<Event>() + event.heap_size(),
            Entity::Activity(activity) => size_of::<Activity>() + activity.heap_size(),
            Entity::Snapshot(snapshot) => size_of::<Snapshot>() + snapshot.heap_size(),
        }
    }
}

impl From<Event> for Entity {
    fn from(event: Event) -> Self {
        Entity::Event(Box::new(event))
    }
}

impl From<Activity> for Entity {
    fn from(activity: Activity) -> Self {
        Entity::Activity(Box::new(activity))
    }
}

impl From<Snapshot> for Entity {
    fn from(snapshot: Snapshot) -> Self {
        Entity::Snapshot(Box::new(snapshot))
    }
}

impl Serialize for Entity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Entity::Event(event) => event.serialize(serializer),
            Entity::Activity(activity) => activity.serialize(serializer),
            Entity::Snapshot(snapshot) => snapshot.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Entity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntityVisitor)
    }
}

struct EntityVisitor;

impl<'de> Visitor<'de> for EntityVisitor {
    type Value = Entity;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event, activity or snapshot: an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Entity, A::Error> {
        let value = ValueVisitor.visit_map(map)?;
        let Value::Map(fields) = &value else {
            return Err(de::Error::invalid_type(Unexpected::Other("number"), &self));
        };
        // Like for other fields, the last of several values that is not empty counts.
        let said = |name: &'static str| {
            let values = fields.iter().rev().filter(move |(key, _)| key == name).map(|(_, value)| value);
            values.filter(|value| **value != Value::Null && value.as_str() != Some(""))
        };
        let op_type = said("type").find_map(|value| Option::<OpType>::read(value.clone()).ok()?);
        // jkool-client-java-api also sends events of type SNAPSHOT; only a snapshot has a name.
        let is_named = said("name").next().is_some() && said("operation").next().is_none();
        match op_type {
            Some(OpType::Activity) => Activity::deserialize(value).map(Entity::from),
            Some(OpType::Snapshot | OpType::Dataset) if is_named => Snapshot::deserialize(value).map(Entity::from),
            _ => Event::deserialize(value).map(Entity::from),
        }
        .map_err(de::Error::custom)
    }
}
