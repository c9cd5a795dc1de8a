//! Properties that are not encoded as JSON yet. An adapter writes them on the thread that logs, because that takes less time than
//! writing JSON, and the worker encodes them.

use jkool_model::json::Json;
use jkool_model::{Property, Scalar};
use std::ops::Range;

/// A list of properties in one buffer. For logging adapters; programs create [`Property`]s.
#[doc(hidden)]
#[derive(Debug, Clone, Default)]
pub struct RawProperties {
    bytes: Vec<u8>,
    len: usize,
}

/// A property in [`RawProperties`].
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct RawProperty<'a> {
    kind: u8,
    name: &'a [u8],
    value: &'a [u8],
    /// All its bytes, including the header.
    whole: &'a [u8],
}

// The first byte of the header.
const FALSE: u8 = 0;
const TRUE: u8 = 1;
const LONG: u8 = 2;
const DOUBLE: u8 = 3;
const TEXT: u8 = 4;
/// A `long` that is a duration in microseconds.
const USEC: u8 = 5;
/// The value is the property as JSON.
const JSON: u8 = 6;

/// The size of a length.
const LEN: usize = size_of::<usize>();

/// The size of a number.
const NUMBER: usize = 8;

/// The size of the header: the kind, and the lengths of the name and of the value. The value follows, then the name: so a
/// number is copied together with the header.
const HEAD: usize = 1 + 2 * LEN;

/// The approximate number of bytes by which a property is longer as JSON.
const JSON_MORE: usize = 26;

impl RawProperties {
    /// Creates an empty list.
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), len: 0 }
    }

    /// Removes all properties and keeps the capacity.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.len = 0;
    }

    /// The number of properties.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number of bytes that are allocated.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Appends a property without looking for one with the same name.
    pub fn push(&mut self, name: &str, value: Scalar<'_>) {
        match value {
            Scalar::Long(value) => self.append_number(LONG, name, value.to_ne_bytes()),
            Scalar::Double(value) => self.append_number(DOUBLE, name, value.to_ne_bytes()),
            value => with_bytes(value, |kind, value| self.append(kind, name, value)),
        }
    }

    /// Appends a whole property.
    pub fn push_property(&mut self, property: &Property) {
        self.append(JSON, &property.name, &json(property));
    }

    /// Appends a property of another list.
    pub fn push_raw(&mut self, property: RawProperty<'_>) {
        self.bytes.extend_from_slice(property.whole);
        self.len += 1;
    }

    /// Sets the property with this name.
    pub fn set(&mut self, name: &str, value: Scalar<'_>) {
        with_bytes(value, |kind, value| self.put(kind, name, value));
    }

    /// Sets the property with this name to a duration in microseconds.
    pub fn set_usec(&mut self, name: &str, usec: i64) {
        self.put(USEC, name, &usec.to_ne_bytes());
    }

    /// Replaces the property with the same name, or appends the property.
    pub fn set_property(&mut self, property: &Property) {
        self.put(JSON, &property.name, &json(property));
    }

    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    pub fn iter(&self) -> impl Iterator<Item = RawProperty<'_>> {
        parts(&self.bytes)
    }

    /// Converts them to properties of the model.
    pub fn properties(&self) -> Vec<Property> {
        let property = |raw: RawProperty<'_>| {
            let mut json = Vec::new();
            raw.write_json(Json::begin(&mut json, raw.whole.len() + JSON_MORE)).end();
            // The model reads what it writes.
            serde_json::from_slice(&json).ok()
        };
        self.iter().filter_map(property).collect()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The approximate size of their JSON.
    pub(crate) fn json_len(&self) -> usize {
        self.bytes.len() + self.len * JSON_MORE
    }

    #[inline]
    fn append(&mut self, kind: u8, name: &str, value: &[u8]) {
        self.bytes.reserve(HEAD + name.len() + value.len());
        self.bytes.extend_from_slice(&head(kind, name, value));
        self.bytes.extend_from_slice(value);
        self.bytes.extend_from_slice(name.as_bytes());
        self.len += 1;
    }

    /// The same with fewer calls.
    #[inline]
    fn append_number(&mut self, kind: u8, name: &str, value: [u8; NUMBER]) {
        let mut start = [0; HEAD + NUMBER];
        start[..HEAD].copy_from_slice(&head(kind, name, &value));
        start[HEAD..].copy_from_slice(&value);
        self.bytes.reserve(start.len() + name.len());
        self.bytes.extend_from_slice(&start);
        self.bytes.extend_from_slice(name.as_bytes());
        self.len += 1;
    }

    fn put(&mut self, kind: u8, name: &str, value: &[u8]) {
        match self.find(name) {
            None => self.append(kind, name, value),
            Some(old) => {
                let new = head(kind, name, value).into_iter().chain(value.iter().copied()).chain(name.bytes());
                self.bytes.splice(old, new);
            }
        }
    }

    /// The position of the property with this name.
    fn find(&self, name: &str) -> Option<Range<usize>> {
        let mut start = 0;
        for part in parts(&self.bytes) {
            let end = start + part.whole.len();
            if part.name == name.as_bytes() {
                return Some(start..end);
            }
            start = end;
        }
        None
    }
}

impl<'a> RawProperty<'a> {
    pub fn name(&self) -> &'a str {
        std::str::from_utf8(self.name).unwrap_or_default()
    }

    fn number(&self) -> [u8; 8] {
        self.value.try_into().unwrap_or_default()
    }

    /// Writes the same JSON as the model.
    fn write_json<'j>(&self, out: Json<'j>) -> Json<'j> {
        if self.kind == JSON {
            return out.raw(self.value);
        }
        let long = i64::from_ne_bytes(self.number());
        if self.kind == USEC {
            return write_usec(self.name, long, out);
        }
        // Names and texts came as `str`.
        let out = out.raw(br#"{"name":"#).utf8(self.name);
        let out = match self.kind {
            FALSE => out.raw(br#","type":"bool","value":false"#),
            TRUE => out.raw(br#","type":"bool","value":true"#),
            LONG => out.raw(br#","type":"long","value":"#).int(long),
            DOUBLE => out.raw(br#","type":"double","value":"#).double(f64::from_ne_bytes(self.number())),
            _ => out.raw(br#","type":"string","value":"#).utf8(self.value),
        };
        out.raw(b"}")
    }
}

/// Writes the properties in `bytes` as JSON, each with a comma before it.
pub(crate) fn write_json<'j>(bytes: &[u8], out: Json<'j>) -> Json<'j> {
    parts(bytes).fold(out, |out, property| property.write_json(out.raw(b",")))
}

/// Writes a duration in microseconds.
pub(crate) fn write_usec<'j>(name: &[u8], usec: i64, out: Json<'j>) -> Json<'j> {
    let out = out.raw(br#"{"name":"#).utf8(name).raw(br#","type":"long","value":"#).int(usec);
    out.raw(br#","value-type":"age.usec"}"#)
}

/// The properties in `bytes`.
pub(crate) fn parts(mut bytes: &[u8]) -> impl Iterator<Item = RawProperty<'_>> {
    std::iter::from_fn(move || {
        let all = bytes;
        let (head, rest) = all.split_first_chunk::<HEAD>()?;
        let (value, rest) = rest.split_at_checked(len(head, 1 + LEN))?;
        let (name, rest) = rest.split_at_checked(len(head, 1))?;
        bytes = rest;
        Some(RawProperty { kind: head[0], name, value, whole: &all[..all.len() - rest.len()] })
    })
}

fn head(kind: u8, name: &str, value: &[u8]) -> [u8; HEAD] {
    let mut head = [kind; HEAD];
    head[1..=LEN].copy_from_slice(&name.len().to_ne_bytes());
    head[1 + LEN..].copy_from_slice(&value.len().to_ne_bytes());
    head
}

fn len(head: &[u8; HEAD], at: usize) -> usize {
    let mut len = [0; LEN];
    len.copy_from_slice(&head[at..at + LEN]);
    usize::from_ne_bytes(len)
}

#[inline]
fn with_bytes(value: Scalar<'_>, f: impl FnOnce(u8, &[u8])) {
    match value {
        Scalar::Bool(value) => f(if value { TRUE } else { FALSE }, b""),
        Scalar::Long(value) => f(LONG, &value.to_ne_bytes()),
        Scalar::Double(value) => f(DOUBLE, &value.to_ne_bytes()),
        Scalar::Text(value) => f(TEXT, value.as_bytes()),
    }
}

fn json(property: &Property) -> Vec<u8> {
    let mut json = Vec::new();
    property.append_json(&mut json);
    json
}

#[cfg(test)]
mod tests {
    use super::{RawProperties, write_json};
    use jkool_model::json::Json;
    use jkool_model::{Property, Scalar, ValueType};
    use proptest::prelude::*;

    fn names(raw: &RawProperties) -> Vec<&str> {
        raw.iter().map(|property| property.name()).collect()
    }

    #[test]
    fn each_becomes_what_the_model_writes() {
        let amount = Property::new("amount", 3.5).value_type(ValueType::from("currency.usd"));
        let mut raw = RawProperties::new();
        raw.push("yes", Scalar::Bool(true));
        raw.push("no", Scalar::Bool(false));
        raw.push("long", Scalar::Long(i64::MIN));
        raw.push("double", Scalar::Double(f64::NAN));
        raw.push("", Scalar::Text("a \"b\"\n"));
        raw.set_usec("busy", 17);
        raw.push_property(&amount);
        let expected = [
            Property::new("yes", true),
            Property::new("no", false),
            Property::new("long", i64::MIN),
            Property::new("double", f64::NAN),
            Property::new("", "a \"b\"\n"),
            Property::new("busy", 17_i64).value_type(ValueType::AgeUsec),
            amount,
        ];
        let mut json = Vec::new();
        write_json(raw.bytes(), Json::begin(&mut json, 0)).end();
        let behind_a_comma = |property: &Property| format!(",{}", serde_json::to_string(property).unwrap());
        assert_eq!(String::from_utf8(json).unwrap(), expected.iter().map(behind_a_comma).collect::<String>());
        assert_eq!(raw.properties(), expected);
        let mut copy = RawProperties::new();
        raw.iter().for_each(|property| copy.push_raw(property));
        assert_eq!((copy.bytes(), copy.len()), (raw.bytes(), 7));
        copy.clear();
        assert!(copy.is_empty() && copy.iter().next().is_none());
    }

    proptest! {
        /// Compares with a list of properties.
        #[test]
        fn of_one_name_the_last_value_stands_where_the_first_did(
            sets in proptest::collection::vec(("[a-c]{0,2}", ".{0,40}"), 0..12),
        ) {
            let (mut raw, mut list) = (RawProperties::new(), Vec::<Property>::new());
            for (name, value) in &sets {
                raw.set(name, Scalar::Text(value));
                let new = Property::new(name.clone(), value.clone());
                match list.iter_mut().find(|there| there.name == *name) {
                    Some(there) => *there = new,
                    None => list.push(new),
                }
                prop_assert!(raw.has(name));
            }
            prop_assert_eq!(names(&raw), list.iter().map(|property| &*property.name).collect::<Vec<_>>());
            prop_assert_eq!(raw.len(), list.len());
            prop_assert_eq!(raw.properties(), list);
        }
    }
}
