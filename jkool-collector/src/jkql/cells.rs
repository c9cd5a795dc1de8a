//! The values of an entity in a column.

use super::answer::{Column, ColumnType};
use super::known::{self, MESSAGE};
use super::resolve::Target;
use crate::field::{FieldName, FieldValue, TIME, values_of};
use crate::filter::operation_of;
use crate::store::Stored;
use jkool_model::Entity;
use serde_json::{Number, Value, json};
use std::cmp::Ordering;

/// Returns the value of `stored` in a column: null, one value, or an array of several.
pub(super) fn cell(stored: &Stored, target: &Target) -> Value {
    let fields = match target {
        Target::Message => return text(message(&stored.entity)),
        Target::Fields(fields) => fields,
    };
    let mut values: Vec<Value> = fields.iter().flat_map(|field| of_field(stored, field)).collect();
    match values.len() {
        0 => Value::Null,
        1 => values.remove(0),
        _ => Value::Array(values),
    }
}

fn of_field(stored: &Stored, field: &FieldName) -> Vec<Value> {
    // The whole text; an index has only its beginning.
    match field.as_str() {
        TIME => return vec![json!(stored.time.as_usec())],
        "operation" => return operation_of(&stored.entity).map(|name| json!(name)).into_iter().collect(),
        "exception" => {
            let exception = match &stored.entity {
                Entity::Event(event) => &*event.exception,
                Entity::Activity(activity) => &*activity.exception,
                _ => "",
            };
            return Some(text(exception)).filter(|text| !text.is_null()).into_iter().collect();
        }
        _ => {}
    }
    let values = values_of(&stored.entity, field.as_str());
    let has_text = |number: f64| {
        let is_it = |value: &FieldValue<'_>| matches!(value, FieldValue::Text(text) if text.parse::<i128>().is_ok_and(|int| int as f64 == number));
        values.iter().any(is_it)
    };
    let value = |value: &FieldValue<'_>| match value {
        FieldValue::Text(text) => match text.parse::<i128>() {
            // A whole number that a float cannot represent exactly is also returned as text.
            Ok(int) if int.unsigned_abs() > 1 << 53 && values.contains(&FieldValue::Number(int as f64)) => {
                Some(i64::try_from(int).map_or_else(|_| json!(text), |int| json!(int)))
            }
            _ => Some(json!(text)),
        },
        FieldValue::Number(number) if number.abs() > 9_007_199_254_740_992.0 && has_text(*number) => None,
        FieldValue::Number(number) => Some(self::number(*number)),
    };
    values.iter().filter_map(value).collect()
}

/// Converts a number to JSON; whole numbers have no decimal point.
pub(super) fn number(number: f64) -> Value {
    let is_whole = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
    if is_whole { json!(number as i64) } else { Number::from_f64(number).map_or(Value::Null, Value::Number) }
}

fn message(entity: &Entity) -> &str {
    match entity {
        Entity::Event(event) => &event.message,
        _ => "",
    }
}

fn text(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { json!(text) }
}

/// Returns the column of a target, with the service's name if there is one, else the name in the statement.
pub(super) fn column(target: &Target, written: &str) -> Column {
    let (known, field) = match target {
        Target::Message => (known::find(MESSAGE), None),
        Target::Fields(fields) => (fields.first().and_then(known::of_wire), fields.first().cloned()),
    };
    let name = known.map_or(written, |known| known.service).to_owned();
    Column { name, column_type: known.map_or(ColumnType::String, |known| known.column_type), field }
}

/// Sets the type of a property's column to the type of its values.
pub(super) fn refine(column: &mut Column, target: &Target, values: &[&Value]) {
    let is_own = matches!(target, Target::Fields(fields) if fields.first().and_then(known::of_wire).is_none());
    let mut numbers = values.iter().filter(|value| !value.is_null()).peekable();
    if is_own && numbers.peek().is_some() && numbers.clone().all(|value| value.is_number()) {
        let is_whole = numbers.all(|value| value.is_i64() || value.is_u64());
        column.column_type = if is_whole { ColumnType::Integer } else { ColumnType::Decimal };
    }
}

/// Returns the first of several values.
fn first(value: &Value) -> &Value {
    value.as_array().and_then(|values| values.first()).unwrap_or(value)
}

/// Compares values: numbers first, then texts. Missing values are last in both directions.
pub(super) fn compare(one: &Value, other: &Value, descending: bool) -> Ordering {
    let order = match (first(one), first(other)) {
        (Value::Null, Value::Null) => return Ordering::Equal,
        (Value::Null, _) => return Ordering::Greater,
        (_, Value::Null) => return Ordering::Less,
        (Value::Number(one), Value::Number(other)) => match (one.as_i64(), other.as_i64()) {
            (Some(one), Some(other)) => one.cmp(&other),
            _ => one.as_f64().unwrap_or_default().total_cmp(&other.as_f64().unwrap_or_default()),
        },
        (Value::Number(_), _) => Ordering::Less,
        (_, Value::Number(_)) => Ordering::Greater,
        (one, other) => one.as_str().cmp(&other.as_str()),
    };
    if descending { order.reverse() } else { order }
}
