//! Converts what all signals share to OTLP messages.

use bytes::Bytes;
use jkool_otlp::proto::common::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, Resource, any_value};
use opentelemetry::{Array, Value};
use std::time::SystemTime;

pub(crate) fn text(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

/// Converts a time to nanoseconds since 1970; 0 is unknown, or a time before 1970.
pub(crate) fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Converts the resource. `unknown_service` is the SDK's name for a program without one; then the client's source is used.
pub(crate) fn resource(resource: &opentelemetry_sdk::Resource) -> Resource {
    let is_said = |key: &str, value: &Value| key != "service.name" || !value.as_str().starts_with("unknown_service");
    let attributes = resource.iter().filter(|(key, value)| is_said(key.as_str(), value));
    let mut attributes: Vec<KeyValue> =
        attributes.map(|(key, value)| KeyValue { key: text(key.as_str()), value: Some(any_value(value)) }).collect();
    // Their order is not defined.
    attributes.sort_by(|one, other| one.key.cmp(&other.key));
    Resource { attributes, dropped_attributes_count: 0 }
}

/// Converts the scope; a log record may have a different name for it.
pub(crate) fn scope(scope: &opentelemetry::InstrumentationScope, name: Option<&str>) -> Option<InstrumentationScope> {
    Some(InstrumentationScope {
        name: text(name.unwrap_or(scope.name())),
        version: text(scope.version().unwrap_or_default()),
        attributes: attributes(scope.attributes()),
        dropped_attributes_count: 0,
    })
}

pub(crate) fn attributes<'a>(attributes: impl IntoIterator<Item = &'a opentelemetry::KeyValue>) -> Vec<KeyValue> {
    let attribute = |attribute: &opentelemetry::KeyValue| KeyValue {
        key: text(attribute.key.as_str()),
        value: Some(any_value(&attribute.value)),
    };
    attributes.into_iter().map(attribute).collect()
}

fn any_value(value: &Value) -> AnyValue {
    let value = match value {
        Value::Bool(bool) => any_value::Value::Bool(*bool),
        Value::I64(int) => any_value::Value::Int(*int),
        Value::F64(double) => any_value::Value::Double(*double),
        Value::String(string) => any_value::Value::String(text(string.as_str())),
        Value::Array(array) => any_value::Value::Array(list(array)),
        // Variants that later versions may add.
        other => any_value::Value::String(text(&other.as_str())),
    };
    AnyValue { value: Some(value) }
}

fn list(array: &Array) -> ArrayValue {
    fn values<'a, T: 'a>(list: &'a [T], make: impl Fn(&'a T) -> any_value::Value) -> ArrayValue {
        ArrayValue { values: list.iter().map(|item| AnyValue { value: Some(make(item)) }).collect() }
    }
    match array {
        Array::Bool(list) => values(list, |bool| any_value::Value::Bool(*bool)),
        Array::I64(list) => values(list, |int| any_value::Value::Int(*int)),
        Array::F64(list) => values(list, |double| any_value::Value::Double(*double)),
        Array::String(list) => values(list, |string| any_value::Value::String(text(string.as_str()))),
        other => values(&[other], |other| any_value::Value::String(text(&other.to_string()))),
    }
}
