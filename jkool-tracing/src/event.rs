//! Converts a `tracing` event to an event.

use crate::correlators;
use crate::fields::{self, Fields};
use crate::record::Record;
use crate::severity::severity;
use crate::trace::TraceContext;
use jkool_client::facade::{keys, times};
use jkool_client::model::{Event, Property, Text, TypedValue};
use jkool_client::{Code, RawProperties};
use tracing_core::Metadata;

/// The target becomes the operation, the level the severity; fields with known keys become fields of the event, and
/// others properties. A record of the log crate that came through `tracing-log` keeps its target and its place in the
/// code.
pub(crate) fn make(event: &tracing_core::Event<'_>, code_location: bool) -> (Box<Event>, Option<Code>) {
    let metadata = event.metadata();
    let mut made = jkool_client::facade::spare_event();
    made.operation = metadata.target().into();
    made.severity = severity(metadata.level());
    if let Some(name) = own_name(metadata) {
        made.properties.push(Property::new("event", name));
    }
    let is_log = is_log(metadata);
    event.record(&mut Fields::each(|name, value| match name {
        "message" => made.message = fields::text(value),
        _ if is_log && name.starts_with("log.") => set_log(&mut made, name, value, code_location),
        _ => set(&mut made, name, value),
    }));
    times::settle(&mut made);
    let code = code(metadata).filter(|_| code_location && !is_log);
    (made, code)
}

fn set(event: &mut Event, name: &'static str, value: TypedValue) {
    let property = match keys::of_event(name) {
        Some(set) => set(event, value).err(),
        None => Some(value),
    };
    if let Some(value) = property {
        event.properties.push(Property::new(name, value));
    }
}

/// The fields in which `tracing-log` stores the metadata of a record of the log crate.
fn set_log(event: &mut Event, name: &'static str, value: TypedValue, code_location: bool) {
    let name = match name {
        "log.target" => return event.operation = fields::text(value),
        "log.module_path" => "module",
        "log.file" => "file",
        "log.line" => "line",
        _ => return set(event, name, value),
    };
    if code_location {
        event.properties.push(Property::new(name, value));
    }
}

/// Whether it is a record of the log crate.
pub(crate) fn is_log(metadata: &Metadata<'_>) -> bool {
    metadata.target() == "log" && metadata.fields().field("log.target").is_some()
}

/// The name that the program set. The default name of the macros is the place in the code.
pub(crate) fn own_name(metadata: &Metadata<'static>) -> Option<&'static str> {
    let name = metadata.name();
    (!name.starts_with("event ") && !is_log(metadata)).then_some(name)
}

/// The place in the code; metadata that is created by hand may not have it.
pub(crate) fn code(metadata: &Metadata<'static>) -> Option<Code> {
    Some(Code { module: metadata.module_path()?, file: metadata.file()?, line: metadata.line()? })
}

/// The data of the spans around an event.
#[derive(Debug, Default)]
pub(crate) struct Around {
    /// From the innermost span.
    pub(crate) context: Option<TraceContext>,
    pub(crate) correlators: Vec<Text>,
    properties: Vec<Property>,
    raw: RawProperties,
}

impl Around {
    /// Adds the data of a span, innermost first. For equal names the first one is used.
    pub(crate) fn add(&mut self, record: &Record, fields: bool) {
        for correlator in record.correlators() {
            correlators::add(&mut self.correlators, correlator.clone());
        }
        let Some(said) = record.said.as_ref().filter(|_| fields) else { return };
        for property in said.rest.iter().flat_map(|rest| &rest.properties) {
            if !is_code(&property.name) && !self.has(&property.name) {
                self.properties.push(property.clone());
            }
        }
        for property in said.properties.raw().iter() {
            if !is_code(property.name()) && !self.has(property.name()) {
                self.raw.push_raw(property);
            }
        }
    }

    fn has(&self, name: &str) -> bool {
        self.properties.iter().any(|property| property.name == name) || self.raw.has(name)
    }

    /// Adds the data to the event, whose own fields have priority. Returns the further properties.
    pub(crate) fn add_to(self, event: &mut Event) -> RawProperties {
        let mut raw = RawProperties::new();
        let Some(context) = self.context else { return raw };
        if context.sampled {
            event.parent_id.get_or_insert_with(|| context.span_id.tracking_id());
        }
        self.add_correlators(context, &mut event.correlators);
        let is_own = |event: &Event, name: &str| event.properties.iter().any(|property| property.name == name);
        self.raw.iter().filter(|property| !is_own(event, property.name())).for_each(|property| raw.push_raw(property));
        for property in self.properties {
            if !is_own(event, &property.name) {
                event.properties.push(property);
            }
        }
        raw
    }

    /// Adds the trace, and the correlators of the spans.
    pub(crate) fn add_correlators(&self, context: TraceContext, list: &mut Vec<Text>) {
        let trace = context.trace_id.correlator();
        // The trace id is added beyond the limit.
        if !list.contains(&trace) {
            list.push(trace);
        }
        for correlator in &self.correlators {
            correlators::add(list, correlator.clone());
        }
    }
}

/// The place of a span in the code is not that of the event.
fn is_code(name: &str) -> bool {
    ["target", "module", "file", "line"].contains(&name)
}
