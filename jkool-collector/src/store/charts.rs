//! Queries: counts and metrics.

use super::engine::{Extent, range_of};
use super::reader::Result;
use super::scale::Scale;
use super::{
    Aggregation, Bucket, Function, Group, Key, Measure, Metric, MetricName, Reader, Row, Severities, Sizes, Top,
};
use crate::condition::{Condition, Test};
use crate::field::{FieldName, PROPERTIES, TIME, value_type_of};
use crate::filter::{Filter, Kind};
use jkool_model::{Severity, Timestamp, ValueType};
use std::collections::BTreeSet;

/// The number of severities.
const SEVERITIES: usize = Severity::ALL.len();

fn field(name: &str) -> FieldName {
    FieldName::new(name.to_owned())
}

fn by_severity() -> Group {
    Group::Field(field("severity"), SEVERITIES)
}

impl Reader<'_> {
    /// Returns the number of entities that match `filter`, by severity, in about `buckets` intervals of equal length,
    /// including empty ones. The time range is that of the filter, or from the first to the last entity.
    ///
    /// Returns an error if the store cannot be read.
    /// When the store can't be read.
    pub fn histogram(&self, filter: &Filter, buckets: usize, now: Timestamp) -> Result<Vec<Bucket>> {
        let Some(scale) = self.scale(filter, buckets, now)? else { return Ok(Vec::new()) };
        let groups = vec![Group::Time(scale.width), by_severity()];
        let rows = self.aggregate(filter, &Aggregation { groups, measures: Vec::new() }, now)?;
        let mut counts = vec![Severities::default(); scale.len()];
        for row in &rows {
            let [Key::Time(time), severity] = &*row.keys else { continue };
            let counts = usize::try_from(scale.index(*time)).ok().and_then(|index| counts.get_mut(index));
            if let Some(counts) = counts {
                add(counts, severity, row.count);
            }
        }
        Ok(scale.starts().zip(counts).map(|(start, severities)| Bucket { start, severities }).collect())
    }

    /// Returns the most frequent operations, at most `limit`.
    ///
    /// # Errors
    /// Returns an error if the store cannot be read.
    pub fn top_operations(&self, filter: &Filter, limit: usize, now: Timestamp) -> Result<Vec<Top>> {
        self.top("operation", filter, limit, now)
    }

    /// Returns the sources with the most entities, like [`top_operations`](Self::top_operations).
    ///
    /// # Errors
    /// Returns an error if the store cannot be read.
    pub fn top_sources(&self, filter: &Filter, limit: usize, now: Timestamp) -> Result<Vec<Top>> {
        self.top("source-fqn", filter, limit, now)
    }

    fn top(&self, name: &str, filter: &Filter, limit: usize, now: Timestamp) -> Result<Vec<Top>> {
        let groups = vec![Group::Field(field(name), limit), by_severity()];
        let rows = self.aggregate(filter, &Aggregation { groups, measures: Vec::new() }, now)?;
        let mut tops: Vec<Top> = Vec::new();
        for Row { keys, count, .. } in &rows {
            let [Key::Text(name), severity] = &**keys else { continue };
            if tops.last().is_none_or(|top| *top.name != **name) {
                tops.push(Top { name: name.clone().into(), severities: Severities::default() });
            }
            if let Some(top) = tops.last_mut() {
                add(&mut top.severities, severity, *count);
            }
        }
        Ok(tops)
    }

    /// Returns the names of all received metrics, sorted.
    ///
    /// # Errors
    /// Returns an error if the store cannot be read.
    pub fn metric_names(&self) -> Result<Vec<MetricName>> {
        let names = self.settled_extent()?.numbers;
        let mut names: Vec<MetricName> =
            names.into_iter().filter_map(|name| metric_name(&FieldName::new(name))).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Returns the names of properties, of values of snapshots, and of other fields that not every entity has.
    ///
    /// # Errors
    /// Returns an error if the store cannot be read.
    pub fn field_names(&self) -> Result<BTreeSet<String>> {
        Ok(self.settled_extent()?.names)
    }

    /// Returns the values of a metric in about `buckets` intervals of equal length; intervals without a value are left
    /// out.
    ///
    /// # Errors
    /// Returns an error if the store cannot be read.
    pub fn metric(&self, name: &MetricName, filter: &Filter, buckets: usize, now: Timestamp) -> Result<Vec<Metric>> {
        let Some(scale) = self.scale(filter, buckets, now)? else { return Ok(Vec::new()) };
        let field = name.field();
        let measure = |function| Measure { function, field: field.clone() };
        let measures = [Function::Count, Function::Min, Function::Avg, Function::Max].map(measure).to_vec();
        let groups = vec![Group::Time(scale.width)];
        let rows = self.aggregate(filter, &Aggregation { groups, measures }, now)?;
        let metric = |row: &Row| match (&*row.keys, &*row.values) {
            ([Key::Time(start)], [Some(count), Some(min), Some(avg), Some(max)]) => {
                Some(Metric { start: *start, count: *count as u64, min: *min, avg: *avg, max: *max })
            }
            _ => None,
        };
        Ok(rows.iter().filter_map(metric).filter(|metric| metric.count > 0).collect())
    }

    /// Returns the unit of a field's values, taken from the newest entity that has one. Only properties have units.
    pub(crate) fn value_type(&self, field: &FieldName, filter: &Filter, now: Timestamp) -> Result<Option<ValueType>> {
        let has_it = Condition::new(field.clone(), Test::Exists).into();
        let with_it = Filter { expression: filter.expression.clone().and(has_it), ..filter.clone() };
        let found = self.find(&with_it, 1, None, now)?;
        Ok(found.first().and_then(|stored| value_type_of(&stored.entity, field.as_str())))
    }

    /// Returns the number of entities.
    ///
    /// # Errors
    /// Returns an error if the store cannot be read.
    pub fn total(&self) -> Result<u64> {
        Ok(self.engine.extent()?.entities)
    }

    /// Returns the sizes of the store and the numbers of its entities.
    ///
    /// # Errors
    /// Returns an error if the store cannot be read.
    pub fn sizes(&self) -> Result<Sizes> {
        let (filter, now) = (Filter::default(), Timestamp::from_usec(0));
        let groups = vec![Group::Field(field("kind"), Kind::ALL.len()), by_severity()];
        let by_kind = self.aggregate(&filter, &Aggregation { groups, measures: Vec::new() }, now)?;
        let mut sizes = Sizes::default();
        for Row { keys, count, .. } in &by_kind {
            let [Key::Text(kind), severity] = &**keys else { continue };
            *match kind.parse() {
                Ok(Kind::Activity) => &mut sizes.activities,
                Ok(Kind::Snapshot) => &mut sizes.snapshots,
                _ => &mut sizes.events,
            } += count;
            add(&mut sizes.severities, severity, *count);
        }
        let distinct = |name| Measure { function: Function::Distinct, field: field(name) };
        let end = |function| Measure { function, field: field(TIME) };
        let measures = vec![distinct("source-fqn"), distinct("operation"), end(Function::Min), end(Function::Max)];
        let figures = self.aggregate(&filter, &Aggregation { groups: Vec::new(), measures }, now)?;
        let figure = |index: usize| figures.first().and_then(|row| *row.values.get(index)?);
        let time = |index| figure(index).map(|usec| Timestamp::from_usec(usec as i64));
        sizes.sources = figure(0).unwrap_or_default() as u64;
        sizes.operations = figure(1).unwrap_or_default() as u64;
        (sizes.oldest, sizes.newest) = (time(2), time(3));
        let extent = self.engine.extent()?;
        (sizes.bytes, sizes.not_indexed) = (extent.bytes, extent.passed_over);
        Ok(sizes)
    }

    /// Returns the time range of the filter, or from the first to the last entity.
    pub(crate) fn scale(&self, filter: &Filter, buckets: usize, now: Timestamp) -> Result<Option<Scale>> {
        let extent = self.settled_extent()?;
        let (Some(oldest), Some(newest)) = (extent.oldest, extent.newest) else { return Ok(None) };
        let range = range_of(filter, now);
        let first = if range.start == i64::MIN { oldest } else { Timestamp::from_usec(range.start) };
        let last = if range.end == i64::MAX { newest } else { Timestamp::from_usec(range.end - 1) };
        Ok((first <= last).then(|| Scale::new(first, last, buckets)))
    }

    fn settled_extent(&self) -> Result<Extent> {
        self.settle();
        self.engine.extent()
    }
}

fn metric_name(field: &FieldName) -> Option<MetricName> {
    if let Some(property) = field.as_str().strip_prefix(PROPERTIES) {
        return Some(MetricName { category: String::new(), snapshot: String::new(), property: property.to_owned() });
    }
    let [category, snapshot, property] = field.snapshot_parts()?;
    Some(MetricName { category, snapshot, property })
}

fn add(severities: &mut Severities, severity: &Key, count: u64) {
    let Key::Text(severity) = severity else { return };
    let index = Severity::ALL.iter().position(|known| known.to_string() == *severity);
    if let Some(slot) = index.and_then(|index| severities.0.get_mut(index)) {
        *slot += count;
    }
}
