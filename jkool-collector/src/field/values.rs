//! The values of an entity's fields, for the index and for filters.

use super::{PROPERTIES, write_snapshot};
use crate::filter::{Kind, operation_of, severity_of};
use jkool_model::{Entity, Property, Snapshot, Value};
use std::borrow::Cow;

/// A value of a field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FieldValue<'a> {
    Text(Cow<'a, str>),
    Number(f64),
}

/// Longer texts are compared and grouped by the result of [`cut`].
const LONGEST: usize = 512;

/// The largest integer up to which floats are exact.
const EXACT: i64 = 1 << 53;

/// Calls back with each value of `entity` and the name of its field. A field may have several values.
pub(crate) fn each_value<'a>(entity: &'a Entity, tell: &mut dyn FnMut(&str, FieldValue<'a>)) {
    let mut visit = Visit { tell };
    visit.text("kind", Kind::of(entity).as_str());
    visit.text("severity", severity_of(entity).as_str());
    visit.text("operation", operation_of(entity).unwrap_or_default());
    if let Some(source) = entity.source() {
        for (source_type, name) in source.elements() {
            visit.text(source_type.as_str(), name);
        }
        visit.text("source-fqn", source.as_str());
    }
    for correlator in entity.correlators() {
        visit.text("corrid", correlator);
    }
    for (name, id) in [("tracking-id", entity.tracking_id()), ("parent-id", entity.parent_id())] {
        if let Some(id) = id {
            visit.owned(name, id.to_string());
        }
    }
    visit.text("type", entity.op_type().as_str());
    macro_rules! trackable {
        ($of:ident) => {
            for (name, text) in [
                ("user", &$of.user),
                ("location", &$of.location),
                ("resource", &$of.resource),
                ("exception", &$of.exception),
                ("source-ssn", &$of.source_short_name),
                ("source-url", &$of.source_url),
                ("_guid", &$of.guid),
                ("tracking-sign", &$of.tracking_sign),
            ] {
                visit.text(name, text);
            }
            for (name, number) in [
                ("elapsed-time-usec", $of.elapsed_usec),
                ("wait-time-usec", $of.wait_usec),
                ("reason-code", $of.reason_code),
                ("pid", $of.pid),
                ("tid", $of.tid),
                ("ttl-sec", $of.ttl_sec),
                ("start-time-usec", $of.start_time.map(|time| time.as_usec())),
                ("end-time-usec", $of.end_time.map(|time| time.as_usec())),
            ] {
                visit.int(name, number);
            }
            if let Some(code) = $of.comp_code {
                visit.text("comp-code", code.as_str());
            }
            visit.properties(&$of.properties);
            $of.snapshots.iter().for_each(|snapshot| visit.snapshot(snapshot));
        };
    }
    match entity {
        Entity::Event(event) => {
            trackable!(event);
            for (name, text) in [
                ("mime-type", &event.mime_type),
                ("encoding", &event.encoding),
                ("charset", &event.charset),
                ("relate-type", &event.relation_type),
                ("relate-afqn", &event.relation_a),
                ("relate-bfqn", &event.relation_b),
            ] {
                visit.text(name, text);
            }
            event.tags.iter().for_each(|tag| visit.text("msg-tag", tag));
            visit.int("msg-size", event.message_size);
            visit.int("msg-age", event.message_age_usec);
            if let Some(log_type) = event.log_type {
                visit.text("log-type", log_type.as_str());
            }
        }
        Entity::Activity(activity) => {
            trackable!(activity);
            if let Some(status) = activity.status {
                visit.text("status", status.as_str());
            }
        }
        Entity::Snapshot(snapshot) => {
            visit.text("name", &snapshot.name);
            visit.text("category", &snapshot.category);
            visit.text("source-url", &snapshot.source_url);
            visit.int("ttl-sec", snapshot.ttl_sec);
            visit.snapshot(snapshot);
        }
        // The model's enum is non-exhaustive.
        _ => {}
    }
}

/// The values of one field.
pub(crate) fn values_of<'a>(entity: &'a Entity, field: &str) -> Vec<FieldValue<'a>> {
    let mut values = Vec::new();
    each_value(entity, &mut |name, value| {
        if name == field {
            values.push(value);
        }
    });
    values
}

/// A text as it is indexed: unchanged, or its beginning with a hash of the whole text, so that different texts stay
/// different.
pub(crate) fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST {
        return text.into();
    }
    let end = (0..=LONGEST - 20).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    format!("{}…{:016x}", text.get(..end).unwrap_or_default(), hash(text)).into()
}

/// Whether a text is the result of [`cut`] for a longer one.
pub(crate) fn is_cut(text: &str) -> bool {
    let hash = text.len().saturating_sub(16);
    hash > LONGEST - 32 && text.get(..hash).is_some_and(|text| text.ends_with('…'))
}

/// FNV-1a: the same in every version.
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

struct Visit<'v, 'a> {
    tell: &'v mut dyn FnMut(&str, FieldValue<'a>),
}

impl<'a> Visit<'_, 'a> {
    /// Empty texts are left out.
    fn text(&mut self, name: &str, text: &'a str) {
        if !text.is_empty() {
            (self.tell)(name, FieldValue::Text(cut(text)));
        }
    }

    fn owned(&mut self, name: &str, text: String) {
        if !text.is_empty() {
            let text = if text.len() <= LONGEST { text } else { cut(&text).into_owned() };
            (self.tell)(name, FieldValue::Text(text.into()));
        }
    }

    fn int(&mut self, name: &str, number: Option<i64>) {
        if let Some(number) = number {
            (self.tell)(name, FieldValue::Number(number as f64));
        }
    }

    fn properties(&mut self, properties: &'a [Property]) {
        let mut key = String::new();
        for property in properties {
            key.clear();
            key.push_str(PROPERTIES);
            key.push_str(&property.name);
            self.value(&key, &property.value);
        }
    }

    fn snapshot(&mut self, snapshot: &'a Snapshot) {
        let mut key = String::new();
        for property in &snapshot.properties {
            key.clear();
            write_snapshot(&mut key, &snapshot.category, &snapshot.name, &property.name);
            self.value(&key, &property.value);
        }
    }

    /// An integer that loses digits as a float is also returned as text, so that it can be found exactly.
    fn value(&mut self, key: &str, value: &'a Value) {
        match value {
            Value::Text(text) => self.text(key, text),
            Value::Bool(value) => self.text(key, if *value { "true" } else { "false" }),
            Value::Int(int) if int.checked_abs().is_none_or(|int| int > EXACT) => self.owned(key, int.to_string()),
            Value::BigInt(int) => self.owned(key, int.to_string()),
            _ => {}
        }
        if let Some(number) = value.as_f64().filter(|number| number.is_finite()) {
            (self.tell)(key, FieldValue::Number(number));
        }
        if let Value::List(items) = value {
            items.iter().filter(|item| !matches!(item, Value::List(_))).for_each(|item| self.value(key, item));
        }
    }
}
