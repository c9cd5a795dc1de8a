//! Maps the fields of other programs' log formats to fields of an event, by their names.

use super::{severity, time};
use jkool_client::model::{Event, Property, Value};

/// Sets a field of the event if the name is common in log formats. Any other field becomes a property, and so does a
/// value that is invalid for its field.
pub(super) fn put(event: &mut Event, name: &str, value: Value) {
    let text = match &value {
        Value::Text(text) => Some(text.as_ref()),
        _ => None,
    };
    let fits = match name {
        "msg" | "message" | "@message" | "log" | "body" | "short_message" => {
            fill(event.message.is_empty(), &value, |text| event.message = text.into())
        }
        "level" | "lvl" | "severity" | "levelname" | "log.level" | "loglevel" | "severity_text" | "@l" => {
            let found = text.and_then(severity::of_word).or_else(|| value.as_i64().and_then(severity::of_number));
            found.map(|severity| event.severity = severity).is_some()
        }
        "ts" | "time" | "timestamp" | "@timestamp" | "datetime" | "date" | "t" | "asctime" | "@t" => {
            let number = || value.as_f64().and_then(time::of_seconds);
            let found = text.and_then(time::of_value).or_else(number);
            found.filter(|_| event.time.is_none()).map(|time| event.time = Some(time)).is_some()
        }
        "logger" | "logger_name" | "log.logger" | "target" | "operation" => {
            fill(event.operation.is_empty(), &value, |text| event.operation = text.into())
        }
        "error" | "err" | "exception" | "stack_trace" | "stacktrace" | "exc_info" | "error.stack_trace" => {
            fill(event.exception.is_empty(), &value, |text| event.exception = text.into())
        }
        "user" | "username" => fill(event.user.is_empty(), &value, |text| event.user = text.into()),
        "trace_id" | "traceId" | "trace.id" | "correlation_id" | "correlationId" | "request_id" | "requestId"
        | "corrid" => fill(true, &value, |text| event.correlators.push(text.into())),
        "pid" | "process.pid" => value.as_i64().map(|pid| event.pid = Some(pid)).is_some(),
        _ => false,
    };
    if !fits && !name.is_empty() && value != Value::Null {
        event.properties.push(Property::new(name.to_owned(), value));
    }
}

/// Sets a text if it is still empty.
fn fill(is_empty: bool, value: &Value, put: impl FnOnce(String)) -> bool {
    match value {
        Value::Text(text) if is_empty && !text.is_empty() => {
            put(text.to_string());
            true
        }
        _ => false,
    }
}
