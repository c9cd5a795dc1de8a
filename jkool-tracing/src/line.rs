//! An event in no span, as JSON without an event of the model made of it.

use crate::event;
use crate::fields::{self, Fields};
use jkool_client::facade::{keys, message};
use jkool_client::model::json::Json;
use jkool_client::model::{OpType, Property, Scalar, Text, TypedValue, write_property};
use jkool_client::{Client, Line};
use std::cell::Cell;
use std::error::Error;
use std::fmt;
use tracing_core::field::Visit;
use tracing_core::{Event, Field};

thread_local! {
    /// Room for the next properties, since these are gone by then.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Some values of many kilobytes do not keep so much for the rest of the thread's life.
const MAX_SPARE: usize = 4 << 10;

const MESSAGE: &str = "message";

/// What a short property takes at most.
const ROOM: usize = 128;

/// Emits it, if it can be done so: no field decorates, and the message is not so long that it may have to be cut. False otherwise;
/// nothing has been emitted then.
pub(crate) fn emit(client: &Client, event: &Event<'_>, code_location: bool) -> bool {
    let metadata = event.metadata();
    let plain = |name: &str| name == MESSAGE || (keys::of_event(name).is_none() && !client.adds_property(name));
    let is_plain = !event::is_log(metadata) && metadata.fields().iter().all(|field| plain(fields::name(&field)));
    // With a hook that wants to see events, no message is taken.
    if !is_plain || !client.takes_line("") {
        return false;
    }
    let mut properties = SPARE.try_with(Cell::take).unwrap_or_default();
    properties.clear();
    let mut append = Append { properties: &mut properties, message: Text::default() };
    if let Some(name) = event::own_name(metadata) {
        append.scalar("event", Scalar::Text(name));
    }
    event.record(&mut append);
    let message = append.message;
    let taken = client.takes_line(&message);
    if taken {
        client.emit_line(&Line {
            op_type: OpType::Event,
            operation: metadata.target(),
            severity: event::severity(metadata.level()),
            message: &message,
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

/// Appends each field as a property behind a comma, but for the message.
struct Append<'a> {
    properties: &'a mut Vec<u8>,
    message: Text,
}

impl Append<'_> {
    fn scalar(&mut self, name: &str, value: Scalar<'_>) {
        write_property(Json::begin(self.properties, ROOM).raw(b","), name, value).end();
    }

    /// The usual types, without a value of the model made of them.
    fn give(&mut self, field: &Field, value: Scalar<'_>, typed: impl FnOnce() -> TypedValue) {
        match fields::name(field) {
            MESSAGE => self.message = fields::text(typed()),
            name => self.scalar(name, value),
        }
    }

    fn others(&mut self) -> Fields<impl FnMut(&'static str, TypedValue)> {
        Fields(|name, value| match name {
            MESSAGE => self.message = fields::text(value),
            name => Property::new(name, value).write_json(Json::begin(self.properties, ROOM).raw(b",")).end(),
        })
    }
}

impl Visit for Append<'_> {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.give(field, Scalar::Bool(value), || value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.give(field, Scalar::Long(value), || value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match i64::try_from(value) {
            Ok(value) => self.record_i64(field, value),
            Err(_) => self.others().record_u64(field, value),
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.give(field, Scalar::Double(value), || value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.give(field, Scalar::Text(value), || value.to_owned().into());
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.others().record_i128(field, value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.others().record_u128(field, value);
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.others().record_bytes(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.others().record_error(field, value);
    }

    #[cfg(all(tracing_unstable, feature = "valuable"))]
    fn record_value(&mut self, field: &Field, value: valuable::Value<'_>) {
        self.others().record_value(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.others().record_debug(field, value);
    }
}
