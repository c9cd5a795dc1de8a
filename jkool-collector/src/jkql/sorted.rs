//! The first entities in an order that the store does not support.

use super::JkqlError;
use super::answer::ColumnType;
use super::cells::{cell, compare};
use super::known;
use super::plan::Plan;
use super::resolve::Target;
use crate::condition::{Condition, Test};
use crate::field::FieldName;
use crate::filter::Filter;
use crate::store::{Aggregation, Function, Measure, Reader, Stored};
use serde_json::Value;
use std::cmp::Ordering;

/// The number of entities that are read at a time.
const PAGE: usize = 1_000;

/// The store's percentiles are off by at most 1 %.
const OFF: f64 = 0.015;

/// Returns the first entities by these keys, descending where it is set, at most the limit of `plan`.
pub(super) fn first(reader: &Reader<'_>, plan: &Plan<'_>, keys: &[(Target, bool)]) -> Result<Vec<Stored>, JkqlError> {
    if let Some(filter) = narrowed(reader, plan, keys)? {
        let found = all(reader, plan, &filter, keys)?;
        // If there are so many in the narrower range, all others come after them.
        if found.len() >= plan.limit {
            return Ok(found);
        }
    }
    all(reader, plan, &plan.filter, keys)
}

/// Reads all entities that match `filter`. Only one page more than the limit is kept in memory.
fn all(
    reader: &Reader<'_>,
    plan: &Plan<'_>,
    filter: &Filter,
    keys: &[(Target, bool)],
) -> Result<Vec<Stored>, JkqlError> {
    let mut best: Vec<(Vec<Value>, Stored)> = Vec::new();
    let mut before = None;
    loop {
        let page = reader.find(filter, PAGE, before, plan.now)?;
        let is_last = page.len() < PAGE;
        before = page.last().map(|last| last.id);
        let key = |stored: &Stored| keys.iter().map(|(target, _)| cell(stored, target)).collect();
        best.extend(page.into_iter().map(|stored| (key(&stored), stored)));
        // Equal entities stay in the order of the store, newest first.
        best.sort_by(|(one, _), (other, _)| {
            let each =
                one.iter().zip(other).zip(keys).map(|((one, other), (_, descending))| compare(one, other, *descending));
            each.fold(Ordering::Equal, Ordering::then)
        });
        best.truncate(plan.limit);
        if is_last {
            return Ok(best.into_iter().map(|(_, stored)| stored).collect());
        }
    }
}

/// Returns a filter for those that can be among the first, by a percentile of the first key, so that few entities are
/// read; `None` if that is not possible.
fn narrowed(reader: &Reader<'_>, plan: &Plan<'_>, keys: &[(Target, bool)]) -> Result<Option<Filter>, JkqlError> {
    let [(Target::Fields(fields), descending), ..] = keys else { return Ok(None) };
    let [field] = &**fields else { return Ok(None) };
    if !is_number(field) {
        return Ok(None);
    }
    let measure = |function| -> Result<Option<f64>, JkqlError> {
        let measures = vec![Measure { function, field: field.clone() }];
        let rows = reader.aggregate(&plan.filter, &Aggregation { groups: Vec::new(), measures }, plan.now)?;
        Ok(rows.first().and_then(|row| row.values.first().copied().flatten()))
    };
    let (limit, count) = (plan.limit as f64, measure(Function::Count)?.unwrap_or_default());
    if count <= limit {
        return Ok(None);
    }
    let rank = if *descending { count - limit } else { limit };
    let Some(value) = measure(Function::Percentile(100.0 * rank / count))? else { return Ok(None) };
    let test = match descending {
        true => Test::Above { bound: value - value.abs() * OFF, inclusive: true },
        false => Test::Below { bound: value + value.abs() * OFF, inclusive: true },
    };
    let mut filter = plan.filter.clone();
    filter.expression = filter.expression.and(Condition::new(field.clone(), test).into());
    Ok(Some(filter))
}

/// Whether each entity has at most one value in this field, a number of moderate size. Of points in time, a percentile is
/// off by months.
fn is_number(field: &FieldName) -> bool {
    known::of_wire(field).is_some_and(|known| known.column_type == ColumnType::Integer)
}
