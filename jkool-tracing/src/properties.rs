//! The properties of a span. Their JSON is written once, when the span closes, since a value may change until then.

use jkool_client::model::json::Json;
use jkool_client::model::{Property, Scalar, Text, ValueType, write_property};
use std::ops::Range;

/// Each name once, in the order in which they were set first.
#[derive(Debug, Default, Clone)]
pub(crate) struct Properties {
    /// A property that every span has, unless one of that name is set.
    target: &'static str,
    parts: Vec<Part>,
    /// The bytes of the parts, in their order.
    bytes: Vec<u8>,
    /// Room for JSON.
    json: Vec<u8>,
}

#[derive(Debug, Clone)]
struct Part {
    name: Text,
    value: Value,
    /// Where its bytes end.
    end: usize,
}

/// The types of values that are usual are not JSON yet.
#[derive(Debug, Clone, Copy)]
enum Value {
    Bool(bool),
    Long(i64),
    Double(f64),
    /// A duration in microseconds.
    Usec(i64),
    /// Its bytes are the text.
    Text,
    /// Its bytes are the property as JSON.
    Json,
}

const TARGET: &str = "target";

/// The room of what takes more is not kept for other spans.
const MAX_SPARE_BYTES: usize = 4 << 10;
const MAX_SPARE_PARTS: usize = 32;

/// A span takes no more: it may be open for as long as the program runs.
const MAX: usize = 256;

/// The usual size of a property as JSON.
const ROOM: usize = 128;

impl Properties {
    /// Removes all, and keeps the room, unless it is large.
    pub(crate) fn begin(&mut self, target: &'static str) {
        self.target = target;
        self.parts.clear();
        self.bytes.clear();
    }

    /// Whether the room is small enough to be kept for another span.
    pub(crate) fn is_small(&self) -> bool {
        let bytes = self.bytes.capacity().max(self.json.capacity());
        bytes <= MAX_SPARE_BYTES && self.parts.capacity() <= MAX_SPARE_PARTS
    }

    /// Sets one of a usual type, and returns false when there is no room, as the other functions do.
    pub(crate) fn set_scalar(&mut self, name: &'static str, value: Scalar<'_>) -> bool {
        match value {
            Scalar::Bool(value) => self.set(name.into(), Value::Bool(value), b""),
            Scalar::Long(value) => self.set(name.into(), Value::Long(value), b""),
            Scalar::Double(value) => self.set(name.into(), Value::Double(value), b""),
            Scalar::Text(value) => self.set(name.into(), Value::Text, value.as_bytes()),
        }
    }

    /// Sets a duration in microseconds.
    pub(crate) fn set_usec(&mut self, name: &'static str, usec: i64) -> bool {
        self.set(name.into(), Value::Usec(usec), b"")
    }

    pub(crate) fn set_property(&mut self, property: &Property) -> bool {
        let mut json = Vec::new();
        property.append_json(&mut json);
        self.set(property.name.clone(), Value::Json, &json)
    }

    /// Adds how much there was no room for, which always has room.
    pub(crate) fn add_left_out(&mut self, left_out: u64) {
        self.add("left_out".into(), Value::Long(i64::try_from(left_out).unwrap_or(i64::MAX)), b"");
    }

    fn add(&mut self, name: Text, value: Value, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.parts.push(Part { name, value, end: self.bytes.len() });
    }

    fn set(&mut self, name: Text, value: Value, bytes: &[u8]) -> bool {
        match self.parts.iter().position(|part| part.name == name) {
            None if self.parts.len() >= MAX => return false,
            None => self.add(name, value, bytes),
            Some(place) => {
                let old = self.range(place);
                for part in &mut self.parts[place..] {
                    part.end = part.end - old.len() + bytes.len();
                }
                self.parts[place].value = value;
                self.bytes.splice(old, bytes.iter().copied());
            }
        }
        true
    }

    fn range(&self, place: usize) -> Range<usize> {
        let start = place.checked_sub(1).map_or(0, |before| self.parts[before].end);
        start..self.parts[place].end
    }

    /// Each that was set: its name, and the property as JSON behind a comma.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Text, impl FnOnce() -> Vec<u8>)> {
        let mut start = 0;
        self.parts.iter().map(move |part| {
            let bytes = &self.bytes[std::mem::replace(&mut start, part.end)..part.end];
            let json = move || {
                let mut json = Vec::new();
                part.write_json(Json::begin(&mut json, ROOM), bytes).end();
                json
            };
            (&part.name, json)
        })
    }

    /// Writes all, each behind a comma.
    fn write_json<'j>(&self, mut out: Json<'j>) -> Json<'j> {
        if !self.parts.iter().any(|part| part.name == TARGET) {
            out = write_property(out.raw(b","), TARGET, Scalar::Text(self.target));
        }
        let mut start = 0;
        for part in &self.parts {
            out = part.write_json(out, &self.bytes[start..part.end]);
            start = part.end;
        }
        out
    }

    /// Calls `f` with the JSON of all, each behind a comma, and with the JSON that `other` writes.
    pub(crate) fn with<R>(
        &mut self,
        other: impl for<'j> FnOnce(Json<'j>) -> Json<'j>,
        f: impl FnOnce(&[u8], &[u8]) -> R,
    ) -> R {
        let mut json = std::mem::take(&mut self.json);
        let room = (self.parts.len() + 4) * ROOM + self.bytes.len();
        let mut out = self.write_json(Json::begin(&mut json, room));
        let end = out.at();
        out = other(out);
        out.end();
        let (properties, rest) = json.split_at(end);
        let result = f(properties, rest);
        json.clear();
        self.json = json;
        result
    }
}

impl Part {
    fn write_json<'j>(&self, out: Json<'j>, bytes: &[u8]) -> Json<'j> {
        let out = out.raw(b",");
        let scalar = match self.value {
            Value::Bool(value) => Scalar::Bool(value),
            Value::Long(value) => Scalar::Long(value),
            Value::Double(value) => Scalar::Double(value),
            Value::Text => Scalar::Text(std::str::from_utf8(bytes).unwrap_or_default()),
            Value::Json => return out.raw(bytes),
            Value::Usec(usec) => return write_usec(out, &self.name, usec),
        };
        write_property(out, &self.name, scalar)
    }
}

/// As [`Property::write_json`] does it.
fn write_usec<'j>(out: Json<'j>, name: &str, usec: i64) -> Json<'j> {
    let out = out.raw(br#"{"name":"#).text(name).raw(br#","type":"long","value":"#).int(usec);
    out.raw(br#","value-type":"#).text(ValueType::AgeUsec.as_str()).raw(b"}")
}

#[cfg(test)]
mod tests {
    use super::{MAX, Properties};
    use jkool_client::model::{Property, Scalar, ValueType};

    fn set(properties: &mut Properties, name: &'static str, value: &str) -> bool {
        properties.set_scalar(name, Scalar::Text(value))
    }

    fn all(properties: &mut Properties) -> String {
        properties.with(|out| out, |all, _| String::from_utf8(all.to_vec()).unwrap())
    }

    /// All but the target.
    fn said(properties: &mut Properties) -> Vec<(String, String)> {
        let all = all(properties);
        let text = |json: Vec<u8>| String::from_utf8(json).unwrap();
        let said: Vec<_> = properties.iter().map(|(name, json)| (name.to_string(), text(json()))).collect();
        let whole: String = said.iter().map(|(_, json)| json.as_str()).collect();
        assert!(all.ends_with(&whole), "{all} {whole}");
        said
    }

    #[test]
    fn of_one_name_the_last_value_stands_where_the_first_did() {
        let mut properties = Properties::default();
        for (name, value) in [("a", "1"), ("b", ""), ("c", "3"), ("b", "longer"), ("a", "")] {
            assert!(set(&mut properties, name, value));
        }
        let json = |name: &str, value: &str| {
            (name.to_owned(), format!(r#",{{"name":"{name}","type":"string","value":"{value}"}}"#))
        };
        assert_eq!(said(&mut properties), [json("a", ""), json("b", "longer"), json("c", "3")]);
        let both = properties.with(|out| out.raw(b",other"), |own, other| (own.len(), other.to_vec()));
        assert_eq!(both, (all(&mut properties).len(), b",other".to_vec()));
        properties.begin("");
        assert!(said(&mut properties).is_empty());
    }

    #[test]
    fn each_is_written_as_the_model_writes_it() {
        let mut properties = Properties::default();
        properties.begin("orders");
        let scalars = [Scalar::Bool(true), Scalar::Long(-3), Scalar::Double(2.5), Scalar::Text("a \"b\"")];
        for (name, value) in ["a", "b", "c", "d"].into_iter().zip(scalars) {
            assert!(properties.set_scalar(name, value));
        }
        let amount = Property::new("amount", 3.5).value_type(ValueType::from("currency.usd"));
        assert!(properties.set_usec("busy", 17) && properties.set_property(&amount));
        let expected = [
            Property::new("target", "orders"),
            Property::new("a", true),
            Property::new("b", -3_i64),
            Property::new("c", 2.5),
            Property::new("d", "a \"b\""),
            Property::new("busy", 17_i64).value_type(ValueType::AgeUsec),
            amount,
        ];
        let json = |property: &Property| format!(",{}", serde_json::to_string(property).unwrap());
        assert_eq!(all(&mut properties), expected.iter().map(json).collect::<String>());
        assert!(properties.set_scalar("target", Scalar::Long(1)) && !all(&mut properties).contains("orders"));
    }

    #[test]
    fn there_is_an_end() {
        let mut properties = Properties::default();
        let names: Vec<String> = (0..=MAX).map(|n| n.to_string()).collect();
        let mut add = |name: &String| properties.set_property(&Property::new(name.clone(), 1));
        assert!(names[..MAX].iter().all(&mut add) && !add(&names[MAX]) && add(&names[0]));
    }
}
