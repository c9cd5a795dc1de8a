//! An answer with columns and rows, and its JSON in the format of the service.

use crate::field::FieldName;
use crate::filter::Filter;
use jkool_jkql::{Chart, Zone};
use jkool_model::Timestamp;
use serde_json::{Map, Value, json};
use std::ops::Range;

/// The answer to a statement: columns and rows.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// The kind of the entities: `Event`, `Activity`, `Snapshot`, or `Entity` if they may be of any kind.
    pub item_type: &'static str,
    /// The columns, in order.
    pub columns: Vec<Column>,
    /// The number of columns, from the first on, that contain the keys of the groups.
    pub keys: usize,
    /// The rows. Each has a value for each column, or null.
    pub rows: Vec<Vec<Value>>,
    /// The number of rows found, including those that exceed the limit.
    pub found: u64,
    /// The time range, in microseconds since 1970.
    pub range: Range<i64>,
    /// The filter for the entities of the answer.
    pub filter: Filter,
    /// The chart that the statement selects.
    pub show: Option<Chart>,
    /// A description of the query to the store, for people.
    pub explained: Vec<String>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Column {
    /// The name of the column.
    pub name: String,
    /// The type of the values.
    pub column_type: ColumnType,
    /// The field whose values, or whose unit, the column has; `None` for counts.
    pub field: Option<FieldName>,
}

/// The type of the values of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColumnType {
    /// Whole numbers.
    Integer,
    /// Numbers.
    Decimal,
    /// Texts, or arrays of texts if a field has several values.
    String,
    /// Microseconds since 1970.
    Timestamp,
}

impl ColumnType {
    /// Returns the name that the service uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Integer => "INTEGER",
            Self::Decimal => "DECIMAL",
            Self::String => "STRING",
            Self::Timestamp => "TIMESTAMP",
        }
    }
}

impl Answer {
    /// Returns the JSON in the format of the service.
    pub(super) fn to_json(&self, zone: &Zone, now: Timestamp) -> Map<String, Value> {
        let row = |row: &Vec<Value>| -> Value {
            self.columns.iter().map(|column| column.name.clone()).zip(row.iter().cloned()).collect()
        };
        let by_name = |value: fn(&Column) -> Value| -> Value {
            self.columns.iter().map(|column| (column.name.clone(), value(column))).collect()
        };
        let range = format!("{} TO {}", self.range.start.max(0), self.range.end.min(now_or(self.range.end, now)));
        let mut json = Map::new();
        let mut put = |name: &str, value: Value| json.insert(name.to_owned(), value);
        put("status", json!("SUCCESS"));
        put("item-type", json!(self.item_type));
        put("rows-found", json!(self.found));
        put("row-count", json!(self.rows.len()));
        put("total-row-count", json!(self.found));
        put("data-date-range", json!(range));
        put("query-date-filter", json!(range));
        put("timezone", json!(zone.to_string()));
        put("time", json!(now.as_usec()));
        put("colhdr", self.columns.iter().map(|column| json!(column.name)).collect());
        put("coltype", by_name(|column| json!(column.column_type.as_str())));
        put("collabel", by_name(|column| json!(column.name)));
        if let Some(show) = self.show {
            put("show-as", json!(show.as_str()));
        }
        put("rows", self.rows.iter().map(row).collect());
        json
    }
}

/// Returns the end of a period, or `now` if it has none.
fn now_or(end: i64, now: Timestamp) -> i64 {
    if end == i64::MAX { now.as_usec() } else { end }
}
