//! An answer as a table.

use super::Answered;
use super::groups::{called, group_name, value_of};
use crate::jkql::{Answer, Column, ColumnType};
use crate::page::chart::Unit;
use crate::page::format::{count, cut, time};
use crate::page::layout::as_table;
use jkool_model::Timestamp;
use maud::{Markup, html};
use serde_json::Value;
use std::collections::HashMap;

/// The maximum number of rows.
pub(super) const ROWS: usize = 100;

/// The table, expanded.
pub(super) fn table(label: &str, answered: &Answered) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(label) { table aria-label=(label) { thead { tr { (heads(&answered.answer)) } } tbody { (rows(answered)) } } }
        (more(answered))
    }
}

/// The table, collapsed below a chart.
pub(super) fn folded(answered: &Answered) -> Markup {
    html! { (as_table("As a table", &heads(&answered.answer), &rows(answered))) }
}

fn more(answered: &Answered) -> Markup {
    let answer = &answered.answer;
    let found = answered.groups.unwrap_or(answer.found);
    html! { @if found > ROWS.min(answer.rows.len()) as u64 { p.hint { "The first " (ROWS.min(answer.rows.len())) " of " (count(found)) "." } } }
}

fn is_number(column: &Column) -> bool {
    matches!(column.column_type, ColumnType::Integer | ColumnType::Decimal)
}

fn heads(answer: &Answer) -> Markup {
    html! { @for column in &answer.columns { th.n[is_number(column)] { (cut(&called(column), 60)) } } }
}

fn rows(answered: &Answered) -> Markup {
    let Answered { answer, units, .. } = answered;
    let before = answered.before.as_ref().map(|(before, _)| before);
    let key = |row: &[Value]| group_name(row.get(..answer.keys));
    let earlier: HashMap<String, &Vec<Value>> =
        before.into_iter().flat_map(|before| &before.rows).map(|row| (key(row), row)).collect();
    html! {
        @for row in answer.rows.iter().take(ROWS) {
            @let was = earlier.get(&key(row));
            tr {
                @for (index, (column, cell)) in answer.columns.iter().zip(row).enumerate() {
                    @let unit = units.get(index).copied().unwrap_or(Unit::NUMBER);
                    td.n[is_number(column)] {
                        (said(column, cell, unit))
                        @if let Some(was) = was.filter(|_| index >= answer.keys).and_then(|was| value_of(was.get(index)?)) {
                            span.hint { " was " (unit.say(was)) }
                        }
                    }
                }
            }
        }
    }
}

fn said(column: &Column, cell: &Value, unit: Unit) -> Markup {
    match cell {
        Value::Null => html! {},
        Value::Number(number) => match (column.column_type, number.as_i64()) {
            (ColumnType::Timestamp, Some(usec)) => time(Timestamp::from_usec(usec)),
            _ => html! { (unit.say(number.as_f64().unwrap_or_default())) },
        },
        Value::String(text) => html! { (cut(text, 120)) },
        Value::Array(cells) => {
            html! { @for (index, cell) in cells.iter().take(5).enumerate() { @if index > 0 { ", " } (said(column, cell, unit)) } }
        }
        other => html! { (cut(&other.to_string(), 120)) },
    }
}
