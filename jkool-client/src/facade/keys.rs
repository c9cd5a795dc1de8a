//! Which key of a log call, or field of a span, sets which field of the event or activity.

use jkool_model::{
    Activity, CompCode, Event, Property, Severity, Snapshot, SourceFqn, Text, Timestamp, TrackingId, TypedValue, Value,
};
use serde::Deserialize;
use std::borrow::Cow;
use std::str::FromStr;

/// Sets the field of a key to a value.
///
/// # Errors
/// Returns the value if it does not fit the field; it becomes a property then.
pub type Set<E> = fn(&mut E, TypedValue) -> Result<(), TypedValue>;

/// The table of keys and the fields that they set. The first name of each line is TNT4PY's, if `logEvent` has such a keyword;
/// `-` and `_` are equivalent. Fields that events and activities share are listed here; those of only one of them are added
/// below.
macro_rules! table {
    ($(#[$doc:meta])* $name:ident($entity:ident): $($own:tt)*) => {
        $(#[$doc])*
        pub fn $name(key: &str) -> Option<Set<$entity>> {
            let set: Set<$entity> = match &*underscored(key) {
                "tracking_id" => |entity, value| set(&mut entity.tracking_id, value, id),
                "parent_tracking_id" | "parent_id" => |entity, value| set(&mut entity.parent_id, value, id),
                "corr_id" | "corrid" | "correlator" | "correlators" => {
                    |entity, value| add(&mut entity.correlators, value, texts)
                }

                "time_usec" | "time" => |entity, value| set(&mut entity.time, value, time),
                "start_time_usec" | "start_time" => |entity, value| set(&mut entity.start_time, value, time),
                "end_time_usec" | "end_time" => |entity, value| set(&mut entity.end_time, value, time),
                "elapsed_time_usec" | "elapsed_usec" => |entity, value| set(&mut entity.elapsed_usec, value, duration),
                "wait_time_used" | "wait_time_usec" | "wait_usec" => {
                    |entity, value| set(&mut entity.wait_usec, value, duration)
                }

                "operation" => |entity, value| set(&mut entity.operation, value, text),
                "severity" => |entity, value| set(&mut entity.severity, value, severity),
                "comp_code" => |entity, value| set(&mut entity.comp_code, value, word::<CompCode>),
                "reason_code" => |entity, value| set(&mut entity.reason_code, value, int),
                "exception" | "error" | "err" => |entity, value| match entity.exception.is_empty() {
                    true => set(&mut entity.exception, value, only_text),
                    // The first error stays: a second one would be lost under it.
                    false => Err(value),
                },

                "resource" => |entity, value| set(&mut entity.resource, value, text),
                "location" => |entity, value| set(&mut entity.location, value, text),
                "user" => |entity, value| set(&mut entity.user, value, text),
                "pid" => |entity, value| set(&mut entity.pid, value, int),
                "tid" => |entity, value| set(&mut entity.tid, value, int),
                "source_fqn" | "source" => |entity, value| set(&mut entity.source, value, word::<SourceFqn>),
                "source_url" => |entity, value| set(&mut entity.source_url, value, text),

                "properties" => |entity, value| add(&mut entity.properties, value, properties),
                "snapshots" | "snapshot" => |entity, value| add(&mut entity.snapshots, value, snapshots),
                $($own)*
                _ => return None,
            };
            Some(set)
        }
    };
}

table! {
    /// Returns the setter for the field of an event that this key sets.
    of_event(Event):
    "op_type" => |event, value| set(&mut event.op_type, value, word),
    "msg_size" | "message_size" => |event, value| set(&mut event.message_size, value, int),
    "msg_age" | "msg_age_usec" | "message_age_usec" => |event, value| set(&mut event.message_age_usec, value, duration),
    "msg_tag" | "tag" | "tags" => |event, value| add(&mut event.tags, value, texts),
    "encoding" => |event, value| set(&mut event.encoding, value, text),
    "charset" => |event, value| set(&mut event.charset, value, text),
    "mime_type" => |event, value| set(&mut event.mime_type, value, text),
}

table! {
    /// Returns the setter for the field of an activity that this key sets.
    of_activity(Activity):
}

fn underscored(key: &str) -> Cow<'_, str> {
    if key.contains('-') { key.replace('-', "_").into() } else { key.into() }
}

/// Reads the content of a field, and takes it out of the value only if it fits.
type Read<T> = fn(&mut Value) -> Option<T>;

fn set<T, F: From<T>>(field: &mut F, value: TypedValue, read: Read<T>) -> Result<(), TypedValue> {
    with(value, read, |read| *field = read.into())
}

fn add<T>(field: &mut Vec<T>, value: TypedValue, read: Read<Vec<T>>) -> Result<(), TypedValue> {
    with(value, read, |read| field.extend(read))
}

fn with<T>(mut value: TypedValue, read: Read<T>, put: impl FnOnce(T)) -> Result<(), TypedValue> {
    if says_nothing(&value.value) {
        return Ok(());
    }
    match read(&mut value.value) {
        Some(read) => {
            put(read);
            Ok(())
        }
        None => Err(value),
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        _ => false,
    }
}

fn only_text(value: &mut Value) -> Option<Text> {
    match value {
        Value::Text(text) => Some(std::mem::take(text)),
        _ => None,
    }
}

fn text(value: &mut Value) -> Option<Text> {
    match value {
        Value::Int(_) | Value::BigInt(_) | Value::Double(_) => Some(value.to_string().into()),
        value => only_text(value),
    }
}

fn texts(value: &mut Value) -> Option<Vec<Text>> {
    match value {
        Value::List(items) => items.clone().iter_mut().filter(|item| !says_nothing(item)).map(text).collect(),
        single => Some(vec![text(single)?]),
    }
}

fn id(value: &mut Value) -> Option<TrackingId> {
    text(value).map(TrackingId::from)
}

/// Any type that is parsed from a word, case-insensitively.
fn word<T: FromStr>(value: &mut Value) -> Option<T> {
    value.as_str()?.trim().parse().ok()
}

/// A word, or one of the levels of Python's `logging`.
fn severity(value: &mut Value) -> Option<Severity> {
    match value {
        Value::Int(10) => Some(Severity::Debug),
        Value::Int(20) => Some(Severity::Info),
        Value::Int(30) => Some(Severity::Warning),
        Value::Int(40) => Some(Severity::Error),
        Value::Int(50) => Some(Severity::Critical),
        value => word(value),
    }
}

fn int(value: &mut Value) -> Option<i64> {
    value.as_i64().or_else(|| word(value))
}

/// Microseconds. A negative value would make the whole event invalid.
fn duration(value: &mut Value) -> Option<i64> {
    int(value).filter(|usec| *usec >= 0)
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, derived from the size of the number, or ISO 8601. A number
/// that would be a time before 2000 does not fit: it probably means something else, and the event would be stored where nobody
/// looks for it.
fn time(value: &mut Value) -> Option<Timestamp> {
    let time = value.as_i64().map(Timestamp::from_unix).or_else(|| word(value))?;
    (YEAR_2000..=YEAR_2100).contains(&time).then_some(time)
}

const YEAR_2000: Timestamp = Timestamp::from_usec(946_684_800_000_000);
const YEAR_2100: Timestamp = Timestamp::from_usec(4_102_444_800_000_000);

fn properties(value: &mut Value) -> Option<Vec<Property>> {
    let read = as_field("properties", value)?.properties;
    read.iter().all(|property| !property.name.is_empty()).then_some(read)
}

fn snapshots(value: &mut Value) -> Option<Vec<Snapshot>> {
    let read = as_field("snapshots", value)?.snapshots;
    read.iter().all(|snapshot| !snapshot.name.is_empty()).then_some(read)
}

/// Deserializes an event that has this field only, which accepts the forms of all clients: one or several, and TNT4PY's dict.
fn as_field(wire_name: &'static str, value: &Value) -> Option<Event> {
    Event::deserialize(Value::Map(vec![(wire_name.into(), value.clone())])).ok()
}
