//! Attributes as properties, and values of all kinds.

use crate::proto::common::{AnyValue, KeyValue, any_value};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jkool_model::{Property, Text, TypedValue, Value};

/// Lists and maps within one another deeper than this are `"[depth]"`, as the model writes them.
const DEEPEST: usize = 32;

/// A text; what is no UTF-8 in it becomes U+FFFD.
pub(crate) fn text(bytes: &[u8]) -> Text {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// The value of an attribute called `key`.
pub(crate) fn find<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a AnyValue> {
    attributes.iter().find(|attribute| attribute.key == key.as_bytes()).and_then(|attribute| attribute.value.as_ref())
}

/// The text of an attribute called `key`, if it is one and says something.
pub(crate) fn find_text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a [u8]> {
    match &find(attributes, key)?.value {
        Some(any_value::Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// Adds the attributes, each as a property that is called as it is, behind `prefix`. Of a map every entry is one, with dots between the
/// names.
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
        // A number's type should not change with its size.
        Some(any_value::Value::Int(int)) => TypedValue::from(*int),
        value => value_at(value, 0).into(),
    }
}

/// A value as text: a text as it is, all else as in JSON.
pub(crate) fn as_text(value: &AnyValue) -> Text {
    match value_at(value.value.as_ref(), 0) {
        Value::Text(text) => text,
        Value::Null => Text::default(),
        other => other.to_string().into(),
    }
}

/// Bytes are base64.
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
