//! Emits an event outside of any span without creating an event of the model.

use crate::event;
use crate::fields::{self, Fields, Take};
use crate::known_names;
use crate::severity::severity;
use jkool_client::facade::{keys, message};
use jkool_client::model::{OpType, Property, Scalar, Text, TypedValue};
use jkool_client::{Client, Content, Line, RawProperties};
use std::cell::Cell;
use tracing_core::{Event, Field};

thread_local! {
    /// A buffer for properties that is reused.
    static SPARE: Cell<RawProperties> = const { Cell::new(RawProperties::new()) };
}

/// A buffer that grew for values of many kilobytes is not kept.
const MAX_SPARE: usize = 4 << 10;

const MESSAGE: &str = "message";

/// Emits the event if possible: if no field sets a field of the event, and the message is not so long that it may have to be
/// truncated. Otherwise returns false, and nothing was emitted.
pub(crate) fn emit(layer: usize, client: &Client, event: &Event<'_>, code_location: bool) -> bool {
    let metadata = event.metadata();
    let plain = |name: &str| name == MESSAGE || (keys::of_event(name).is_none() && !client.adds_property(name));
    let all_plain = || !event::is_log(metadata) && metadata.fields().iter().all(|field| plain(fields::name(&field)));
    // With a hook, messages must be emitted as events.
    if !known_names::all(layer, metadata, all_plain) || !client.takes_line("") {
        return false;
    }
    let mut properties = SPARE.try_with(Cell::take).unwrap_or_default();
    properties.clear();
    if let Some(name) = event::own_name(metadata) {
        properties.push("event", Scalar::Text(name));
    }
    let mut visited = Fields(Append { properties: &mut properties, message: Text::default() });
    event.record(&mut visited);
    let message = visited.0.message;
    let taken = client.takes_line(&message);
    if taken {
        client.emit_line(&Line {
            op_type: OpType::Event,
            operation: metadata.target(),
            severity: severity(metadata.level()),
            content: Content::Message(&message),
            code: event::code(metadata).filter(|_| code_location),
            properties: &properties,
        });
    }
    message::reuse(message);
    if properties.capacity() <= MAX_SPARE {
        SPARE.try_with(|spare| spare.set(properties)).unwrap_or_default();
    }
    taken
}

/// Appends each field except the message as a property.
struct Append<'a> {
    properties: &'a mut RawProperties,
    message: Text,
}

impl Take for Append<'_> {
    fn scalar(&mut self, field: &Field, value: Scalar<'_>) {
        match fields::name(field) {
            MESSAGE => self.message = fields::text(value.into()),
            name => self.properties.push(name, value),
        }
    }

    fn typed(&mut self, name: &'static str, value: TypedValue) {
        match name {
            MESSAGE => self.message = fields::text(value),
            name => self.properties.push_property(&Property::new(name, value)),
        }
    }
}
