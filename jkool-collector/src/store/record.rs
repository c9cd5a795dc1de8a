//! An entity that was parsed and is ready to be stored.

use super::parse::parse;
use super::same;
use super::{EntityId, StoreError, StoreErrorKind, Stored};
use bytes::Bytes;
use jkool_model::{Entity, Timestamp};

/// An entity that was read and is ready to be stored.
#[derive(Debug, Clone)]
pub struct Record {
    pub(super) entity: Entity,
    pub(super) time: Timestamp,
    /// Whether the entity has a time of its own.
    pub(super) is_dated: bool,
    pub(super) received: Timestamp,
    pub(super) json: Bytes,
    /// Equal for duplicates. Only entities with a tracking id can be duplicates.
    pub(super) key: Option<u64>,
    /// The approximate size in bytes.
    pub(super) size: usize,
}

impl Record {
    /// Parses one entity. It is stored unchanged, byte for byte.
    ///
    /// # Errors
    /// Returns [`StoreErrorKind::NoEntity`](super::StoreErrorKind::NoEntity), with line and column, if `json` is not a JSON object or if a
    /// field has a type that cannot be read.
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
        Ok(Self::with(parse(&json)?, json, received))
    }

    /// Creates a record from `entity` and `json`, which was written from it. `json` is only parsed if this may give a
    /// different result.
    pub(crate) fn of(entity: Entity, json: Bytes, received: Timestamp) -> Result<Self, serde_json::Error> {
        if entity.is_read_as_written() { Ok(Self::with(entity, json, received)) } else { Self::parse(json, received) }
    }

    fn with(entity: Entity, json: Bytes, received: Timestamp) -> Self {
        let time = entity.time().filter(is_said);
        let key = entity.tracking_id().map(|_| same::key(&entity));
        let size = size_of::<Self>() + json.len() + entity.heap_size();
        Self { time: time.unwrap_or(received), is_dated: time.is_some(), entity, received, json, key, size }
    }

    /// Sets its number in the order of arrival.
    pub(super) fn into_stored(self, sequence: u64) -> Stored {
        let Self { entity, time, received, json, .. } = self;
        Stored { id: EntityId::new(time, sequence), time, received, entity, json }
    }
}

/// Whether a time is set. Some clients send 0 for an unknown time; times before 1970 and after 9999 are not supported.
fn is_said(time: &Timestamp) -> bool {
    (1..=Timestamp::MAX.as_usec()).contains(&time.as_usec())
}
