//! The data that is kept while a span is open.

use crate::correlators;
use crate::event::Around;
use crate::fields::{self, Take};
use crate::known_names;
use crate::plain;
use crate::presence::{self, Presence};
use crate::said::Said;
use crate::shared::OpenSpan;
use crate::trace::{PassedOn, TraceContext};
use jkool_client::SpanOutcome;
use jkool_client::facade::{keys, now};
use jkool_client::model::{
    Activity, Property, Scalar, Snapshot, Text, Timestamp, TrackingId, TypedValue, Value, ValueType,
};
use smallvec::SmallVec;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing_core::Field;

/// Stored in the extensions of a span: its trace context, and the data of each layer.
#[derive(Debug)]
pub(crate) struct Records {
    pub(crate) context: TraceContext,
    /// Whether no span around it is recorded.
    pub(crate) is_root: bool,
    pub(crate) passed_on: PassedOn,
    pub(crate) of_layers: SmallVec<[Record; 1]>,
}

impl Records {
    pub(crate) fn of(&self, layer: usize) -> Option<&Record> {
        self.of_layers.iter().find(|record| record.layer == layer)
    }

    pub(crate) fn of_mut(&mut self, layer: usize) -> Option<&mut Record> {
        self.of_layers.iter_mut().find(|record| record.layer == layer)
    }

    pub(crate) fn take(&mut self, layer: usize) -> Option<Record> {
        let at = self.of_layers.iter().position(|record| record.layer == layer)?;
        Some(self.of_layers.swap_remove(at))
    }
}

/// The span was dropped, and no layer learned that it closed: a `reload` has replaced the layer, or the subscriber was
/// dropped with its data.
impl Drop for Records {
    fn drop(&mut self) {
        for record in self.of_layers.drain(..) {
            let shared = record.open.shared();
            shared.emit_span(record, self.context, Around::default);
        }
    }
}

/// The data of one layer for a span.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) layer: usize,
    /// `None` in a trace that is not sampled.
    pub(crate) said: Option<Box<Said>>,
    pub(crate) start: Instant,
    pub(crate) start_time: Timestamp,
    pub(crate) outcome: SpanOutcome,
    pub(crate) presence: Arc<Presence>,
    has_ended: bool,
    /// The number of children, correlators, properties and snapshots beyond the limits.
    pub(crate) left_out: u64,
    pub(crate) open: OpenSpan,
}

/// The span ends.
impl Drop for Record {
    fn drop(&mut self) {
        if !self.has_ended {
            self.end();
        }
    }
}

/// The maximum number in a span, which may be open as long as the program runs.
const MAX_SNAPSHOTS: usize = 64;

impl Record {
    pub(crate) fn new(layer: usize, said: Option<Box<Said>>, presence: Arc<Presence>, open: OpenSpan) -> Self {
        Self {
            layer,
            said,
            presence,
            has_ended: false,
            start: now::instant(),
            start_time: now::timestamp(),
            outcome: SpanOutcome::Unknown,
            left_out: 0,
            open,
        }
    }

    /// The span ends. Returns how long threads were in it.
    pub(crate) fn end(&mut self) -> Duration {
        self.has_ended = true;
        self.presence.end(presence::now)
    }

    fn rest(&mut self) -> Option<&mut Activity> {
        self.said.as_mut().map(|said| said.rest())
    }

    /// Whether a field is a property for every value.
    fn is_property(&self, name: &'static str) -> bool {
        known_names::is(self.layer, name, || plain::is_property(self.open.client(), name))
    }

    /// Stores a field.
    fn set(&mut self, name: &'static str, value: TypedValue) {
        match name {
            "otel.name" => self.name(fields::text(value)),
            "otel.kind" => self.kind(fields::text(value).to_ascii_lowercase().into()),
            "otel.status_code" => self.outcome = outcome(&fields::text(value)),
            "otel.status_message" | "otel.status_description" => self.exception(fields::text(value)),
            // The span keeps the id by which other services know it.
            "tracking_id" | "tracking-id" => self.property(Property::new(name, value)),
            _ => {
                self.failed_if(is_error(name, &value));
                self.decorate(name, value);
            }
        }
    }

    fn name(&mut self, name: Text) {
        if let Some(rest) = self.rest() {
            rest.operation = name;
        }
    }

    fn kind(&mut self, kind: Text) {
        if let Some(said) = &mut self.said {
            said.kind = kind;
        }
    }

    /// Sets it unless it is set already.
    pub(crate) fn exception(&mut self, exception: Text) {
        if let Some(rest) = self.rest().filter(|rest| rest.exception.is_empty()) {
            rest.exception = exception;
        }
    }

    fn decorate(&mut self, name: &'static str, value: TypedValue) {
        let left = match keys::of_activity(name) {
            Some(set) => self.rest().and_then(|rest| set(rest, value).err()),
            None => Some(value),
        };
        if let Some(value) = left {
            self.property(Property::new(name, value));
        }
    }

    /// Adds a property, or replaces the one with this name.
    pub(crate) fn property(&mut self, property: Property) {
        let by_client = self.open.client().adds_property(&property.name);
        let Some(said) = &mut self.said else { return };
        if !by_client {
            let room = said.properties.set_property(&property);
            self.left_out += u64::from(!room);
            return;
        }
        // A later call with the same name searches this list.
        let properties = &mut said.rest().properties;
        match properties.iter_mut().find(|there| there.name == property.name) {
            Some(there) => *there = property,
            None => properties.push(property),
        }
    }

    /// The same with a duration in microseconds.
    pub(crate) fn usec(&mut self, name: &'static str, usec: i64) {
        if !self.is_property(name) {
            return self.property(Property::new(name, usec).value_type(ValueType::AgeUsec));
        }
        if let Some(said) = &mut self.said {
            let room = said.properties.set_usec(name, usec);
            self.left_out += u64::from(!room);
        }
    }

    /// The correlators of the span.
    pub(crate) fn correlators(&self) -> &[Text] {
        self.said.as_ref().and_then(|said| said.rest.as_ref()).map_or(&[], |rest| &rest.correlators)
    }

    pub(crate) fn correlator(&mut self, correlator: Text) {
        let Some(rest) = self.rest() else { return };
        let room = correlators::add(&mut rest.correlators, correlator);
        self.left_out += u64::from(!room);
    }

    pub(crate) fn snapshot(&mut self, snapshot: Snapshot) {
        let Some(rest) = self.rest() else { return };
        if rest.snapshots.len() < MAX_SNAPSHOTS {
            rest.snapshots.push(snapshot);
        } else {
            self.left_out += 1;
        }
    }

    /// Adds a child, if there are fewer than `max`.
    pub(crate) fn child(&mut self, max: usize, id: impl FnOnce() -> TrackingId) {
        if let Some(said) = self.said.as_mut().filter(|said| said.children.len() < max) {
            said.children.push(id());
        }
    }

    /// Records a failure, unless the program reported success.
    pub(crate) fn failed_if(&mut self, failed: bool) {
        if failed && self.outcome == SpanOutcome::Unknown {
            self.outcome = SpanOutcome::Failed;
        }
    }
}

impl Take for Record {
    fn scalar(&mut self, field: &Field, value: Scalar<'_>) {
        let name = fields::name(field);
        if !self.is_property(name) {
            return self.set(name, value.into());
        }
        if let Some(said) = &mut self.said {
            let room = said.properties.set(name, value);
            self.left_out += u64::from(!room);
        }
    }

    fn typed(&mut self, name: &'static str, value: TypedValue) {
        if self.said.is_some() {
            self.set(name, value);
        }
    }
}

fn outcome(status_code: &str) -> SpanOutcome {
    match status_code.to_ascii_uppercase().as_str() {
        "ERROR" => SpanOutcome::Failed,
        "OK" => SpanOutcome::Fine,
        _ => SpanOutcome::Unknown,
    }
}

/// `error = true` counts as an error.
fn is_error(name: &str, value: &TypedValue) -> bool {
    matches!(name, "error" | "err" | "exception")
        && !matches!(&value.value, Value::Null | Value::Bool(false))
        && value.value.as_str() != Some("")
}
