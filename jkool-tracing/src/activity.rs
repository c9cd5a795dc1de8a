//! From a span to an activity, or to an event with an elapsed time.

use crate::event::{self, Around};
use crate::presence;
use crate::record::{Outcome, Record};
use crate::settings::{Settings, Spans};
use crate::trace::TraceContext;
use jkool_client::Code;
use jkool_client::facade::now;
use jkool_client::model::{
    Activity, ActivityStatus, CompCode, Entity, Event, OpType, Property, Timestamp, TrackingId, TypedValue, ValueType,
};
use std::time::Duration;
use tracing_core::Metadata;

/// How many properties a span has beside its fields: its target, busy and idle.
const ADDED: usize = 3;

/// What is known when a span opens, but for its fields.
pub(crate) fn begin(metadata: &Metadata<'static>, context: TraceContext, parent: Option<TrackingId>) -> Box<Activity> {
    let mut activity = jkool_client::facade::spare_activity();
    activity.operation = metadata.name().into();
    activity.severity = event::severity(metadata.level());
    activity.tracking_id = Some(context.span_id.tracking_id());
    activity.parent_id = parent;
    // It may close on another.
    activity.tid = Some(now::tid());
    // With room for its fields, and for what is added here and at the end.
    activity.properties.reserve(metadata.fields().len() + ADDED);
    activity.properties.push(Property::new("target", metadata.target()));
    activity
}

/// A span that has closed.
pub(crate) struct Ended {
    activity: Box<Activity>,
    op_type: OpType,
    pub(crate) code: Option<Code>,
}

/// What it was from its start to now. `None` when it is not to be streamed.
pub(crate) fn end(mut record: Record, settings: &Settings) -> Option<Ended> {
    let now = now::instant();
    let elapsed = now.saturating_duration_since(record.start);
    let busy = record.presence.end(settings.busy_and_idle.then(presence::now)).min(elapsed);
    if std::thread::panicking() {
        fail_by_panic(&mut record);
    }
    if elapsed < settings.min_duration && record.outcome != Outcome::Failed {
        return None;
    }
    times_as_properties(&mut record);
    if settings.busy_and_idle {
        record.property(usec("busy", busy));
        record.property(usec("idle", elapsed.saturating_sub(busy)));
    }
    if !record.kind.is_empty() {
        record.property(Property::new("otel.kind", record.kind.clone()));
    }
    let (outcome, left_out) = (record.outcome, record.left_out);
    let mut activity = record.activity.take()?;
    activity.severity = record.severity(activity.severity);
    if left_out > 0 {
        activity.properties.push(Property::new("left_out", left_out));
    }
    activity.status = Some(if outcome == Outcome::Failed { ActivityStatus::Exception } else { ActivityStatus::End });
    match outcome {
        Outcome::Failed => activity.comp_code = Some(CompCode::Error),
        Outcome::Fine => activity.comp_code = Some(CompCode::Success),
        // What a field says, or nothing: that it closed does not tell that it did what it should.
        Outcome::Unknown => {}
    }
    activity.start_time = Some(record.start_time);
    activity.elapsed_usec = Some(as_usec(elapsed));
    activity.complete_times();
    activity.time = activity.end_time;
    Some(Ended { activity, op_type: op_type(&record.kind), code: record.code })
}

/// A span that closes while a panic unwinds was left by it.
fn fail_by_panic(record: &mut Record) {
    record.failed_if(true);
    if let Some(activity) = record.activity.as_mut().filter(|activity| activity.exception.is_empty()) {
        activity.exception = "panicked".into();
    }
}

/// A span has its own times. Fields that are called as those would contradict them.
fn times_as_properties(record: &mut Record) {
    let Some(activity) = &mut record.activity else { return };
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

fn usec(name: &'static str, duration: Duration) -> Property {
    Property::new(name, TypedValue::from(as_usec(duration))).value_type(ValueType::AgeUsec)
}

fn as_usec(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// What an event of that `otel.kind` does.
fn op_type(kind: &str) -> OpType {
    match kind {
        "client" => OpType::Call,
        "producer" => OpType::Send,
        "consumer" | "server" => OpType::Receive,
        _ => OpType::Event,
    }
}

impl Ended {
    /// With what the spans around it say.
    pub(crate) fn into_entity(mut self, context: TraceContext, around: Around, spans: Spans) -> Entity {
        around.add_correlators(context, &mut self.activity.correlators);
        match spans {
            Spans::Events => Entity::Event(self.into_event()),
            _ => Entity::Activity(self.activity),
        }
    }

    fn into_event(self) -> Box<Event> {
        let activity = *self.activity;
        let mut event = jkool_client::facade::spare_event();
        event.op_type = self.op_type;
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
}
