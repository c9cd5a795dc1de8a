//! What is kept of a span while it is open.

use crate::correlators;
use crate::event::Around;
use crate::fields;
use crate::presence::Presence;
use crate::shared::OpenSpan;
use crate::trace::TraceContext;
use jkool_client::Code;
use jkool_client::facade::{keys, now};
use jkool_client::model::{Activity, Property, Severity, Snapshot, Text, Timestamp, TypedValue, Value};
use smallvec::SmallVec;
use std::sync::Arc;
use std::time::Instant;

/// In the extensions of a span: where it is in its trace, and what each layer keeps of it.
#[derive(Debug)]
pub(crate) struct Records {
    pub(crate) context: TraceContext,
    /// No span around it is recorded.
    pub(crate) is_root: bool,
    /// What `tracestate` said, which is handed on as it came.
    pub(crate) trace_state: Option<Arc<str>>,
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

/// The span is gone, and no layer was told that it closed: a `reload` has put another in its place, or the whole subscriber is
/// gone, which takes along what it kept.
impl Drop for Records {
    fn drop(&mut self) {
        for record in self.of_layers.drain(..) {
            let shared = record.open.shared();
            shared.emit_span(record, self.context, Around::default);
        }
    }
}

/// What one layer keeps of a span.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) layer: usize,
    /// What the span says so far. Nothing in a trace that is not sampled.
    pub(crate) activity: Option<Box<Activity>>,
    /// Where in the code it stands, if that is to be told.
    pub(crate) code: Option<Code>,
    pub(crate) start: Instant,
    pub(crate) start_time: Timestamp,
    pub(crate) outcome: Outcome,
    /// The field `otel.kind`.
    pub(crate) kind: Text,
    pub(crate) presence: Arc<Presence>,
    /// How many children, correlators, properties and snapshots there was no room for.
    pub(crate) left_out: u64,
    pub(crate) open: OpenSpan,
}

/// Nobody goes into it any more.
impl Drop for Record {
    fn drop(&mut self) {
        self.presence.end(None);
    }
}

/// How a span went, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Unknown,
    Failed,
    /// The program says that it went well, whatever happened inside.
    Fine,
}

/// A span takes no more: it may be open for as long as the program runs.
const MAX_PROPERTIES: usize = 256;
const MAX_SNAPSHOTS: usize = 64;

impl Record {
    pub(crate) fn new(layer: usize, activity: Option<Box<Activity>>, context: TraceContext, open: OpenSpan) -> Self {
        Self {
            layer,
            activity,
            presence: Arc::new(Presence::new(context)),
            code: None,
            start: now::instant(),
            start_time: now::timestamp(),
            outcome: Outcome::Unknown,
            kind: Text::default(),
            left_out: 0,
            open,
        }
    }

    /// Puts a field where it belongs.
    pub(crate) fn set(&mut self, name: &'static str, value: TypedValue) {
        let Some(activity) = &mut self.activity else { return };
        match name {
            "otel.name" => activity.operation = fields::text(value),
            "otel.kind" => self.kind = fields::text(value).to_ascii_lowercase().into(),
            "otel.status_code" => self.outcome = outcome(&fields::text(value)),
            "otel.status_message" | "otel.status_description" => {
                if activity.exception.is_empty() {
                    activity.exception = fields::text(value);
                }
            }
            // Its own id is the one that other services know it by.
            "tracking_id" | "tracking-id" => self.property(Property::new(name, value)),
            _ => {
                self.failed_if(is_error(name, &value));
                self.decorate(name, value);
            }
        }
    }

    fn decorate(&mut self, name: &'static str, value: TypedValue) {
        let Some(activity) = &mut self.activity else { return };
        let value = match keys::of_activity(name) {
            Some(set) => match set(activity, value) {
                Ok(()) => return,
                Err(value) => value,
            },
            None => value,
        };
        self.property(Property::new(name, value));
    }

    /// Adds a property, or changes the one of that name.
    pub(crate) fn property(&mut self, property: Property) {
        let Some(activity) = &mut self.activity else { return };
        let properties = &mut activity.properties;
        if let Some(there) = properties.iter_mut().find(|there| there.name == property.name) {
            *there = property;
        } else if properties.len() < MAX_PROPERTIES {
            properties.push(property);
        } else {
            self.left_out += 1;
        }
    }

    pub(crate) fn correlator(&mut self, correlator: Text) {
        let Some(activity) = &mut self.activity else { return };
        self.left_out += u64::from(!correlators::add(&mut activity.correlators, correlator));
    }

    pub(crate) fn snapshot(&mut self, snapshot: Snapshot) {
        let Some(activity) = &mut self.activity else { return };
        if activity.snapshots.len() < MAX_SNAPSHOTS {
            activity.snapshots.push(snapshot);
        } else {
            self.left_out += 1;
        }
    }

    /// Lists a child, while there are less than `max`.
    pub(crate) fn child(&mut self, max: usize, id: impl FnOnce() -> Text) {
        let Some(activity) = &mut self.activity else { return };
        if activity.id_set.len() < max {
            activity.id_set.push(id());
        }
    }

    /// Notes a failure, if it is one and the program does not say that all is well.
    pub(crate) fn failed_if(&mut self, failed: bool) {
        if failed && self.outcome == Outcome::Unknown {
            self.outcome = Outcome::Failed;
        }
    }

    /// The severity of one that has failed.
    pub(crate) fn severity(&self, severity: Severity) -> Severity {
        if self.outcome == Outcome::Failed { severity.max(Severity::Error) } else { severity }
    }
}

fn outcome(status_code: &str) -> Outcome {
    match status_code.to_ascii_uppercase().as_str() {
        "ERROR" => Outcome::Failed,
        "OK" => Outcome::Fine,
        _ => Outcome::Unknown,
    }
}

/// `error = true` says it as well as an error does.
fn is_error(name: &str, value: &TypedValue) -> bool {
    matches!(name, "error" | "err" | "exception")
        && !matches!(&value.value, Value::Null | Value::Bool(false))
        && value.value.as_str() != Some("")
}
