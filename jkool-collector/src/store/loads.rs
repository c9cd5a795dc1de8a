//! Questions to the store: how busy each source is, and how well it does.

use super::level::Level;
use super::reader::Result;
use super::{Aggregation, Function, Group, Key, Measure, Reader};
use crate::field::FieldName;
use crate::filter::Filter;
use jkool_model::{Severity, SourceFqn, Timestamp};
use std::collections::HashMap;

/// What a source told.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Load {
    pub(crate) entities: u64,
    /// How many of them are an ERROR or worse.
    pub(crate) errors: u64,
    /// Of 100 that say how long they took, 95 took no longer, in microseconds, about.
    pub(crate) p95: Option<f64>,
    /// How many entities in each of the stretches of equal length that the time has.
    pub(crate) trend: Vec<u64>,
}

/// A trend has about so many stretches.
const TREND: usize = 30;

impl Load {
    /// From 0 to 1.
    pub(crate) fn error_share(&self) -> f64 {
        self.errors as f64 / self.entities.max(1) as f64
    }
}

impl Reader<'_> {
    /// The load of each source, folded as `level` says; of very many, the `limit` that told most.
    ///
    /// # Errors
    /// When the store can't be read.
    pub(crate) fn loads(
        &self,
        level: Level,
        filter: &Filter,
        limit: usize,
        now: Timestamp,
    ) -> Result<HashMap<SourceFqn, Load>> {
        let field = |name: &str| FieldName::new(name.to_owned());
        let by_source = || Group::Field(level.field(), limit);
        let severity = Group::Field(field("severity"), Severity::ALL.len());
        let p95 = Measure { function: Function::Percentile(95.0), field: field("elapsed-time-usec") };
        let counts = Aggregation { groups: vec![by_source(), severity], measures: Vec::new() };
        let times = Aggregation { groups: vec![by_source()], measures: vec![p95] };
        let mut loads: HashMap<String, Load> = HashMap::new();
        for row in self.aggregate(filter, &counts, now)? {
            let [Key::Text(source), Key::Text(severity)] = &*row.keys else { continue };
            let load = loads.entry(source.clone()).or_default();
            load.entities += row.count;
            if severity.parse::<Severity>().is_ok_and(|severity| severity >= Severity::Error) {
                load.errors += row.count;
            }
        }
        for row in self.aggregate(filter, &times, now)? {
            if let ([Key::Text(source), ..], [p95]) = (&*row.keys, &*row.values) {
                loads.entry(source.clone()).or_default().p95 = *p95;
            }
        }
        let Some(scale) = self.scale(filter, TREND, now)? else { return Ok(HashMap::new()) };
        let over_time = Aggregation { groups: vec![by_source(), Group::Time(scale.width)], measures: Vec::new() };
        for row in self.aggregate(filter, &over_time, now)? {
            let [Key::Text(source), Key::Time(time)] = &*row.keys else { continue };
            let trend = &mut loads.entry(source.clone()).or_default().trend;
            trend.resize(scale.len(), 0);
            let stretch = usize::try_from(scale.index(*time)).ok().and_then(|index| trend.get_mut(index));
            if let Some(stretch) = stretch {
                *stretch += row.count;
            }
        }
        Ok(loads.into_iter().filter_map(|(value, load)| Some((level.source(&value)?, load))).collect())
    }
}
