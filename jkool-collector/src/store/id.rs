//! The id of a stored entity.

use jkool_model::Timestamp;
use std::fmt;
use std::str::FromStr;

/// The id of a stored entity: its time, and a unique number, which increases in the order of arrival.
///
/// Ids are ordered by time, and ids with the same time by arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityId {
    time: i64,
    sequence: u64,
}

/// The error for a text that is not an [`EntityId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the id of an event, as in an answer of this API")]
pub struct InvalidEntityId;

impl EntityId {
    pub(crate) const fn new(time: Timestamp, sequence: u64) -> Self {
        Self { time: time.as_usec(), sequence }
    }

    /// Returns the time of the entity.
    pub fn time(self) -> Timestamp {
        Timestamp::from_usec(self.time)
    }

    pub(crate) const fn sequence(self) -> u64 {
        self.sequence
    }
}

/// Writes both numbers, with a `-` between them.
impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.time, self.sequence)
    }
}

impl FromStr for EntityId {
    type Err = InvalidEntityId;

    fn from_str(text: &str) -> Result<Self, InvalidEntityId> {
        let (time, sequence) = text.split_once('-').ok_or(InvalidEntityId)?;
        // No entity has an earlier or later time.
        let time = time.parse().ok().filter(|time| (0..=Timestamp::MAX.as_usec()).contains(time));
        Ok(Self { time: time.ok_or(InvalidEntityId)?, sequence: sequence.parse().map_err(|_| InvalidEntityId)? })
    }
}
