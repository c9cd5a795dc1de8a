//! The result of mapping an export.

use crate::limits::Limits;
use jkool_model::Entity;

/// The result of mapping an export: the entities, and what was rejected.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Mapped {
    /// Events, activities and snapshots, in the order of the export.
    pub entities: Vec<Entity>,
    /// The number of log records, spans or data points that were rejected.
    pub rejected: u64,
    /// The reason for the first rejection.
    pub reason: Option<String>,
}

/// Builds a [`Mapped`] within limits.
#[derive(Debug)]
pub(crate) struct Mapping {
    mapped: Mapped,
    limits: Limits,
    bytes: usize,
    is_full: bool,
}

impl Mapping {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { mapped: Mapped::default(), limits, bytes: 0, is_full: false }
    }

    /// Adds the result of a log record, span or data point: one or more entities, or the reason of a rejection. When the limits
    /// are reached, nothing more is created.
    pub(crate) fn add(&mut self, make: impl FnOnce() -> Result<Vec<Entity>, String>) {
        if self.is_full {
            self.mapped.rejected += 1;
            return;
        }
        let made = make().and_then(|entities| match self.fit(&entities) {
            true => Ok(entities),
            false => {
                self.is_full = true;
                let Limits { entities, bytes } = self.limits;
                Err(format!("a request may contain at most {entities} entities and {bytes} bytes in memory"))
            }
        });
        match made {
            Ok(entities) => self.mapped.entities.extend(entities),
            Err(reason) => self.reject(1, || reason),
        }
    }

    /// Counts what is rejected.
    pub(crate) fn reject(&mut self, count: u64, reason: impl FnOnce() -> String) {
        self.mapped.rejected += count;
        self.mapped.reason.get_or_insert_with(reason);
    }

    /// Whether there is room for more, which is then reserved.
    fn fit(&mut self, entities: &[Entity]) -> bool {
        self.bytes = entities.iter().fold(self.bytes, |bytes, entity| bytes.saturating_add(entity.heap_size()));
        self.mapped.entities.len() + entities.len() <= self.limits.entities && self.bytes <= self.limits.bytes
    }

    pub(crate) fn finish(self) -> Mapped {
        self.mapped
    }
}
