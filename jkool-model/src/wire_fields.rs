//! How each type of field is written, and all forms in which it is read.

use crate::Text;
use crate::enums::{ActivityStatus, CompCode, LogType, OpType, Severity};
use crate::heap_size::list_heap_size;
use crate::json::Json;
use crate::property::Property;
use crate::snapshot::Snapshot;
use crate::source::SourceFqn;
use crate::timestamp::Timestamp;
use crate::tracking_id::TrackingId;
use crate::value::{Value, ValueVisitor};
use crate::wire::Wire;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, Serialize, Serializer};
use std::fmt;

fn unexpected<T>(expected: &str, value: &Value) -> Result<T, String> {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Int(_) | Value::BigInt(_) | Value::Double(_) => "a number",
        Value::Text(_) => "a text",
        Value::List(_) => "a list",
        Value::Map(_) => "an object",
    };
    Err(format!("expected {expected}, found {found}"))
}

/// Writes a value that is present. An absent one is not written at all.
#[inline]
fn write_some<'a, T>(field: &Option<T>, out: Json<'a>, write: impl Fn(Json<'a>, &T) -> Json<'a>) -> Json<'a> {
    match field {
        Some(value) => write(out, value),
        None => out.raw(b"null"),
    }
}

/// Empty text is absent; a number, list or object instead of a text is read as its JSON.
impl Wire for Text {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }

    fn write_json<'a>(&self, out: Json<'a>) -> Json<'a> {
        out.text(self)
    }

    fn heap_size(&self) -> usize {
        self.len()
    }

    fn read(value: Value) -> Result<Self, String> {
        Ok(match value {
            Value::Text(text) => text,
            other => other.to_string().into(),
        })
    }
}

/// An integer, also quoted.
impl Wire for Option<i64> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn write_json<'a>(&self, out: Json<'a>) -> Json<'a> {
        write_some(self, out, |out, int| out.int(*int))
    }

    fn read(value: Value) -> Result<Self, String> {
        match &value {
            Value::Int(int) => Ok(Some(*int)),
            Value::Text(text) if text.trim().is_empty() => Ok(None),
            Value::Text(text) => {
                text.trim().parse().map(Some).map_err(|_| "expected a whole number of 64 bits, found other text".into())
            }
            Value::Double(double) if double.fract() == 0.0 && double.abs() < 9e15 => Ok(Some(*double as i64)),
            other => unexpected("a whole number of 64 bits", other),
        }
    }
}

/// Microseconds, also quoted, or a text in ISO 8601. Zero is how some clients write an unknown time.
impl Wire for Option<Timestamp> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn write_json<'a>(&self, out: Json<'a>) -> Json<'a> {
        write_some(self, out, |out, time| out.int(time.as_usec()))
    }

    fn read(value: Value) -> Result<Self, String> {
        let time = match value {
            Value::Text(text) if text.trim().is_empty() => None,
            Value::Text(text) => Some(text.parse::<Timestamp>().map_err(|error| error.to_string())?),
            other => <Option<i64> as Wire>::read(other)?.map(Timestamp::from_usec),
        };
        Ok(time.filter(|time| time.as_usec() != 0))
    }
}

impl Wire for Option<TrackingId> {
    fn is_absent(&self) -> bool {
        self.as_ref().is_none_or(TrackingId::is_empty)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn write_json<'a>(&self, out: Json<'a>) -> Json<'a> {
        write_some(self, out, |out, id| id.write_json(out))
    }

    fn heap_size(&self) -> usize {
        self.as_ref().map_or(0, TrackingId::heap_size)
    }

    fn read(value: Value) -> Result<Self, String> {
        Ok(Some(Text::read(value)?).filter(|text| !text.is_empty()).map(TrackingId::from))
    }
}

impl Wire for Option<SourceFqn> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn write_json<'a>(&self, out: Json<'a>) -> Json<'a> {
        write_some(self, out, |out, source| out.text(source.as_str()))
    }

    fn heap_size(&self) -> usize {
        self.as_ref().map_or(0, |source| source.as_str().len())
    }

    fn read(value: Value) -> Result<Self, String> {
        Ok(SourceFqn::lenient(&Text::read(value)?))
    }
}

/// A list of texts, or a single one. Empty texts in it are dropped.
impl Wire for Vec<Text> {
    fn clear(&mut self) {
        Vec::clear(self);
    }

    fn is_absent(&self) -> bool {
        self.iter().all(|text| text.is_empty())
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().filter(|text| !text.is_empty()))
    }

    fn write_json<'a>(&self, out: Json<'a>) -> Json<'a> {
        out.list(self.iter().filter(|text| !text.is_empty()), |out, text| out.text(text))
    }

    fn heap_size(&self) -> usize {
        list_heap_size(self, |text| text.len())
    }

    fn read(value: Value) -> Result<Self, String> {
        let items = match value {
            Value::List(items) => items,
            single => vec![single],
        };
        let texts = items.into_iter().filter(|item| *item != Value::Null).map(Text::read);
        Ok(texts.collect::<Result<Self, _>>()?.into_iter().filter(|text| !text.is_empty()).collect())
    }
}

macro_rules! word {
    ($($word:ty, $fallback:expr;)+) => {
        $(impl Wire for Option<$word> {
            fn is_absent(&self) -> bool {
                self.is_none()
            }

            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.serialize(serializer)
            }

            fn write_json<'a>(&self, out: Json<'a>) -> Json<'a> {
                write_some(self, out, |out, word| word.write_json(out))
            }

            fn read(value: Value) -> Result<Self, String> {
                let fallback: fn(&str) -> Option<$word> = $fallback;
                let word = Text::read(value)?;
                match word.trim() {
                    "" => Ok(None),
                    word => Ok(word.parse().ok().or_else(|| fallback(word))),
                }
            }
        })+
    };
}

// The value for an unknown word.
word! {
    CompCode, |_| None;
    ActivityStatus, |_| Some(ActivityStatus::Unknown);
    LogType, |_| Some(LogType::General);
    Severity, |word| Some(Severity::lenient(word));
    OpType, |_| Some(OpType::Other);
}

macro_rules! always {
    ($($word:ty),+) => {
        $(impl Wire for $word {
            fn is_absent(&self) -> bool {
                false
            }

            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.serialize(serializer)
            }

            fn write_json<'a>(&self, out: Json<'a>) -> Json<'a> {
                <$word>::write_json(*self, out)
            }

            fn read(value: Value) -> Result<Self, String> {
                Ok(<Option<$word> as Wire>::read(value)?.unwrap_or_default())
            }

            fn read_from<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                <Option<$word> as Wire>::read_from(deserializer).map(Option::flatten)
            }
        })+
    };
}

always!(Severity, OpType);

fn read_object<T: de::DeserializeOwned>(value: Value) -> Result<T, String> {
    T::deserialize(value).map_err(|error| error.to_string())
}

/// A list of objects. Each type defines the meaning of a single object instead of the list.
macro_rules! objects {
    ($($object:ty, $from_map:expr;)+) => {
        $(impl Wire for Vec<$object> {
            fn clear(&mut self) {
                Vec::clear(self);
            }

            fn is_absent(&self) -> bool {
                self.is_empty()
            }

            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.serialize(serializer)
            }

            fn write_json<'a>(&self, out: Json<'a>) -> Json<'a> {
                out.list(self.iter(), |out, object| object.write_json(out))
            }

            fn heap_size(&self) -> usize {
                list_heap_size(self, <$object>::heap_size)
            }

            fn read(value: Value) -> Result<Self, String> {
                let from_map: fn(Vec<(Text, Value)>) -> Result<Self, String> = $from_map;
                match value {
                    Value::List(items) => items.into_iter().map(read_object).collect(),
                    Value::Map(entries) => from_map(entries),
                    other => unexpected("a list of objects", &other),
                }
            }

            fn read_from<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                struct ListVisitor;

                impl<'de> Visitor<'de> for ListVisitor {
                    type Value = Option<Vec<$object>>;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a list of objects")
                    }

                    fn visit_unit<E>(self) -> Result<Self::Value, E> {
                        Ok(None)
                    }

                    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                        let mut objects = Vec::new();
                        while let Some(object) = seq.next_element()? {
                            objects.push(object);
                        }
                        Ok(Some(objects))
                    }

                    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                        <Vec<$object>>::read(ValueVisitor.visit_map(map)?).map(Some).map_err(de::Error::custom)
                    }
                }

                deserializer.deserialize_any(ListVisitor)
            }
        })+
    };
}

objects! {
    Snapshot, |entries| Ok(vec![read_object(Value::Map(entries))?]);
    // TNT4PY sends a dict: its keys are the names. A single property has both a name and a value.
    Property, |entries| match ["name", "value"].iter().all(|needed| entries.iter().any(|(key, _)| key == needed)) {
        true => Ok(vec![read_object(Value::Map(entries))?]),
        false => Ok(entries.into_iter().map(|(name, value)| Property::new(name, value)).collect()),
    };
}
