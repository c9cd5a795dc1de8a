//! Rows of entities.

use super::answer::{Answer, Column};
use super::cells::{cell, column, refine};
use super::plan::Plan;
use super::resolve::Target;
use super::{JkqlError, known, sorted};
use crate::field::{FieldName, TIME};
use crate::filter::Kind;
use crate::store::{Aggregation, Reader, Stored};
use jkool_jkql::{Output, SortBy};
use serde_json::Value;

/// The default columns.
const USUAL: [&str; 10] = [
    "Time",
    "Severity",
    "EventName",
    "Message",
    "Exception",
    "ElapsedTime",
    "ApplName",
    "ServerName",
    "Correlator",
    "EventID",
];
const OF_ACTIVITIES: [&str; 10] = [
    "Time",
    "Severity",
    "EventName",
    "Status",
    "Exception",
    "ElapsedTime",
    "ApplName",
    "ServerName",
    "Correlator",
    "EventID",
];
const OF_SNAPSHOTS: [&str; 7] = ["Time", "Severity", "SnapshotName", "Category", "ApplName", "ServerName", "EventID"];

/// A column, and the source of its values.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) column: Column,
    pub(super) target: Target,
}

pub(super) fn answer(reader: &Reader<'_>, plan: &Plan<'_>) -> Result<Answer, JkqlError> {
    if plan.select.bucket.is_some() || !plan.select.groups.is_empty() {
        let why = "`group by` needs an aggregate: get number of events group by ..";
        return Err(JkqlError::Impossible(why.into()));
    }
    let sources = sources(plan)?;
    let mut keys = Vec::new();
    for sort in &plan.select.sort {
        let SortBy::Field(name) = &sort.by else {
            return Err(JkqlError::Impossible("events can be sorted by fields only, not by aggregates".into()));
        };
        keys.push((plan.resolver.target(name)?, sort.descending));
    }
    let is_time = |target: &Target| matches!(target, Target::Fields(fields) if fields.first().is_some_and(|field| field.as_str() == TIME));
    let found = match &*keys {
        [] => reader.find(&plan.filter, plan.limit, None, plan.now)?,
        [(target, descending)] if is_time(target) => match descending {
            true => reader.find(&plan.filter, plan.limit, None, plan.now)?,
            false => reader.find_after(&plan.filter, plan.limit, None, plan.now)?,
        },
        keys => sorted::first(reader, plan, keys)?,
    };
    let rows: Vec<Vec<Value>> = found.iter().map(|stored| row(stored, &sources)).collect();
    let total = reader.aggregate(&plan.filter, &Aggregation::default(), plan.now)?;
    let explained = plan.explain(&[match keys.is_empty() {
        true => format!("the youngest {}", plan.limit),
        false => format!("all of them sorted, the first {}", plan.limit),
    }]);
    Ok(Answer {
        item_type: item_type(plan.filter.kind),
        columns: columns(&sources, &rows),
        keys: 0,
        rows,
        found: total.first().map_or(0, |row| row.count),
        range: plan.range.clone(),
        filter: plan.filter.clone(),
        show: plan.select.show,
        explained,
    })
}

/// Returns the columns of a statement.
pub(super) fn sources(plan: &Plan<'_>) -> Result<Vec<Source>, JkqlError> {
    let names = match &plan.select.output {
        Output::Rows(names) => &**names,
        _ => &[],
    };
    let written = names.iter().map(|name| Ok((plan.resolver.target(name)?, name.kind.to_string())));
    let written: Vec<(Target, String)> = written.collect::<Result<_, JkqlError>>()?;
    let source = |(target, name): (Target, String)| Source { column: column(&target, &name), target };
    if !written.is_empty() {
        return Ok(written.into_iter().map(source).collect());
    }
    let usual: &[&str] = match plan.filter.kind {
        Some(Kind::Activity) => &OF_ACTIVITIES,
        Some(Kind::Snapshot) => &OF_SNAPSHOTS,
        _ => &USUAL,
    };
    let known = usual.iter().filter_map(|name| known::find(name));
    let target = |wire: &str| match wire == known::MESSAGE {
        true => Target::Message,
        false => Target::Fields(vec![FieldName::new(wire.to_owned())]),
    };
    Ok(known.map(|known| source((target(known.wire), known.service.to_owned()))).collect())
}

pub(super) fn row(stored: &Stored, sources: &[Source]) -> Vec<Value> {
    sources.iter().map(|source| cell(stored, &source.target)).collect()
}

/// Returns the columns; the types of properties are those of their values.
pub(super) fn columns(sources: &[Source], rows: &[Vec<Value>]) -> Vec<Column> {
    let column = |(index, source): (usize, &Source)| {
        let mut column = source.column.clone();
        let values: Vec<&Value> = rows.iter().filter_map(|row| row.get(index)).collect();
        refine(&mut column, &source.target, &values);
        column
    };
    sources.iter().enumerate().map(column).collect()
}

pub(super) fn item_type(kind: Option<Kind>) -> &'static str {
    match kind {
        Some(Kind::Event) => "Event",
        Some(Kind::Activity) => "Activity",
        Some(Kind::Snapshot) => "Snapshot",
        None => "Entity",
    }
}
