//! A stored entity, as the read API returns it.

use crate::exit::Failure;
use jkool_client::model::{Entity, Timestamp};
use jkool_collector::EntityId;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A stored entity, and what the collector adds.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Item {
    #[serde(deserialize_with = "id")]
    pub(crate) id: EntityId,
    /// The time of the entity, or when it was received if it has none.
    #[serde(rename = "time-usec")]
    time_usec: i64,
    #[serde(rename = "received-usec")]
    received_usec: i64,
    /// The JSON, as received.
    pub(crate) entity: Box<RawValue>,
}

impl Item {
    pub(crate) fn read(json: &[u8]) -> Result<Self, Failure> {
        serde_json::from_slice(json).map_err(unreadable)
    }

    pub(crate) fn time(&self) -> Timestamp {
        Timestamp::from_usec(self.time_usec)
    }

    pub(crate) fn received(&self) -> Timestamp {
        Timestamp::from_usec(self.received_usec)
    }

    /// The decoded entity.
    pub(crate) fn entity(&self) -> Result<Entity, Failure> {
        serde_json::from_str(self.entity.get()).map_err(unreadable)
    }
}

fn id<'de, D: Deserializer<'de>>(from: D) -> Result<EntityId, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
    text.parse().map_err(serde::de::Error::custom)
}

fn unreadable(error: serde_json::Error) -> Failure {
    Failure::Unreachable(format!("the collector's answer can't be read: {error}"))
}
