//! A stored entity, as the read API gives it.

use crate::exit::Failure;
use crate::show;
use jkool_client::model::{Entity, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A stored entity, and what the collector knows of it beside.
#[derive(Debug, Deserialize)]
pub(crate) struct Item<'a> {
    /// Its own time, or when it was received if it says none.
    #[serde(rename = "time-usec")]
    time_usec: i64,
    /// As it was received.
    #[serde(borrow)]
    pub(crate) entity: &'a RawValue,
}

impl Item<'_> {
    /// The line for a person.
    pub(crate) fn line(&self, colours: bool) -> Result<String, Failure> {
        let entity: Entity = serde_json::from_str(self.entity.get()).map_err(unreadable)?;
        Ok(show::line(Timestamp::from_usec(self.time_usec), &entity, colours))
    }
}

pub(crate) fn unreadable(error: serde_json::Error) -> Failure {
    Failure::Unreachable(format!("the collector's answer can't be read: {error}"))
}
