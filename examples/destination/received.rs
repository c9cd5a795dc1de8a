//! What arrived at the collector.

use crate::pretty;
use jkool_collector::Stored;
use jkool_model::{Entity, Value};
use std::fmt;

/// An entity as the collector received it. Printed, it is its JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// What it means.
    pub entity: Entity,
    /// Its JSON, fields in the order of the wire.
    json: Value,
}

impl Received {
    /// # Errors
    /// When it is no JSON, which the collector would have refused.
    pub(crate) fn new(stored: Stored) -> Result<Self, serde_json::Error> {
        Ok(Self { json: serde_json::from_slice(&stored.json)?, entity: stored.entity })
    }
}

impl fmt::Display for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&pretty::print(&self.json))
    }
}
