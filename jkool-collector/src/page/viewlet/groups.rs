//! Converts an answer over time to the values of its groups.

use super::Answered;
use crate::field::{SEVERITY, TIME};
use crate::jkql::{Answer, Column};
use jkool_model::Severity;
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// The values of each group over time.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// The values by name, largest group first; severities from the highest. Without a group besides time, each measure
    /// is a series.
    pub(super) named: Vec<(String, BTreeMap<i64, f64>)>,
    /// Whether all values are counts: a missing row then means 0.
    pub(super) only_counts: bool,
}

impl Groups {
    /// Converts `answer`, with `shift` microseconds added to each time.
    pub(super) fn of(answered: &Answered, answer: &Answer, shift: i64) -> Self {
        let is_time = |column: &Column| column.field.as_ref().is_some_and(|field| field.as_str() == TIME);
        if !answer.columns.first().is_some_and(is_time) || answer.keys == 0 {
            return Self::default();
        }
        let mut named: Vec<(String, BTreeMap<i64, f64>)> = Vec::new();
        let mut add = |name: String, time: i64, value: f64| match named.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => drop(values.insert(time, value)),
            None => named.push((name, BTreeMap::from([(time, value)]))),
        };
        for row in &answer.rows {
            let Some(time) = row.first().and_then(Value::as_i64) else { continue };
            let time = time.saturating_add(shift);
            if shift > 0 && time >= answered.range.end {
                continue;
            }
            let figures = answer.columns.iter().zip(row).skip(answer.keys);
            if answer.keys == 1 {
                for (column, value) in figures.filter_map(|(column, cell)| Some((column, value_of(cell)?))) {
                    add(called(column), time, value);
                }
            } else if let Some(value) = row.get(answer.keys).and_then(value_of) {
                add(group_name(row.get(1..answer.keys)), time, value);
            }
        }
        let only_counts = answer.columns.iter().skip(answer.keys).all(|column| column.field.is_none());
        if only_counts && answered.width > 0 {
            let first = answered.range.start.div_euclid(answered.width) * answered.width;
            let starts = (0..).map_while(|number: i64| first.checked_add(number.checked_mul(answered.width)?));
            // At most as many as an axis can have.
            for start in starts.take_while(|start| *start < answered.range.end).take(1_000) {
                for (_, values) in &mut named {
                    values.entry(start).or_default();
                }
            }
        }
        let by_severity = answer.keys == 2
            && answer
                .columns
                .get(1)
                .and_then(|column| column.field.as_ref())
                .is_some_and(|field| field.as_str() == SEVERITY);
        if by_severity {
            let gravity = |name: &str| Severity::ALL.iter().position(|severity| severity.to_string() == name);
            named.sort_by_key(|(name, _)| Reverse(gravity(name)));
        } else if answer.keys > 1 {
            let sum = |values: &BTreeMap<i64, f64>| values.values().sum::<f64>();
            named.sort_by(|(_, one), (_, other)| sum(other).total_cmp(&sum(one)));
        }
        Self { named, only_counts }
    }
}

/// Returns the name of a column for people: values of snapshots are without their category.
pub(super) fn called(column: &Column) -> String {
    let Some(field) = column.field.as_ref().filter(|field| field.is_own()) else { return column.name.clone() };
    match column.name.split_once('(') {
        // The name of a group may contain a parenthesis, too.
        Some((function, _)) if !matches!(function, "properties" | "snapshots") => {
            format!("{function}({})", field.short())
        }
        _ => field.short(),
    }
}

/// Returns the name of a group for people.
pub(super) fn group_name(keys: Option<&[Value]>) -> String {
    let text = |key: &Value| key.as_str().map_or_else(|| key.to_string(), str::to_owned);
    keys.unwrap_or_default().iter().map(text).collect::<Vec<_>>().join(" · ")
}

pub(super) fn value_of(cell: &Value) -> Option<f64> {
    cell.as_f64().filter(|value| value.is_finite())
}
