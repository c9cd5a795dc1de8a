//! The data that is kept while a span is open.

use crate::activity;
use crate::correlators;
use crate::event::Around;
use crate::fields::{self, Take};
use crate::known_names;
use crate::presence::{self, Presence};
use crate::properties::{OF_TIMES, Properties};
use crate::shared::OpenSpan;
use crate::trace::{PassedOn, SpanId, TraceContext};

use jkool_client::facade::{keys, now};
use jkool_client::model::{
    Activity, Property, Scalar, Snapshot, Text, Timestamp, TrackingId, TypedValue, Value, ValueType,
};
use jkool_client::{Client, SpanOutcome};
use smallvec::SmallVec;
use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing_core::{Field, Metadata};

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

/// The recorded data of a span.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) metadata: &'static Metadata<'static>,
    pub(crate) parent: Option<SpanId>,
    /// The thread that opened it. It may close on another one.
    pub(crate) tid: i64,
    /// The field `otel.kind`.
    pub(crate) kind: Text,
    pub(crate) properties: Properties,
    pub(crate) children: Vec<TrackingId>,
    /// Further fields, which most spans do not have.
    pub(crate) rest: Option<Box<Activity>>,
}

/// The span ends.
impl Drop for Record {
    fn drop(&mut self) {
        if !self.has_ended {
            self.end();
        }
    }
}

/// The property with the span's target.
const TARGET: &str = "target";

/// The maximum number in a span, which may be open as long as the program runs.
const MAX_SNAPSHOTS: usize = 64;

thread_local! {
    /// Buffers of spans that have ended, for reuse: one for each level of nesting.
    #[expect(clippy::vec_box, reason = "the box itself is reused")]
    static SPARE: RefCell<Vec<Box<Said>>> = const { RefCell::new(Vec::new()) };
}

const MAX_SPARE: usize = 8;

/// A list with room for more children is not kept.
const MAX_SPARE_CHILDREN: usize = 64;

impl Said {
    /// Starts with the state of a new span, without its fields.
    pub(crate) fn begin(metadata: &'static Metadata<'static>, parent: Option<SpanId>) -> Box<Self> {
        let spare = SPARE.try_with(|spare| spare.try_borrow_mut().ok()?.pop()).ok().flatten();
        let mut said = spare.unwrap_or_else(|| Box::new(Self::new(metadata)));
        said.metadata = metadata;
        said.parent = parent;
        said.tid = now::tid();
        said.properties.clear();
        said.properties.push(TARGET, Scalar::Text(metadata.target()));
        said
    }

    fn new(metadata: &'static Metadata<'static>) -> Self {
        let (kind, properties) = (Text::default(), Properties::default());
        Self { metadata, parent: None, tid: 0, kind, properties, children: Vec::new(), rest: None }
    }

    /// Keeps the buffers for reuse.
    pub(crate) fn reuse(mut self: Box<Self>) {
        if !self.properties.is_small() || self.children.capacity() > MAX_SPARE_CHILDREN {
            return;
        }
        self.kind = Text::default();
        self.children.clear();
        self.rest = None;
        let keep = |spare: &RefCell<Vec<Box<Self>>>| {
            if let Some(mut spare) = spare.try_borrow_mut().ok().filter(|spare| spare.len() < MAX_SPARE) {
                spare.push(self);
            }
        };
        SPARE.try_with(keep).unwrap_or_default();
    }

    pub(crate) fn set_parent(&mut self, id: SpanId) {
        if let Some(rest) = &mut self.rest {
            rest.parent_id = Some(id.tracking_id());
        }
        self.parent = Some(id);
    }

    /// The data besides properties and children.
    pub(crate) fn rest(&mut self) -> &mut Activity {
        let Self { metadata, parent, tid, .. } = self;
        self.rest.get_or_insert_with(|| activity::begin(metadata, parent.map(SpanId::tracking_id), *tid))
    }

    /// Takes the data out as an activity without its properties.
    pub(crate) fn take_activity(&mut self, context: TraceContext) -> Box<Activity> {
        self.rest();
        let mut activity = self.rest.take().unwrap_or_default();
        activity.tracking_id = Some(context.span_id.tracking_id());
        activity.id_set.extend(self.children.iter().map(|child| Text::from(child.to_string())));
        activity
    }
}

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
        known_names::is(self.layer, name, || is_property(self.open.client(), name))
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

/// A new span of which all fields [are plain](are_plain): a value is appended without looking for one with the same name.
pub(crate) struct Plain {
    pub(crate) record: Record,
    /// The index after that of the last field; a field that comes again replaces its value. After a value of another type
    /// all fields do.
    pub(crate) next: usize,
}

impl Take for Plain {
    fn scalar(&mut self, field: &Field, value: Scalar<'_>) {
        let index = field.index();
        match &mut self.record.said {
            Some(said) if index >= self.next => said.properties.push(fields::name(field), value),
            _ => self.record.scalar(field, value),
        }
        self.next = self.next.max(index.saturating_add(1));
    }

    fn typed(&mut self, name: &'static str, value: TypedValue) {
        self.record.typed(name, value);
        self.next = usize::MAX;
    }
}

/// More fields are not plain.
const MAX_PLAIN: usize = 64;

/// Whether all fields of a span are properties for every value, with names that differ from each other, and from those
/// that a span adds.
pub(crate) fn are_plain(layer: usize, client: &Client, metadata: &'static Metadata<'static>) -> bool {
    known_names::all(layer, metadata, || {
        let names: Vec<_> = metadata.fields().iter().map(|field| fields::name(&field)).collect();
        let is_own = |name: &str| name == TARGET || OF_TIMES.contains(&name);
        let is_plain = |(at, name): (usize, &&'static str)| {
            is_property(client, name) && !is_own(name) && !names[..at].contains(name)
        };
        names.len() <= MAX_PLAIN && names.iter().enumerate().all(is_plain)
    })
}

fn is_property(client: &Client, name: &str) -> bool {
    !name.starts_with("otel.") && keys::of_activity(name).is_none() && !client.adds_property(name)
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
