//! Measures of groups.

use super::answer::{Answer, Column, ColumnType};
use super::cells::{column, compare, number, refine};
use super::plan::Plan;
use super::resolve::Target;
use super::rows::item_type;
use super::{JkqlError, known};
use crate::field::{FieldName, TIME};
use crate::store::{Aggregation, Function, Group, Key, Measure, Reader, Row};
use jkool_jkql::{Figure, Output, SortBy};
use serde_json::{Value, json};
use std::cmp::Ordering;

/// The maximum number of groups of one field, and for each of several fields.
const GROUPS: usize = 10_000;
const OF_SEVERAL: usize = 500;

/// Groups, measures, and the order of rows.
pub(super) struct Figures {
    pub(super) columns: Vec<Column>,
    /// The number of columns that contain the keys of a group.
    pub(super) keys: usize,
    aggregation: Aggregation,
    /// The measure of each column; `None` for the number of entities.
    figures: Vec<Option<usize>>,
    /// The columns by which rows are sorted. Columns after the last visible one are not shown.
    order: Vec<(usize, bool)>,
    targets: Vec<Target>,
}

pub(super) fn answer(reader: &Reader<'_>, plan: &Plan<'_>) -> Result<Answer, JkqlError> {
    let mut figures = Figures::new(plan)?;
    let mut rows = figures.rows(reader, plan)?;
    let found = rows.len() as u64;
    rows.truncate(plan.limit);
    figures.finish(&mut rows);
    let groups: Vec<String> = figures.columns.iter().take(figures.keys).map(|column| column.name.clone()).collect();
    let explained = plan.explain(&[match groups.is_empty() {
        true => "counted in the columns of the index".to_owned(),
        false => format!("grouped by {}, counted in the columns of the index", groups.join(", ")),
    }]);
    let (range, show, filter) = (plan.range.clone(), plan.select.show, plan.filter.clone());
    let (item_type, keys) = (item_type(plan.filter.kind), figures.keys);
    Ok(Answer { item_type, columns: figures.columns, keys, rows, found, range, filter, show, explained })
}

impl Figures {
    pub(super) fn new(plan: &Plan<'_>) -> Result<Self, JkqlError> {
        let select = plan.select;
        let mut made = Self {
            columns: Vec::new(),
            keys: 0,
            aggregation: Aggregation::default(),
            figures: Vec::new(),
            order: Vec::new(),
            targets: Vec::new(),
        };
        if let Some(bucket) = select.bucket {
            let width = i64::try_from(bucket.seconds.saturating_mul(1_000_000)).unwrap_or(i64::MAX);
            made.aggregation.groups.push(Group::Time(width));
            made.add_key(FieldName::new(TIME.to_owned()), "Time");
        }
        let most = if select.groups.len() > 1 { OF_SEVERAL } else { GROUPS };
        for name in &select.groups {
            let field = plan.resolver.field(name)?;
            made.aggregation.groups.push(Group::Field(field.clone(), most));
            made.add_key(field, &name.kind.to_string());
        }
        made.keys = made.columns.len();
        let Output::Figures(figures) = &select.output else { return Ok(made) };
        for figure in figures {
            made.add_figure(plan, figure)?;
        }
        let shown = made.columns.len();
        for sort in &select.sort {
            let at = match &sort.by {
                SortBy::Figure(figure) => made.figure(plan, figure)?,
                SortBy::Field(name) => {
                    let target = Target::Fields(vec![plan.resolver.field(name)?]);
                    let key = made.targets.iter().position(|key| *key == target);
                    key.ok_or_else(|| {
                        JkqlError::Impossible(format!("can't sort by {}: it is not in `group by`", name.kind))
                    })?
                }
                _ => continue,
            };
            made.order.push((at, sort.descending));
        }
        if made.order.is_empty() {
            made.order = made.usual_order(plan)?;
        }
        // Columns that are only needed for sorting are removed.
        made.columns.truncate(shown);
        Ok(made)
    }

    fn add_key(&mut self, field: FieldName, written: &str) {
        let target = Target::Fields(vec![field]);
        self.columns.push(column(&target, written));
        self.targets.push(target);
    }

    /// Returns the default order: by time, then by size, largest first.
    fn usual_order(&mut self, plan: &Plan<'_>) -> Result<Vec<(usize, bool)>, JkqlError> {
        let mut order = Vec::new();
        if plan.select.bucket.is_some() {
            order.push((0, false));
        }
        order.push((self.figure(plan, &Figure::Number)?, true));
        order.extend((0..self.keys).map(|key| (key, false)));
        Ok(order)
    }

    /// Returns the column of a measure, and adds it if necessary.
    fn figure(&mut self, plan: &Plan<'_>, figure: &Figure) -> Result<usize, JkqlError> {
        let before = self.columns.len();
        self.add_figure(plan, figure)?;
        let added = self.figures.last().copied().flatten();
        let measure = |index: Option<usize>| index.and_then(|index| self.aggregation.measures.get(index)).cloned();
        let same = self.figures.iter().position(|other| measure(*other) == measure(added)).unwrap_or_default();
        if self.keys + same < before {
            self.columns.pop();
            self.figures.pop();
            if added.is_some() {
                self.aggregation.measures.pop();
            }
        }
        Ok(self.keys + same)
    }

    fn add_figure(&mut self, plan: &Plan<'_>, figure: &Figure) -> Result<(), JkqlError> {
        let (function, name) = match figure {
            Figure::Number => {
                self.columns.push(Column {
                    name: "NumberOf".to_owned(),
                    column_type: ColumnType::Integer,
                    field: None,
                });
                self.figures.push(None);
                return Ok(());
            }
            Figure::Of(function, name) => (*function, name),
            _ => return Err(JkqlError::Impossible("unsupported aggregate".into())),
        };
        let field = plan.resolver.field(name)?;
        let known = known::of_wire(&field);
        let shown = known.map_or_else(|| name.kind.to_string(), |known| known.service.to_owned());
        let is_time = known.is_some_and(|known| known.column_type == ColumnType::Timestamp);
        let (function, label, column_type) = match function {
            jkool_jkql::Function::Count => (Function::Count, "count".to_owned(), ColumnType::Integer),
            jkool_jkql::Function::Distinct => (Function::Distinct, "distinct".to_owned(), ColumnType::Integer),
            jkool_jkql::Function::Sum => (Function::Sum, "sum".to_owned(), ColumnType::Decimal),
            jkool_jkql::Function::Min => (Function::Min, "min".to_owned(), ColumnType::Decimal),
            jkool_jkql::Function::Max => (Function::Max, "max".to_owned(), ColumnType::Decimal),
            jkool_jkql::Function::Avg => (Function::Avg, "avg".to_owned(), ColumnType::Decimal),
            jkool_jkql::Function::Percentile(percent) => {
                (Function::Percentile(percent), format!("p{percent}"), ColumnType::Decimal)
            }
        };
        let is_point = matches!(function, Function::Min | Function::Max) && is_time;
        let column_type = if is_point { ColumnType::Timestamp } else { column_type };
        let only_counts = matches!(function, Function::Count | Function::Distinct);
        let of = (!only_counts).then(|| field.clone());
        self.columns.push(Column { name: format!("{label}({shown})"), column_type, field: of });
        self.figures.push(Some(self.aggregation.measures.len()));
        self.aggregation.measures.push(Measure { function, field });
        Ok(())
    }

    /// Returns all rows in order, including the columns that are only needed for sorting.
    pub(super) fn rows(&self, reader: &Reader<'_>, plan: &Plan<'_>) -> Result<Vec<Vec<Value>>, JkqlError> {
        let rows = reader.aggregate(&plan.filter, &self.aggregation, plan.now)?;
        let mut rows: Vec<Vec<Value>> = rows.iter().map(|row| self.row(row)).collect();
        rows.sort_by(|one, other| {
            let each = self.order.iter().map(|(at, descending)| match (one.get(*at), other.get(*at)) {
                (Some(one), Some(other)) => compare(one, other, *descending),
                _ => Ordering::Equal,
            });
            each.fold(Ordering::Equal, Ordering::then)
        });
        Ok(rows)
    }

    fn row(&self, row: &Row) -> Vec<Value> {
        let key = |key: &Key| match key {
            Key::Time(time) => json!(time.as_usec()),
            Key::Text(text) => json!(text),
            Key::Number(value) => number(*value),
        };
        let figure = |figure: &Option<usize>| match figure {
            None => json!(row.count),
            Some(index) => row.values.get(*index).copied().flatten().map_or(Value::Null, number),
        };
        row.keys.iter().map(key).chain(self.figures.iter().map(figure)).collect()
    }

    /// Removes columns that are not shown, and sets the types of columns with properties.
    pub(super) fn finish(&mut self, rows: &mut [Vec<Value>]) {
        rows.iter_mut().for_each(|row| row.truncate(self.columns.len()));
        for (index, (column, target)) in self.columns.iter_mut().zip(&self.targets).enumerate() {
            let values: Vec<&Value> = rows.iter().filter_map(|row| row.get(index)).collect();
            refine(column, target, &values);
        }
    }
}
