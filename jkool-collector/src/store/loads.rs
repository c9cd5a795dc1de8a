//! Queries for the load and the errors of each source.

use super::level::Level;
use super::reader::Result;
use super::{Aggregation, Function, Group, Key, Measure, Reader};
use crate::field::FieldName;
use crate::filter::Filter;
use jkool_model::{Severity, SourceFqn, Timestamp};
use std::collections::HashMap;

/// The load of a source.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Load {
    pub(crate) entities: u64,
    /// The number of entities with severity ERROR or above.
    pub(crate) errors: u64,
    /// The approximate 95th percentile of the elapsed times, in microseconds.
    pub(crate) p95: Option<f64>,
    /// The number of entities in each of several intervals of equal length that have ended.
    pub(crate) trend: Vec<u64>,
}

/// The approximate number of intervals of a trend.
const TREND: usize = 30;

impl Load {
    /// Returns the fraction of errors, from 0 to 1.
    pub(crate) fn error_share(&self) -> f64 {
        self.errors as f64 / self.entities.max(1) as f64
    }
}

impl Reader<'_> {
    /// Returns the load of each source, combined by `level`; at most `limit` sources, those with the most entities.
    ///
    /// # Errors
    /// Returns an error if the store cannot be read.
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
            trend.resize(scale.ended(now), 0);
            let stretch = usize::try_from(scale.index(*time)).ok().and_then(|index| trend.get_mut(index));
            if let Some(stretch) = stretch {
                *stretch += row.count;
            }
        }
        Ok(loads.into_iter().filter_map(|(value, load)| Some((level.source(&value)?, load))).collect())
    }
}
