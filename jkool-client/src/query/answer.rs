//! An answer: columns, and rows that become values of the program's types.

use super::{QueryError, QueryErrorKind};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::str::FromStr;

/// The answer to a statement.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct QueryAnswer {
    /// What rows are about: `Event`, `Activity`, `Snapshot`.
    pub item_type: String,
    /// The columns, in order.
    pub columns: Vec<QueryColumn>,
    /// The rows.
    pub rows: Vec<QueryRow>,
    /// How many rows there are, those that were too many for the answer included.
    pub found: u64,
    /// How the statement wants it drawn (`show as`), if it says so.
    pub show: Option<String>,
    /// How it was found, if [`trace`](super::QueryBuilder::trace) asks for it.
    pub trace: Vec<String>,
    json: String,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueryColumn {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub column_type: QueryColumnType,
}

/// What the values of a column are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueryColumnType {
    /// Whole numbers.
    Integer,
    /// Numbers.
    Decimal,
    /// Texts, or arrays of them.
    String,
    /// Microseconds since 1970.
    Timestamp,
    /// Another type of the service, by its name.
    Other(String),
}

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryRow(Map<String, Value>);

impl QueryRow {
    /// The value of a column; an `Option` where there may be none.
    ///
    /// # Errors
    /// When it is no `T`.
    pub fn get<T: DeserializeOwned>(&self, column: &str) -> Result<T, QueryError> {
        let value = self.0.get(column).cloned().unwrap_or_default();
        T::deserialize(value).map_err(|error| unreadable(format_args!("the column {column}: {error}")))
    }

    /// The value of a column as a text: empty where there is none, and several with spaces between them.
    pub fn text(&self, column: &str) -> String {
        text(self.0.get(column).unwrap_or(&Value::Null))
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

impl QueryAnswer {
    /// All rows as values of a type, whose fields are called as the columns.
    ///
    /// # Errors
    /// When a row is no `T`.
    pub fn rows_as<T: DeserializeOwned>(&self) -> Result<Vec<T>, QueryError> {
        let row = |(index, row): (usize, &QueryRow)| {
            let read = T::deserialize(Value::Object(row.0.clone()));
            read.map_err(|error| unreadable(format_args!("row {}: {error}", index + 1)))
        };
        self.rows.iter().enumerate().map(row).collect()
    }

    /// The answer as it came.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Reads an answer of either outcome.
    pub(super) fn read(status: u16, body: &[u8]) -> Result<Self, QueryError> {
        let json = String::from_utf8_lossy(body);
        let Ok(Value::Object(mut answer)) = serde_json::from_str(&json) else { return Err(of_status(status)) };
        let error = ["jk_error", "error"].iter().find_map(|name| answer.get(*name)?.as_str());
        if let Some(error) = error {
            let kind = if matches!(status, 401 | 403) { QueryErrorKind::Unauthorized } else { QueryErrorKind::Refused };
            return Err(QueryError::new(kind, error));
        }
        if !(200..300).contains(&status) {
            return Err(of_status(status));
        }
        // Over a WebSocket it is one level deeper.
        if let Some(Value::Object(inner)) = answer.remove("jk_response") {
            answer = inner;
        }
        let texts = |name: &str| -> Vec<String> {
            let texts = answer.get(name).and_then(Value::as_array);
            texts.into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
        };
        let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
        let column = |name: String| {
            let column_type = answer.get("coltype").and_then(|types| types.get(&name)?.as_str());
            QueryColumn { column_type: QueryColumnType::of(column_type.unwrap_or_default()), name }
        };
        let rows = answer.get("rows").and_then(Value::as_array).ok_or_else(|| unreadable("the answer has no rows"))?;
        let row = |row: &Value| match row {
            Value::Object(row) => Ok(QueryRow(row.clone())),
            _ => Err(unreadable("a row of the answer is no object")),
        };
        Ok(Self {
            item_type: text("item-type").unwrap_or_default(),
            columns: texts("colhdr").into_iter().map(column).collect(),
            rows: rows.iter().map(row).collect::<Result<_, _>>()?,
            found: answer.get("rows-found").and_then(Value::as_u64).unwrap_or(rows.len() as u64),
            show: text("show-as"),
            trace: texts("trace"),
            json: json.into_owned(),
        })
    }
}

/// Reads an answer that came by another way, such as a WebSocket.
impl FromStr for QueryAnswer {
    type Err = QueryError;

    fn from_str(json: &str) -> Result<Self, QueryError> {
        Self::read(200, json.as_bytes())
    }
}

impl QueryColumnType {
    fn of(name: &str) -> Self {
        match name {
            "INTEGER" | "LONG" => Self::Integer,
            "DECIMAL" | "DOUBLE" => Self::Decimal,
            "STRING" => Self::String,
            "TIMESTAMP" => Self::Timestamp,
            other => Self::Other(other.to_owned()),
        }
    }
}

fn of_status(status: u16) -> QueryError {
    match status {
        401 | 403 => {
            QueryError::new(QueryErrorKind::Unauthorized, format_args!("the token is not taken (status {status})"))
        }
        // Nobody is led elsewhere with the token.
        300..=399 => unreadable(format_args!("the server sends us elsewhere (status {status}), which is not followed")),
        status => unreadable(format_args!("the server answers with status {status}: does it answer jKQL?")),
    }
}

fn unreadable(message: impl std::fmt::Display) -> QueryError {
    QueryError::new(QueryErrorKind::Unreadable, message)
}
