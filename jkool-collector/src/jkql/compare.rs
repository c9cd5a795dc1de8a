//! Compares the measures of two periods.

use super::JkqlError;
use super::answer::{Answer, Column};
use super::cells::number;
use super::figures::Figures;
use super::plan::{Plan, Request};
use super::resolve::Resolver;
use super::rows::item_type;
use crate::store::Reader;
use jkool_jkql::{Period, Select};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Returns each measure of both periods, and the difference. The groups of the first period come first, in its order.
pub(super) fn answer(
    reader: &Reader<'_>,
    request: &Request,
    select: &Select,
    with: &Period,
) -> Result<Answer, JkqlError> {
    let resolver = Resolver::new(reader);
    let plan = Plan::new(select, request, &resolver)?;
    let earlier = Plan::of_period(select, request, &resolver, with)?;
    let offset = offset(&plan, &earlier)?;
    let mut figures = Figures::new(&plan)?;
    let mut rows = figures.rows(reader, &plan)?;
    let mut others = figures.rows(reader, &earlier)?;
    figures.finish(&mut rows);
    figures.finish(&mut others);
    let keys = figures.keys;
    if let (Some(offset), true) = (offset, keys > 0) {
        let times = others.iter_mut().filter_map(|row| row.first_mut());
        times.for_each(|time| *time = json!(time.as_i64().unwrap_or_default().saturating_add(offset)));
    }
    let mut merged = Vec::with_capacity(rows.len());
    let beside = |row: &[Value], other: Option<&[Value]>| -> Vec<Value> {
        let both = (keys..figures.columns.len()).flat_map(|at| {
            let one = row.get(at).cloned().unwrap_or_default();
            let other = other.and_then(|other| other.get(at)).cloned().unwrap_or_default();
            let change = match (one.as_f64(), other.as_f64()) {
                (Some(one), Some(other)) => number(one - other),
                _ => Value::Null,
            };
            [one, other, change]
        });
        row.iter().take(keys).cloned().chain(both).collect()
    };
    let group = |row: &[Value]| row.iter().take(keys).map(Value::to_string).collect::<Vec<_>>();
    let mut left: HashMap<Vec<String>, &[Value]> = others.iter().map(|other| (group(other), &**other)).collect();
    for row in &rows {
        merged.push(beside(row, left.remove(&group(row))));
    }
    for other in others.iter().filter(|other| left.contains_key(&group(other))) {
        // The first period has no such group.
        let mut empty: Vec<Value> = other.iter().take(keys).cloned().collect();
        empty.resize(figures.columns.len(), Value::Null);
        merged.push(beside(&empty, Some(other)));
    }
    let found = merged.len() as u64;
    merged.truncate(plan.limit);
    let mut columns: Vec<Column> = figures.columns.iter().take(keys).cloned().collect();
    for column in figures.columns.iter().skip(keys) {
        let named = |name: String| Column { name, ..column.clone() };
        columns.push(column.clone());
        columns.push(named(format!("{} {with}", column.name)));
        columns.push(named(format!("{} change", column.name)));
    }
    let mut explained = plan.explain(&[]);
    explained.extend(earlier.explain(&[]).into_iter().map(|line| format!("with {line}")));
    Ok(Answer {
        item_type: item_type(plan.filter.kind),
        columns,
        keys,
        rows: merged,
        found,
        range: plan.range.clone(),
        filter: plan.filter.clone(),
        show: select.show,
        explained,
    })
}

/// Returns how much later the first period is, in time groups.
fn offset(plan: &Plan<'_>, earlier: &Plan<'_>) -> Result<Option<i64>, JkqlError> {
    let Some(bucket) = plan.select.bucket else { return Ok(None) };
    let (start, other) = (plan.range.start, earlier.range.start);
    if start == i64::MIN || other == i64::MIN {
        return Err(JkqlError::Impossible("periods to compare over time need a start".into()));
    }
    let (offset, width) = (start - other, i64::try_from(bucket.seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000));
    if offset % width != 0 {
        let why = format!("the start times of the periods must be a multiple of {} s apart", bucket.seconds);
        return Err(JkqlError::Impossible(why));
    }
    Ok(Some(offset))
}
