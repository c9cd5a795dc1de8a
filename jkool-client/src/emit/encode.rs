//! From an event to its JSON, on the thread that emits it.
//!
//! To encode an event where it was made is cheaper than to hand it over: its parts are still in that core's cache, and go back
//! to where they were allocated. An event that a hook wants to see is left to the worker, and so is one whose text is long.

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

/// What is to be known of an event's JSON. Behind it stands the partition key.
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
    /// A hook is to see each event before it is encoded.
    pub(crate) hooked: bool,
}

/// A longer text is moved and not copied: the program is not to wait while a megabyte is looked through for quotes.
const LONG: usize = 16 << 10;

/// What a payload takes beside its body and its key: itself, its mark, and its place in a batch.
const PAYLOAD_OVERHEAD: usize = 160;

pub(crate) fn payload_weight(payload: &Payload) -> usize {
    weight(payload.body().len() + payload.key().map_or(0, str::len))
}

/// What a payload weighs whose JSON and key are so long.
pub(crate) fn weight(bytes: usize) -> usize {
    PAYLOAD_OVERHEAD + bytes
}

impl Encoder {
    /// For that many threads at a time.
    pub(crate) fn new(defaults: Defaults, hooked: bool, threads: usize) -> Self {
        Self { decoration: Decoration::new(&defaults), defaults, ids: Ids::new(threads), hooked }
    }

    /// Whether the worker is to encode it.
    pub(crate) fn leaves(&self, entity: &Entity) -> bool {
        let long = |texts: [usize; 2]| texts.iter().any(|len| *len > LONG);
        self.hooked
            || match entity {
                Entity::Event(event) => long([event.message.len(), event.exception.len()]),
                Entity::Activity(activity) => long([activity.exception.len(), 0]),
                _ => false,
            }
    }

    /// Whether a property of that name is added to what lacks it.
    pub(crate) fn adds_property(&self, name: &str) -> bool {
        Code::has(name) || self.decoration.has_property(name)
    }

    /// Whether a log line with that message is taken as such.
    pub(crate) fn takes_line(&self, message: &str) -> bool {
        !self.hooked && message.len() <= LONG
    }

    /// Makes the JSON of an event, in the place of what `out` holds.
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

    /// Makes the JSON of a log line, in the place of what `out` holds.
    pub(crate) fn encode_line(&self, line: &Stamped, texts: &Texts<'_>, out: &mut Vec<u8>) -> Shape {
        out.clear();
        self.append_line(line, texts, out);
        out.extend_from_slice(texts.operation.as_bytes());
        Shape { kind: line.kind(), key_len: texts.operation.len() }
    }

    /// Appends a log line's JSON, whole.
    pub(crate) fn append_line(&self, line: &Stamped, texts: &Texts<'_>, out: &mut Vec<u8>) {
        line.append_open(texts, &self.decoration, out);
        self.decoration.close(line.lacks(), out, || self.ids.next());
    }

    /// About what an event takes that is not encoded yet.
    pub(crate) fn weight_of_entity(&self, entity: &Entity) -> usize {
        PAYLOAD_OVERHEAD + entity.heap_size() + self.defaults.weight()
    }

    /// About what a log line takes as JSON.
    pub(crate) fn size_of_line(&self, line: &Stamped) -> usize {
        line.size() + self.decoration.closing(line.lacks()) + 1
    }

    /// About what it will weigh once it is a payload.
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
                    // It gets the client's.
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
                    self.decoration.append_properties(&properties, raw, code, out);
                }
                // Its room is of use to the next one.
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

/// What keeps related events together.
pub(crate) fn key(entity: &Entity) -> &str {
    match entity {
        Entity::Event(event) => &event.operation,
        Entity::Activity(activity) => &activity.operation,
        Entity::Snapshot(snapshot) => &snapshot.category,
        _ => "",
    }
}

/// What says nothing of its severity is never below another.
pub(crate) fn severity(entity: &Entity) -> Severity {
    match entity {
        Entity::Event(event) => event.severity,
        _ => Severity::None,
    }
}

/// The payload of an event that travels by itself.
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

/// One event of many megabytes does not keep so much for the rest of the thread's life.
const MAX_SCRATCH: usize = 64 << 10;

/// Runs `f` with a buffer that is there for the next event too; a thread at its end, or one that emits while it emits, gets a
/// fresh one.
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
