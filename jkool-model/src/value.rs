//! The values of properties.

use crate::Text;
use crate::heap_size::list_heap_size;
use crate::json::{Json, non_finite};
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer, forward_to_deserialize_any};
use std::fmt::{self, Write};

/// The maximum nesting depth; deeper lists are written as `"[depth]"`, to limit the use of the stack.
const MAX_DEPTH: usize = 32;
const TOO_DEEP: &str = "[depth]";

/// The value of a property: any JSON value, with all digits of an integer.
///
/// Two values are equal if they mean the same; `NaN` equals `NaN`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Value {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer of up to 64 bits.
    Int(i64),
    /// A larger integer; on the wire a string of its digits.
    BigInt(i128),
    /// A floating-point number. `NaN` and the infinities are strings on the wire: `"NaN"`, `"Infinity"`, `"-Infinity"`.
    Double(f64),
    /// Text.
    Text(Text),
    /// A list.
    List(Vec<Value>),
    /// A map, in the order of its entries.
    Map(Vec<(Text, Value)>),
}

impl Value {
    /// Returns the text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the number as a float, if it is one. Large integers lose precision.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Int(int) => Some(*int as f64),
            Value::BigInt(int) => Some(*int as f64),
            Value::Double(double) => Some(*double),
            _ => None,
        }
    }

    /// Returns the integer, if it is one of up to 64 bits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Int(int) => Some(*int),
            _ => None,
        }
    }

    /// Returns the truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(bool) => Some(*bool),
            _ => None,
        }
    }

    pub(crate) fn write_json<'a>(&self, out: Json<'a>) -> Json<'a> {
        self.write_json_at(out, 0)
    }

    pub(crate) fn heap_size(&self) -> usize {
        match self {
            Value::Text(text) => text.len(),
            Value::List(items) => list_heap_size(items, Value::heap_size),
            Value::Map(entries) => list_heap_size(entries, |(key, value)| key.len() + value.heap_size()),
            _ => 0,
        }
    }

    pub(crate) fn from_i128(int: i128) -> Self {
        i64::try_from(int).map_or(Value::BigInt(int), Value::Int)
    }

    fn write<S: Serializer>(&self, serializer: S, depth: usize) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(bool) => serializer.serialize_bool(*bool),
            Value::Int(int) => serializer.serialize_i64(*int),
            Value::BigInt(int) => serializer.collect_str(int),
            Value::Double(double) => match non_finite(*double) {
                Some(word) => serializer.serialize_str(word),
                None => serializer.serialize_f64(*double),
            },
            Value::Text(text) => serializer.serialize_str(text),
            Value::List(_) | Value::Map(_) if depth >= MAX_DEPTH => serializer.serialize_str(TOO_DEEP),
            Value::List(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(&Nested(item, depth + 1))?;
                }
                seq.end()
            }
            Value::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, &Nested(value, depth + 1))?;
                }
                map.end()
            }
        }
    }

    fn write_json_at<'a>(&self, out: Json<'a>, depth: usize) -> Json<'a> {
        match self {
            Value::Null => out.raw(b"null"),
            Value::Bool(true) => out.raw(b"true"),
            Value::Bool(false) => out.raw(b"false"),
            Value::Int(int) => out.int(*int),
            Value::BigInt(int) => out.big_int(*int),
            Value::Double(double) => out.double(*double),
            Value::Text(text) => out.text(text),
            Value::List(_) | Value::Map(_) if depth >= MAX_DEPTH => out.text(TOO_DEEP),
            Value::List(items) => out.list(items.iter(), |out, item| item.write_json_at(out, depth + 1)),
            Value::Map(entries) => {
                let start = out.at();
                let write = |out: Json<'a>, (key, value): &(Text, Value)| {
                    value.write_json_at(out.raw(b",").text(key).raw(b":"), depth + 1)
                };
                entries.iter().fold(out, write).enclose(start, *b"{}")
            }
        }
    }
}

struct Nested<'a>(&'a Value, usize);

impl Serialize for Nested<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer, self.1)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.write(serializer, 0)
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::BigInt(a), Value::BigInt(b)) => a == b,
            (Value::Double(a), Value::Double(b)) => a == b || (a.is_nan() && b.is_nan()),
            (Value::Text(a), Value::Text(b)) => a == b,
            (Value::List(a), Value::List(b)) => a == b,
            (Value::Map(a), Value::Map(b)) => a == b,
            _ => false,
        }
    }
}

/// A text without quotes, any other value as JSON.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => f.write_str(text),
            Value::Double(double) if !double.is_finite() => f.write_str(non_finite(*double).unwrap_or_default()),
            value => AsJson(value, 0).fmt(f),
        }
    }
}

struct AsJson<'a>(&'a Value, usize);

impl fmt::Display for AsJson<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(value, depth) = *self;
        match value {
            Value::Null => f.write_str("null"),
            Value::Bool(bool) => write!(f, "{bool}"),
            Value::Int(int) => write!(f, "{int}"),
            Value::BigInt(int) => write!(f, "{int}"),
            Value::Double(double) => match non_finite(*double) {
                Some(word) => write!(f, "{}", Quoted(word)),
                None => write!(f, "{double:?}"),
            },
            Value::Text(text) => write!(f, "{}", Quoted(text)),
            Value::List(_) | Value::Map(_) if depth >= MAX_DEPTH => write!(f, "{}", Quoted(TOO_DEEP)),
            Value::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{}", if index == 0 { "" } else { "," }, AsJson(item, depth + 1))?;
                }
                f.write_str("]")
            }
            Value::Map(entries) => {
                f.write_str("{")?;
                for (index, (key, value)) in entries.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(f, "{comma}{}:{}", Quoted(key), AsJson(value, depth + 1))?;
                }
                f.write_str("}")
            }
        }
    }
}

/// A text as a JSON string.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for character in self.0.chars() {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                '\n' => f.write_str("\\n")?,
                control if control.is_control() => write!(f, "\\u{:04x}", u32::from(control))?,
                other => f.write_char(other)?,
            }
        }
        f.write_char('"')
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

pub(crate) struct ValueVisitor;

/// How serde_json passes a number if a crate of the program enables its feature `arbitrary_precision`.
pub(crate) const EXACT_NUMBER: &str = "$serde_json::private::Number";

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E: de::Error>(self, bool: bool) -> Result<Value, E> {
        Ok(Value::Bool(bool))
    }

    fn visit_i64<E: de::Error>(self, int: i64) -> Result<Value, E> {
        Ok(Value::Int(int))
    }

    fn visit_u64<E: de::Error>(self, int: u64) -> Result<Value, E> {
        Ok(Value::from_i128(int.into()))
    }

    fn visit_i128<E: de::Error>(self, int: i128) -> Result<Value, E> {
        Ok(Value::from_i128(int))
    }

    fn visit_f64<E: de::Error>(self, double: f64) -> Result<Value, E> {
        Ok(Value::Double(double))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Text>()? {
            if entries.is_empty() && key == EXACT_NUMBER {
                return map.next_value::<String>().map(exact_number);
            }
            entries.push((key, map.next_value()?));
        }
        Ok(Value::Map(entries))
    }
}

/// The number with these digits, or a text if it has too many.
pub(crate) fn exact_number(digits: String) -> Value {
    let whole = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    match (digits.parse(), digits.parse::<f64>()) {
        (Ok(int), _) => Value::from_i128(int),
        (_, Ok(double)) if !whole && double.is_finite() => Value::Double(double),
        _ => Value::Text(digits.into()),
    }
}

/// Deserializes a value that was read into a more specific type.
impl<'de> Deserializer<'de> for Value {
    type Error = de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self {
            Value::Null => visitor.visit_unit(),
            Value::Bool(bool) => visitor.visit_bool(bool),
            Value::Int(int) => visitor.visit_i64(int),
            Value::BigInt(int) => match u64::try_from(int) {
                Ok(int) => visitor.visit_u64(int),
                Err(_) => visitor.visit_i128(int),
            },
            Value::Double(double) => visitor.visit_f64(double),
            Value::Text(text) => visitor.visit_string(text.into_owned()),
            Value::List(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter())),
            Value::Map(entries) => visitor
                .visit_map(MapDeserializer::new(entries.into_iter().map(|(key, value)| (key.into_owned(), value)))),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self {
            Value::Null => visitor.visit_none(),
            value => visitor.visit_some(value),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl IntoDeserializer<'_> for Value {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
