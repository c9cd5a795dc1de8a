//! The answer to a query: columns, and rows that can be deserialized.

use super::{QueryError, QueryErrorKind};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::str::FromStr;

/// The answer to a query, from [`Query::ask`](super::Query::ask).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct QueryAnswer {
    /// The type of the items that the rows describe: `Event`, `Activity` or `Snapshot`.
    pub item_type: String,
    /// The columns, in order.
    pub columns: Vec<QueryColumn>,
    /// The rows.
    pub rows: Vec<QueryRow>,
    /// The number of rows that match, including those beyond the maximum number of rows.
    pub found: u64,
    /// How the answer should be displayed, if the statement contains `show as`.
    pub show: Option<String>,
    /// The trace of its execution, if [`trace`](super::QueryBuilder::trace) is on.
    pub trace: Vec<String>,
    json: String,
}

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct QueryColumn {
    /// Its name.
    pub name: String,
    /// The type of its values.
    pub column_type: QueryColumnType,
}

/// The type of the values of a column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QueryColumnType {
    /// Integers.
    Integer,
    /// Numbers.
    Decimal,
    /// Texts, or arrays of texts.
    String,
    /// Microseconds since 1970.
    Timestamp,
    /// Another type, by the name that the service uses.
    Other(String),
}

/// A row of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryRow(Map<String, Value>);

impl QueryRow {
    /// Returns the value of a column. Use an `Option` for a column that may have no value.
    ///
    /// # Errors
    /// If the value cannot be deserialized as `T`.
    pub fn get<T: DeserializeOwned>(&self, column: &str) -> Result<T, QueryError> {
        let value = self.0.get(column).cloned().unwrap_or_default();
        T::deserialize(value).map_err(|error| unreadable(format_args!("the column {column}: {error}")))
    }

    /// Returns the value of a column as text: an empty text if there is none, and several values separated by spaces.
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
    /// Deserializes all rows into a type whose fields have the names of the columns.
    ///
    /// # Errors
    /// If a row cannot be deserialized as `T`.
    pub fn rows_as<T: DeserializeOwned>(&self) -> Result<Vec<T>, QueryError> {
        let row = |(index, row): (usize, &QueryRow)| {
            let read = T::deserialize(Value::Object(row.0.clone()));
            read.map_err(|error| unreadable(format_args!("row {}: {error}", index + 1)))
        };
        self.rows.iter().enumerate().map(row).collect()
    }

    /// Returns the JSON of the answer, as it was received.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Reads a response, whether it is an answer or an error.
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
        // Over a WebSocket the answer is nested one level deeper.
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
            _ => Err(unreadable("a row of the answer is not an object")),
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

/// Parses an answer that was received in another way, such as over a WebSocket.
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
            QueryError::new(QueryErrorKind::Unauthorized, format_args!("the token was rejected (status {status})"))
        }
        // The token must not follow a redirect to another host.
        300..=399 => unreadable(format_args!("the server redirects (status {status}); redirects are not followed")),
        status => unreadable(format_args!("the server answered with status {status}; does it support jKQL?")),
    }
}

fn unreadable(message: impl std::fmt::Display) -> QueryError {
    QueryError::new(QueryErrorKind::Unreadable, message)
}
