//! The value of a key-value that implements `serde::Serialize`, with its structure. It is serialized as a field of a snapshot is, without
//! JSON, which supports neither `NaN` nor 128-bit integers, and whose map sorts the fields of a struct.

use jkool_client::facade::message;
use jkool_client::model::Value;
use jkool_client::model::derived::Serialized;
use serde::Serialize;

/// Returns the value, in the shapes of serde_json; `None` if the `Serialize` implementation returns an error, or if the key of a map is
/// neither a text nor a number.
pub(crate) fn value<T: Serialize + ?Sized>(value: &T) -> Option<Value> {
    Serialized::with_texts(value, message::of).ok().map(plain)
}

fn plain(serialized: Serialized) -> Value {
    match serialized {
        Serialized::Absent => Value::Null,
        // The type of a number does not depend on that of the field, as in the rest of the key-values.
        Serialized::Scalar(typed) => match typed.value {
            Value::BigInt(int) => i64::try_from(int).map_or(Value::BigInt(int), Value::Int),
            value => value,
        },
        Serialized::List(items) => Value::List(items.into_iter().map(plain).collect()),
        Serialized::Map(entries) => Value::Map(entries.into_iter().map(|(key, value)| (key, plain(value))).collect()),
    }
}
