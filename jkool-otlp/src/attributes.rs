//! Converts attributes to properties, and values of all kinds.

use crate::proto::common::{AnyValue, KeyValue, any_value};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jkool_model::{Property, Text, TypedValue, Value};

/// The maximum nesting of lists and maps; deeper ones become `"[depth]"`, as the model writes them.
const DEEPEST: usize = 32;

/// Converts a text; invalid UTF-8 becomes U+FFFD.
pub(crate) fn text(bytes: &[u8]) -> Text {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// Returns the value of the attribute `key`.
pub(crate) fn find<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a AnyValue> {
    attributes.iter().find(|attribute| attribute.key == key.as_bytes()).and_then(|attribute| attribute.value.as_ref())
}

/// Returns the text of the attribute `key`, if it is a text and not empty.
pub(crate) fn find_text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a [u8]> {
    match &find(attributes, key)?.value {
        Some(any_value::Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// Adds each attribute as a property, with its name after `prefix`. Each entry of a map becomes a property, with the names
/// joined by dots.
pub(crate) fn append(prefix: &str, attributes: &[KeyValue], properties: &mut Vec<Property>) {
    append_at(prefix, attributes, properties, 0);
}

fn append_at(prefix: &str, attributes: &[KeyValue], properties: &mut Vec<Property>, depth: usize) {
    for KeyValue { key, value } in attributes {
        let key = String::from_utf8_lossy(key);
        let name = if prefix.is_empty() { key.into_owned() } else { format!("{prefix}{key}") };
        let value = value.as_ref().and_then(|value| value.value.as_ref());
        match value {
            Some(any_value::Value::KeyValueList(map)) if !map.values.is_empty() && depth < DEEPEST => {
                append_at(&format!("{name}."), &map.values, properties, depth + 1);
            }
            value => properties.push(Property::new(name, typed(value))),
        }
    }
}

fn typed(value: Option<&any_value::Value>) -> TypedValue {
    match value {
        // The type of a number should not depend on its size.
        Some(any_value::Value::Int(int)) => TypedValue::from(*int),
        value => value_at(value, 0).into(),
    }
}

/// Converts a value to text: a text is unchanged, any other value becomes JSON.
pub(crate) fn as_text(value: &AnyValue) -> Text {
    match value_at(value.value.as_ref(), 0) {
        Value::Text(text) => text,
        Value::Null => Text::default(),
        other => other.to_string().into(),
    }
}

/// Bytes become base64.
fn value_at(value: Option<&any_value::Value>, depth: usize) -> Value {
    let inner = |value: &AnyValue| value_at(value.value.as_ref(), depth + 1);
    match value {
        None => Value::Null,
        Some(any_value::Value::String(bytes)) => Value::Text(text(bytes)),
        Some(any_value::Value::Bool(bool)) => Value::Bool(*bool),
        Some(any_value::Value::Int(int)) => Value::Int(*int),
        Some(any_value::Value::Double(double)) => Value::Double(*double),
        Some(any_value::Value::Bytes(bytes)) => Value::Text(BASE64_STANDARD.encode(bytes).into()),
        Some(_) if depth >= DEEPEST => Value::Text("[depth]".into()),
        Some(any_value::Value::Array(array)) => Value::List(array.values.iter().map(inner).collect()),
        Some(any_value::Value::KeyValueList(map)) => {
            let entry = |entry: &KeyValue| (text(&entry.key), entry.value.as_ref().map_or(Value::Null, inner));
            Value::Map(map.values.iter().map(entry).collect())
        }
    }
}
