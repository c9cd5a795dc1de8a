//! Converts a closed span to an activity, or to an event with an elapsed time.

use crate::event::{self, Around};
use crate::record::Record;
use crate::said::Said;
use crate::settings::Spans;
use crate::severity::severity;
use crate::shared::Shared;
use crate::trace::{SpanId, TraceContext};
use jkool_client::facade::now;
use jkool_client::model::json::Json;
use jkool_client::model::{Activity, Entity, Event, OpType, Property, Scalar, Timestamp};
use jkool_client::{Content, EndedSpan, Line, More, SpanOutcome};
use std::time::Duration;

/// Sends a span that has ended, if it is sampled. `around` returns the data of the spans around it.
pub(crate) fn stream(mut record: Record, context: TraceContext, shared: &Shared, around: impl FnOnce() -> Around) {
    let settings = &shared.settings;
    let elapsed = now::instant().saturating_duration_since(record.start);
    let busy = record.end().min(elapsed);
    if std::thread::panicking() {
        // The span was left by unwinding.
        record.failed_if(true);
        record.exception("panicked".into());
    }
    if elapsed < settings.min_duration && record.outcome != SpanOutcome::Failed {
        return;
    }
    times_as_properties(&mut record);
    if let Some(kind) = record.said.as_ref().map(|said| said.kind.clone()).filter(|kind| !kind.is_empty()) {
        record.property(Property::new("otel.kind", kind));
    }
    let elapsed = as_usec(elapsed);
    let is_line =
        |said: &Said| said.rest.is_none() && settings.spans == Spans::Activities && shared.client.takes_line("");
    let mut busy = settings.busy_and_idle.then(|| as_usec(busy));
    let with_the_line = |said: &Said| is_line(said) && !shared.adds_times && !said.properties.has_times();
    if !record.said.as_deref().is_some_and(with_the_line) {
        if let Some(busy) = busy.take() {
            record.usec("busy", busy);
            record.usec("idle", elapsed.saturating_sub(busy));
        }
    }
    let Some(mut said) = record.said.take() else { return };
    if record.left_out > 0 {
        said.properties.add("left_out", Scalar::Long(i64::try_from(record.left_out).unwrap_or(i64::MAX)));
    }
    let ended = Ended { context, around: around(), start: record.start_time, elapsed, busy, outcome: record.outcome };
    if is_line(&said) {
        ended.stream_line(&said, shared);
    } else {
        ended.stream_entity(&mut said, shared);
    }
    said.reuse();
}

/// The typical size of the lists of a span that has children.
const ROOM: usize = 512;

/// How a span ended, and its position in the trace.
struct Ended {
    context: TraceContext,
    around: Around,
    start: Timestamp,
    /// In microseconds.
    elapsed: i64,
    /// The same; `None` if it is a property, or not wanted.
    busy: Option<i64>,
    outcome: SpanOutcome,
}

impl Ended {
    /// Emits it without creating an activity.
    fn stream_line(&self, said: &Said, shared: &Shared) {
        let span = EndedSpan {
            trace_id: self.context.trace_id.bits(),
            span_id: self.context.span_id.bits(),
            parent_id: said.parent.map_or(0, SpanId::bits),
            start: self.start.as_usec(),
            elapsed: self.elapsed,
            busy: self.busy,
            tid: said.tid,
            outcome: self.outcome,
        };
        let mut lists = Vec::new();
        if !self.around.correlators.is_empty() || !said.children.is_empty() {
            self.write_lists(said, Json::begin(&mut lists, ROOM)).end();
        }
        let metadata = said.metadata;
        shared.client.emit_line(&Line {
            op_type: OpType::Activity,
            operation: metadata.name(),
            severity: self.outcome.severity(severity(metadata.level())),
            content: Content::Span { span: &span.to_bytes(), lists: &lists },
            code: event::code(metadata).filter(|_| shared.settings.code_location),
            properties: said.properties.raw(),
        });
    }

    /// The correlators besides the trace, and the children.
    fn write_lists<'j>(&self, said: &Said, mut out: Json<'j>) -> Json<'j> {
        let trace = self.context.trace_id.correlator();
        for correlator in self.around.correlators.iter().filter(|correlator| **correlator != trace) {
            out = out.raw(b",").text(correlator);
        }
        out = out.raw(b"]");
        if !said.children.is_empty() {
            out = out.raw(br#","id-set":"#).list(said.children.iter(), |out, child| child.write_json(out));
        }
        out
    }

    fn stream_entity(self, said: &mut Said, shared: &Shared) {
        let code = event::code(said.metadata).filter(|_| shared.settings.code_location);
        let mut activity = said.take_activity(self.context);
        activity.severity = self.outcome.severity(activity.severity);
        activity.status = Some(self.outcome.status());
        // Otherwise the value of a field, or none: closing alone does not mean success.
        activity.comp_code = self.outcome.comp_code().or(activity.comp_code);
        activity.start_time = Some(self.start);
        activity.elapsed_usec = Some(self.elapsed);
        activity.complete_times();
        activity.time = activity.end_time;
        self.around.add_correlators(self.context, &mut activity.correlators);
        let entity = match shared.settings.spans {
            Spans::Events => Entity::Event(into_event(activity, op_type(&said.kind))),
            _ => Entity::Activity(activity),
        };
        shared.client.emit_from(entity, More { code, properties: Some(said.properties.raw()) });
    }
}

/// A span has its own times; fields with these names would contradict them.
fn times_as_properties(record: &mut Record) {
    let Some(activity) = record.said.as_mut().and_then(|said| said.rest.as_mut()) else { return };
    let times: [(&'static str, Option<Timestamp>); 3] = [
        ("time_usec", activity.time.take()),
        ("start_time_usec", activity.start_time.take()),
        ("end_time_usec", activity.end_time.take()),
    ];
    let elapsed = activity.elapsed_usec.take();
    for (name, time) in times {
        if let Some(time) = time {
            record.property(Property::new(name, time));
        }
    }
    if let Some(elapsed) = elapsed {
        record.property(Property::new("elapsed_time_usec", elapsed));
    }
}

fn as_usec(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// The operation type for a value of `otel.kind`.
fn op_type(kind: &str) -> OpType {
    match kind {
        "client" => OpType::Call,
        "producer" => OpType::Send,
        "consumer" | "server" => OpType::Receive,
        _ => OpType::Event,
    }
}

fn into_event(activity: Box<Activity>, op_type: OpType) -> Box<Event> {
    let activity = *activity;
    let mut event = jkool_client::facade::spare_event();
    event.op_type = op_type;
    event.operation = activity.operation;
    event.severity = activity.severity;
    event.tracking_id = activity.tracking_id;
    event.parent_id = activity.parent_id;
    event.correlators = activity.correlators;
    event.source = activity.source;
    event.source_url = activity.source_url;
    event.time = activity.time;
    event.start_time = activity.start_time;
    event.end_time = activity.end_time;
    event.elapsed_usec = activity.elapsed_usec;
    event.wait_usec = activity.wait_usec;
    event.comp_code = activity.comp_code;
    event.reason_code = activity.reason_code;
    event.exception = activity.exception;
    event.resource = activity.resource;
    event.location = activity.location;
    event.user = activity.user;
    event.pid = activity.pid;
    event.tid = activity.tid;
    event.properties = activity.properties;
    event.snapshots = activity.snapshots;
    event
}
