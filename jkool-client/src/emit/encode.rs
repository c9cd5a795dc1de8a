//! Encodes an event as JSON, on the thread that emits it.
//!
//! Encoding an event where it was created is cheaper than passing it on: its parts are still in the cache of that core,
//! and are freed where they were allocated. The worker encodes events with a long text, and all events if there is a
//! hook.

use crate::emit::clock;
use crate::emit::code::Code;
use crate::emit::decoration::{Decoration, Lacks};
use crate::emit::defaults::Defaults;
use crate::emit::ids::Ids;
use crate::emit::line::{Stamped, Texts};
use crate::emit::more::More;
use crate::emit::raw_properties::RawProperties;
use crate::emit::spare_entity;
use jkool_model::{Activity, Entity, Event, InvalidEntity, OpType, Severity};
use jkool_transport::{Kind, Payload};
use std::cell::Cell;

/// The properties of an event's JSON. The partition key follows the JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    pub(crate) key_len: usize,
}

#[derive(Debug)]
pub(crate) struct Encoder {
    pub(crate) defaults: Defaults,
    pub(crate) decoration: Decoration,
    pub(crate) ids: Ids,
    /// A hook must see each event before it is encoded.
    pub(crate) hooked: bool,
}

/// A longer text is moved instead of copied, so that the program does not wait while a megabyte is searched for quotes.
const LONG: usize = 16 << 10;

/// The memory of a payload besides its body and its key.
const PAYLOAD_OVERHEAD: usize = 160;

pub(crate) fn payload_weight(payload: &Payload) -> usize {
    weight(payload.body().len() + payload.key().map_or(0, str::len))
}

/// The memory of a payload whose JSON and key have these lengths.
pub(crate) fn weight(bytes: usize) -> usize {
    PAYLOAD_OVERHEAD + bytes
}

impl Encoder {
    /// For this number of concurrent threads.
    pub(crate) fn new(defaults: Defaults, hooked: bool, threads: usize) -> Self {
        Self { decoration: Decoration::new(&defaults), defaults, ids: Ids::new(threads), hooked }
    }

    /// Whether the worker must encode it.
    pub(crate) fn leaves(&self, entity: &Entity) -> bool {
        let long = |texts: [usize; 2]| texts.iter().any(|len| *len > LONG);
        self.hooked
            || match entity {
                Entity::Event(event) => long([event.message.len(), event.exception.len()]),
                Entity::Activity(activity) => long([activity.exception.len(), 0]),
                _ => false,
            }
    }

    /// Whether a property with this name is added to events that lack it.
    pub(crate) fn adds_property(&self, name: &str) -> bool {
        Code::has(name) || self.decoration.has_property(name)
    }

    /// Whether a log line with this message can be queued as a line.
    pub(crate) fn takes_line(&self, message: &str) -> bool {
        !self.hooked && message.len() <= LONG
    }

    /// Encodes an event to `out`, whose content is replaced.
    pub(crate) fn encode(&self, mut entity: Entity, more: More<'_>, out: &mut Vec<u8>) -> Result<Shape, InvalidEntity> {
        out.clear();
        let lacks = match &mut entity {
            Entity::Event(event) => self.encode_event(event, more, out)?,
            Entity::Activity(activity) => self.encode_activity(activity, more, out)?,
            other => {
                self.defaults.apply(other, &self.ids, clock::timestamp);
                other.validate()?;
                other.append_json(out);
                out.pop();
                Lacks::NOTHING
            }
        };
        self.decoration.close(lacks, out, || self.ids.next());
        let key = key(&entity);
        out.extend_from_slice(key.as_bytes());
        let shape = Shape { kind: kind(&entity), key_len: key.len() };
        spare_entity::put(entity);
        Ok(shape)
    }

    /// Encodes a log line to `out`, whose content is replaced.
    pub(crate) fn encode_line(&self, line: &Stamped, texts: &Texts<'_>, out: &mut Vec<u8>) -> Shape {
        out.clear();
        self.append_line(line, texts, out);
        out.extend_from_slice(texts.operation.as_bytes());
        Shape { kind: line.kind(), key_len: texts.operation.len() }
    }

    /// Appends the complete JSON of a log line.
    pub(crate) fn append_line(&self, line: &Stamped, texts: &Texts<'_>, out: &mut Vec<u8>) {
        line.append_open(texts, &self.decoration, out);
        self.decoration.close(line.lacks(), out, || self.ids.next());
    }

    /// The approximate memory of an event that is not encoded.
    pub(crate) fn weight_of_entity(&self, entity: &Entity) -> usize {
        PAYLOAD_OVERHEAD + entity.heap_size() + self.defaults.weight()
    }

    /// The approximate size of a log line as JSON.
    pub(crate) fn size_of_line(&self, line: &Stamped) -> usize {
        line.size() + self.decoration.closing(line.lacks()) + 1
    }

    /// The approximate memory of the event as a payload.
    pub(crate) fn weight_of_line(&self, line: &Stamped, operation: &str) -> usize {
        PAYLOAD_OVERHEAD + operation.len() + self.size_of_line(line)
    }
}

macro_rules! encode_open {
    ($($name:ident, $complete:ident, $lacks:ident: $ty:ty;)+) => {
        impl Encoder {
            $(/// Makes its JSON but for what it lacks.
            fn $name(&self, it: &mut $ty, more: More<'_>, out: &mut Vec<u8>) -> Result<Lacks, InvalidEntity> {
                self.defaults.$complete(it, &self.ids);
                match it.validate() {
                    // It gets the client's source.
                    Err(InvalidEntity::Missing { field: "source-fqn" }) => {}
                    checked => checked?,
                }
                let mut lacks = Lacks::$lacks(it);
                let properties = std::mem::take(&mut it.properties);
                it.append_json(out);
                out.pop();
                let (code, raw) = (more.code, more.properties.map_or(&[][..], RawProperties::bytes));
                if code.is_some() || !raw.is_empty() || !properties.is_empty() {
                    lacks = lacks.but(Lacks::PROPERTIES);
                    self.decoration.append_properties(&properties, raw, None, code, out);
                }
                // The memory is reused for the next event.
                it.properties = properties;
                Ok(lacks)
            })+
        }
    };
}

encode_open! {
    encode_event, complete_event, of_event: Event;
    encode_activity, complete_activity, of_activity: Activity;
}

pub(crate) fn kind(entity: &Entity) -> Kind {
    match entity.op_type() {
        OpType::Activity => Kind::Activity,
        OpType::Snapshot if matches!(entity, Entity::Snapshot(_)) => Kind::Snapshot,
        OpType::Dataset if matches!(entity, Entity::Snapshot(_)) => Kind::Dataset,
        OpType::Log => Kind::Log,
        _ => Kind::Event,
    }
}

/// The partition key, which keeps related events in one partition.
pub(crate) fn key(entity: &Entity) -> &str {
    match entity {
        Entity::Event(event) => &event.operation,
        Entity::Activity(activity) => &activity.operation,
        Entity::Snapshot(snapshot) => &snapshot.category,
        _ => "",
    }
}

/// An entity without a severity is never below a limit.
pub(crate) fn severity(entity: &Entity) -> Severity {
    match entity {
        Entity::Event(event) => event.severity,
        _ => Severity::None,
    }
}

/// The payload of an event that is sent alone.
pub(crate) fn payload(entity: &Entity) -> Payload {
    let mut json = Vec::new();
    entity.append_json(&mut json);
    let payload = Payload::new(kind(entity), json);
    match key(entity) {
        "" => payload,
        key => payload.with_key(key),
    }
}

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A buffer that grew for an event of many megabytes is not kept.
const MAX_SCRATCH: usize = 64 << 10;

/// Runs `f` with a buffer that is reused for the next event. A thread that is ending, or that emits while it emits,
/// gets a new one.
pub(crate) fn with_scratch<R>(f: impl FnOnce(&mut Vec<u8>) -> R) -> R {
    let mut buffer = SCRATCH.try_with(Cell::take).unwrap_or_default();
    let result = f(&mut buffer);
    if buffer.capacity() <= MAX_SCRATCH {
        SCRATCH.try_with(|scratch| scratch.set(buffer)).unwrap_or_default();
    }
    result
}

#[cfg(test)]
mod tests;
