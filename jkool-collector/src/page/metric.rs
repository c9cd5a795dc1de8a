//! A metric over time: the distribution of its values, or a function of them for each source.

use super::chart::{Mark, OverTime, Series, Unit, legend, of_series};
use super::format::cut;
use crate::condition::{Condition, Test};
use crate::field::FieldName;
use crate::filter::Filter;
use crate::store::{Aggregation, BusyRange, Function, Group, Key, Measure, MetricName, Reader, Row, StoreError};
use jkool_model::{SourceFqn, Timestamp};
use maud::{Markup, html};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// The approximate number of time intervals.
const STRETCHES: usize = 90;
/// The maximum number of sources with a line: those with the most values.
const SOURCES: usize = 7;

/// The available functions, with their names in URLs.
const FIGURES: [(&str, Function); 8] = [
    ("avg", Function::Avg),
    ("min", Function::Min),
    ("max", Function::Max),
    ("sum", Function::Sum),
    ("p50", Function::Percentile(50.0)),
    ("p95", Function::Percentile(95.0)),
    ("p99", Function::Percentile(99.0)),
    ("count", Function::Count),
];

/// The function that is computed for each source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct BySource(usize);

impl FromStr for BySource {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let index = FIGURES.iter().position(|(name, _)| *name == text);
        index.map(Self).ok_or("expected avg, min, max, sum, p50, p95, p99 or count")
    }
}

/// Formats the function as in a URL.
impl fmt::Display for BySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FIGURES.get(self.0).map_or("", |(name, _)| name))
    }
}

impl BySource {
    /// Returns all functions, with their names in URLs.
    pub(super) fn all() -> impl Iterator<Item = (Self, &'static str)> {
        FIGURES.iter().enumerate().map(|(index, (name, _))| (Self(index), *name))
    }

    fn function(self) -> Function {
        FIGURES.get(self.0).map_or(Function::Avg, |(_, function)| *function)
    }
}

/// The values of a metric.
#[derive(Debug)]
pub(super) struct MetricChart {
    name: MetricName,
    unit: Unit,
    by_source: Option<BySource>,
    range: Range<i64>,
    width: i64,
    series: Vec<Series>,
    band: Vec<(i64, f64, f64)>,
}

/// Queries a metric for the entities that match `filter`.
pub(super) fn read(
    reader: &Reader<'_>,
    name: &MetricName,
    by_source: Option<BySource>,
    filter: &Filter,
    range: Option<BusyRange>,
    now: Timestamp,
) -> Result<MetricChart, StoreError> {
    let field = name.field();
    let unit = reader.value_type(&field, filter, now)?.map_or(Unit::NUMBER, |value_type| Unit::of(&value_type));
    let only_counts = by_source.is_some_and(|by| by.function() == Function::Count);
    let unit = if only_counts { Unit::NUMBER } else { unit };
    let mut made = MetricChart {
        name: name.clone(),
        unit,
        by_source,
        range: 0..1,
        width: 1,
        series: Vec::new(),
        band: Vec::new(),
    };
    let Some(scale) = reader.scale(filter, STRETCHES, now)? else { return Ok(made) };
    made.width = scale.width;
    if let Some(range) = range {
        made.range =
            range.first.as_usec().div_euclid(scale.width) * scale.width..range.last.as_usec().saturating_add(1);
    }
    let measure = |function| Measure { function, field: field.clone() };
    let over_time = Group::Time(scale.width);
    match by_source {
        None => {
            let p = Function::Percentile;
            let functions = [Function::Min, Function::Max, Function::Avg, p(50.0), p(95.0), p(99.0)];
            let aggregation = Aggregation { groups: vec![over_time], measures: functions.map(measure).to_vec() };
            made.spread(&reader.aggregate(filter, &aggregation, now)?);
        }
        Some(figure) => {
            let groups = vec![Group::Field(FieldName::new("source-fqn".to_owned()), SOURCES), over_time];
            let aggregation = Aggregation { groups, measures: vec![measure(figure.function())] };
            // Only sources with a value are counted.
            let has_it = Condition::new(field.clone(), Test::Exists).into();
            let with_it = Filter { expression: filter.expression.clone().and(has_it), ..filter.clone() };
            made.sources(&reader.aggregate(&with_it, &aggregation, now)?);
        }
    }
    Ok(made)
}

impl MetricChart {
    pub(super) fn name(&self) -> &MetricName {
        &self.name
    }

    fn spread(&mut self, rows: &[Row]) {
        let mut lines = ["average", "median", "95 %", "99 %"].map(|name| (name, BTreeMap::new()));
        for row in rows {
            let [Key::Time(start)] = &*row.keys else { continue };
            let start = start.as_usec();
            if let [Some(min), Some(max), figures @ ..] = &*row.values {
                self.band.push((start, *min, *max));
                for ((_, values), figure) in lines.iter_mut().zip(figures) {
                    values.extend(figure.map(|value| (start, value)));
                }
            }
        }
        let series = lines.into_iter().enumerate().filter(|(_, (_, values))| !values.is_empty());
        self.series = series
            .map(|(index, (name, values))| Series {
                name: name.to_owned(),
                color: of_series(name, index, false),
                values,
                is_before: false,
            })
            .collect();
    }

    fn sources(&mut self, rows: &[Row]) {
        for row in rows {
            let ([Key::Text(source), Key::Time(start)], [Some(value)]) = (&*row.keys, &*row.values) else { continue };
            let name = innermost(source);
            if self.series.last().is_none_or(|series| series.name != name) {
                let color = of_series(&name, self.series.len(), false);
                self.series.push(Series { name, color, values: BTreeMap::new(), is_before: false });
            }
            if let Some(series) = self.series.last_mut() {
                series.values.insert(start.as_usec(), *value);
            }
        }
    }

    /// The chart, with its data as a table; `link` returns the URL for a time interval.
    pub(super) fn draw(&self, link: impl Fn(Timestamp, Timestamp) -> Option<String>) -> Markup {
        if self.series.is_empty() {
            return html! { h2 { (called(&self.name)) } p.hint { "It has no value in this time, from these sources." } };
        }
        let names = self.series.iter().map(|series| (&*series.name, &*series.color));

        let chart = OverTime {
            label: &format!("{} over time", called(&self.name)),
            range: self.range.clone(),
            width: self.width,
            series: &self.series,
            band: &self.band,
            mark: Mark::Lines,
            unit: self.unit,
            whole: false,
        };
        html! {
            h2 { (called(&self.name)) @if let Some(figure) = self.by_source { span.hint { " " (figure) " of each source" } } }
            (legend(names.chain((!self.band.is_empty()).then_some(("least to greatest", "band")))))
            (chart.draw(link))
            (chart.table())
        }
    }
}

/// Returns the name of a metric for people.
pub(super) fn called(name: &MetricName) -> String {
    let parts = [&name.category, &name.snapshot, &name.property].map(|part| cut(part, 60));
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" / ")
}

/// Returns a short name of a source: its two innermost elements.
pub(super) fn innermost(source: &str) -> String {
    let Ok(source) = source.parse::<SourceFqn>() else { return String::new() };
    source.elements().take(2).map(|(_, name)| name).collect::<Vec<_>>().join(" · ")
}
