//! Maps a span to an activity, and its events to events.

use crate::attributes;
use crate::ids;
use crate::log;
use crate::mapped::Mapping;
use crate::origin::{Origin, dropped};
use crate::proto::trace::{ExportTraceServiceRequest, Span, SpanEvent, SpanLink};
use crate::time;
use jkool_model::{Activity, ActivityStatus, CompCode, Entity, Event, Property, Severity, Text};

/// Adds an activity for each span, and an event for each of its events.
pub(crate) fn map(request: &ExportTraceServiceRequest, mapping: &mut Mapping) {
    for resource in &request.resource_spans {
        let of_resource = Origin::of_resource(resource.resource.as_ref());
        for scope in &resource.scope_spans {
            let origin = of_resource.with_scope(scope.scope.as_ref());
            for span in &scope.spans {
                mapping.add(|| entities(span, &origin));
            }
        }
    }
}

/// A span without valid ids cannot be related to anything; OpenTelemetry calls it invalid.
fn entities(span: &Span, origin: &Origin) -> Result<Vec<Entity>, String> {
    let called = || format!("the span {:?}", attributes::text(&span.name).chars().take(64).collect::<String>());
    let trace = ids::trace(&span.trace_id).ok_or_else(|| format!("{} has no valid trace id of 16 bytes", called()))?;
    let id = ids::span(&span.span_id).ok_or_else(|| format!("{} has no valid span id of 8 bytes", called()))?;
    let mut entities = Vec::with_capacity(1 + span.events.len());
    entities.push(Entity::Activity(activity(span, &trace, &id, origin)));
    for (index, event) in span.events.iter().enumerate() {
        entities.push(Entity::Event(self::event(event, index, &trace, &id, origin)));
    }
    Ok(entities)
}

fn activity(span: &Span, trace: &Text, id: &Text, origin: &Origin) -> Box<Activity> {
    let mut activity = Box::<Activity>::default();
    activity.operation = if span.name.is_empty() { "span".into() } else { attributes::text(&span.name) };
    activity.tracking_id = Some(id.clone().into());
    activity.parent_id = ids::span(&span.parent_span_id).map(Into::into);
    activity.correlators.push(trace.clone());
    activity.source = origin.source.clone();
    activity.pid = origin.pid;
    let properties = &mut activity.properties;
    attributes::append("", &span.attributes, properties);
    if let Some(kind) = kind(span.kind) {
        properties.push(Property::new("otel.kind", kind));
    }
    if !span.trace_state.is_empty() {
        properties.push(Property::new("tracestate", attributes::text(&span.trace_state)));
    }
    dropped("otel.dropped_attributes_count", span.dropped_attributes_count, properties);
    dropped("otel.dropped_events_count", span.dropped_events_count, properties);
    dropped("otel.dropped_links_count", span.dropped_links_count, properties);
    set_times(span, &mut activity);
    set_status(span, &mut activity);
    for (index, link) in span.links.iter().enumerate() {
        add_link(link, index, trace, &mut activity);
    }
    activity.properties.extend_from_slice(&origin.properties);
    activity
}

/// An end before the start, caused by a change of the clock, is kept as a property.
fn set_times(span: &Span, activity: &mut Activity) {
    let (start, end) = (time::of(span.start_time_unix_nano), time::of(span.end_time_unix_nano));
    activity.start_time = start;
    if end >= start {
        activity.end_time = end;
        activity.complete_times();
    } else if let Some(end) = end {
        activity.properties.push(Property::new("end_time_usec", end));
    }
    activity.time = activity.end_time.or(start);
}

fn set_status(span: &Span, activity: &mut Activity) {
    let (code, message) =
        span.status.as_ref().map_or((0, Text::default()), |status| (status.code, attributes::text(&status.message)));
    let (status, comp_code) = match code {
        2 => (ActivityStatus::Exception, Some(CompCode::Error)),
        1 => (ActivityStatus::End, Some(CompCode::Success)),
        // A span that has ended did not necessarily succeed.
        _ => (ActivityStatus::End, None),
    };
    activity.status = Some(status);
    activity.comp_code = comp_code;
    if code == 2 {
        activity.severity = Severity::Error;
        let thrown = || span.events.iter().map(|event| log::exception(&event.attributes)).find(|text| !text.is_empty());
        activity.exception = if message.is_empty() { thrown().unwrap_or_default() } else { message };
    } else if !message.is_empty() {
        activity.properties.push(Property::new("otel.status_description", message));
    }
}

/// Links become correlators: the linked span, and its trace if that is another one. All data of a link becomes properties.
fn add_link(link: &SpanLink, index: usize, trace: &Text, activity: &mut Activity) {
    let prefix = format!("link.{}.", index + 1);
    let (of_trace, of_span) = (ids::trace(&link.trace_id), ids::span(&link.span_id));
    let properties = &mut activity.properties;
    for (name, id) in [("trace_id", &of_trace), ("span_id", &of_span)] {
        if let Some(id) = id {
            properties.push(Property::new(format!("{prefix}{name}"), id.clone()));
        }
    }
    if !link.trace_state.is_empty() {
        properties.push(Property::new(format!("{prefix}tracestate"), attributes::text(&link.trace_state)));
    }
    attributes::append(&prefix, &link.attributes, properties);
    if link.dropped_attributes_count > 0 {
        properties.push(Property::new(format!("{prefix}dropped_attributes_count"), link.dropped_attributes_count));
    }
    for correlator in of_trace.into_iter().filter(|linked| linked != trace).chain(of_span) {
        if activity.correlators.len() < MOST_CORRELATORS && !activity.correlators.contains(&correlator) {
            activity.correlators.push(correlator);
        }
    }
}

/// Thousands of correlators would make each search slow; the properties contain all of them.
const MOST_CORRELATORS: usize = 64;

/// Its id is derived from the span's id, so that a repeated request creates no new event.
fn event(event: &SpanEvent, index: usize, trace: &Text, span: &Text, origin: &Origin) -> Box<Event> {
    let mut made = Box::<Event>::default();
    made.operation = if event.name.is_empty() { "event".into() } else { attributes::text(&event.name) };
    made.tracking_id = Some(format!("{span}.{}", index + 1).into());
    made.parent_id = Some(span.clone().into());
    made.correlators.push(trace.clone());
    made.time = time::of(event.time_unix_nano);
    made.source = origin.source.clone();
    made.pid = origin.pid;
    made.exception = log::exception(&event.attributes);
    if !made.exception.is_empty() {
        made.severity = Severity::Error;
    }
    attributes::append("", &event.attributes, &mut made.properties);
    log::leave_out_stack(&mut made.properties);
    dropped("otel.dropped_attributes_count", event.dropped_attributes_count, &mut made.properties);
    made.properties.extend_from_slice(&origin.properties);
    made
}

/// The same words as in `jkool-tracing`.
fn kind(kind: i32) -> Option<&'static str> {
    match kind {
        1 => Some("internal"),
        2 => Some("server"),
        3 => Some("client"),
        4 => Some("producer"),
        5 => Some("consumer"),
        _ => None,
    }
}
