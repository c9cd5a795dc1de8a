//! Maps a log record to an event.

use crate::attributes;
use crate::ids;
use crate::mapped::Mapping;
use crate::origin::{Origin, dropped};
use crate::proto::common::{KeyValue, any_value};
use crate::proto::logs::{ExportLogsServiceRequest, LogRecord};
use crate::time;
use jkool_model::{Entity, Event, Property, Severity, Text};

/// Adds an event for each log record.
pub(crate) fn map(request: &ExportLogsServiceRequest, mapping: &mut Mapping) {
    for resource in &request.resource_logs {
        let of_resource = Origin::of_resource(resource.resource.as_ref());
        for scope in &resource.scope_logs {
            let origin = of_resource.with_scope(scope.scope.as_ref());
            for record in &scope.log_records {
                mapping.add(|| Ok(vec![Entity::Event(event(record, &origin))]));
            }
        }
    }
}

fn event(record: &LogRecord, origin: &Origin) -> Box<Event> {
    let mut event = Box::<Event>::default();
    // The event name, or the name of the logger.
    event.operation = match (&attributes::text(&record.event_name), &origin.scope) {
        (name, scope) if name.is_empty() && scope.is_empty() => "log".into(),
        (name, scope) if name.is_empty() => scope.clone(),
        (name, _) => name.clone(),
    };
    event.severity = severity(record);
    event.message = record.body.as_ref().map(attributes::as_text).unwrap_or_default();
    event.time = time::of(record.time_unix_nano).or(time::of(record.observed_time_unix_nano));
    event.correlators.extend(ids::trace(&record.trace_id));
    event.parent_id = ids::span(&record.span_id).map(Into::into);
    event.source = origin.source.clone();
    event.pid = origin.pid;
    event.exception = exception(&record.attributes);
    event.properties.reserve_exact(record.attributes.len() + origin.properties.len());
    attributes::append("", &record.attributes, &mut event.properties);
    leave_out_stack(&mut event.properties);
    let text = attributes::text(&record.severity_text);
    if !text.is_empty() && text.parse() != Ok(event.severity) {
        event.properties.push(Property::new("severity_text", text));
    }
    dropped("otel.dropped_attributes_count", record.dropped_attributes_count, &mut event.properties);
    event.properties.extend_from_slice(&origin.properties);
    event
}

/// By its number, or by its text if there is no number.
fn severity(record: &LogRecord) -> Severity {
    match record.severity_number {
        1..=4 => Severity::Trace,
        5..=8 => Severity::Debug,
        9 => Severity::Info,
        // As in OpenTelemetry's table for syslog, which also has these severities.
        10..=12 => Severity::Notice,
        13..=16 => Severity::Warning,
        17 => Severity::Error,
        18..=20 => Severity::Critical,
        21.. => Severity::Fatal,
        ..=0 => String::from_utf8_lossy(&record.severity_text).parse().unwrap_or_default(),
    }
}

/// The exception in the attributes of the semantic conventions: `type: message`, followed by the stack trace.
pub(crate) fn exception(attributes: &[KeyValue]) -> Text {
    let part = |key: &str| match attributes::find(attributes, key).and_then(|value| value.value.as_ref()) {
        Some(any_value::Value::String(text)) => attributes::text(text),
        _ => Text::default(),
    };
    let (kind, message, stack) = (part("exception.type"), part("exception.message"), part("exception.stacktrace"));
    let first = match (&*kind, &*message) {
        (kind, "") => kind.to_owned(),
        ("", message) => message.to_owned(),
        (kind, message) => format!("{kind}: {message}"),
    };
    match (first.as_str(), &*stack) {
        (_, "") => first.into(),
        ("", _) => stack,
        (first, stack) => format!("{first}\n{stack}").into(),
    }
}

/// It is long, and already part of the exception.
pub(crate) fn leave_out_stack(properties: &mut Vec<Property>) {
    properties.retain(|property| property.name != "exception.stacktrace" || property.value.as_str().is_none());
}
