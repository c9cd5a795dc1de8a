//! Conversion of whatever implements `serde::Serialize`.

use super::{ToProperties, part};
use crate::Text;
use crate::property::{Property, TypedValue};
use crate::trackable::{FORMAT_FAILED, text_of};
use crate::value::{EXACT_NUMBER, Value, exact_number};
use serde::ser::{self, Serialize};
use std::fmt::{Arguments, Display};

/// A serialized value. It becomes the properties that a field of such a type becomes without serde.
#[derive(Debug)]
pub enum Serialized {
    /// `None`, or a unit.
    Absent,
    /// One value.
    Scalar(TypedValue),
    /// A sequence or a tuple.
    List(Vec<Serialized>),
    /// A map, or the fields of a struct.
    Map(Vec<(Text, Serialized)>),
}

impl Serialized {
    /// A value that cannot be serialized becomes a text with the error.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Self {
        let serialized = Self::with_texts(value, |text| text_of(text).into());
        serialized.unwrap_or_else(|Error(error)| Self::text(format!("{FORMAT_FAILED} {error}")))
    }

    /// Like [`of`](Self::of); `texts` formats what is serialized by its `Display` implementation.
    ///
    /// # Errors
    /// If the value cannot be serialized.
    pub fn with_texts<T: Serialize + ?Sized>(value: &T, texts: Texts) -> Result {
        value.serialize(Serializer { texts })
    }

    fn text(text: impl Into<Text>) -> Self {
        Self::Scalar(text.into().into())
    }

    /// The value of an enum's variant, as in JSON: named by the variant.
    fn in_variant(self, variant: Option<&'static str>) -> Self {
        match variant {
            Some(variant) => Self::Map(vec![(variant.into(), self)]),
            None => self,
        }
    }
}

impl ToProperties for Serialized {
    fn append_properties(&self, name: Text, properties: &mut Vec<Property>) {
        match self {
            Self::Absent => {}
            Self::Scalar(typed) => properties.push(Property::new(name, typed.clone())),
            Self::List(_) => properties.push(Property::new(name, self.to_value())),
            Self::Map(entries) => {
                for (key, value) in entries {
                    value.append_properties(part(&name, key.clone()), properties);
                }
            }
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Absent => Value::Null,
            Self::Scalar(typed) => typed.value.clone(),
            Self::List(items) => Value::List(items.iter().map(Self::to_value).collect()),
            // As in a struct, what is absent has no entry.
            Self::Map(entries) => {
                let present = entries.iter().filter(|(_, value)| !matches!(value, Self::Absent));
                Value::Map(present.map(|(key, value)| (key.clone(), value.to_value())).collect())
            }
        }
    }
}

/// Formats a text, also if the `Display` implementation fails.
pub type Texts = fn(&Arguments<'_>) -> Text;

/// Why a value cannot be serialized.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

impl ser::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

type Result<T = Serialized> = std::result::Result<T, Error>;

#[derive(Clone, Copy)]
struct Serializer {
    texts: Texts,
}

impl Serializer {
    fn list(self, variant: Option<&'static str>) -> List {
        List { serializer: self, items: Vec::new(), variant }
    }

    fn map(self, variant: Option<&'static str>) -> Map {
        Map { serializer: self, entries: Vec::new(), key: Text::default(), variant }
    }
}

macro_rules! scalars {
    ($($method:ident($ty:ty))+) => {
        $(fn $method(self, value: $ty) -> Result {
            Ok(Serialized::Scalar(value.into()))
        })+
    };
}

impl ser::Serializer for Serializer {
    type Ok = Serialized;
    type Error = Error;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = List;
    type SerializeMap = Map;
    type SerializeStruct = Map;
    type SerializeStructVariant = Map;

    scalars! {
        serialize_bool(bool)
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64) serialize_i128(i128)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_u128(u128)
        serialize_f32(f32) serialize_f64(f64)
        serialize_char(char)
    }

    fn serialize_str(self, value: &str) -> Result {
        Ok(Serialized::text(value.to_owned()))
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result {
        Ok(Serialized::text((self.texts)(&format_args!("{value}"))))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result {
        Ok(Serialized::Absent)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result {
        Ok(Serialized::Absent)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result {
        Ok(Serialized::Absent)
    }

    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> Result {
        Ok(Serialized::text(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result {
        Ok(value.serialize(self)?.in_variant(Some(variant)))
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<List> {
        Ok(self.list(None))
    }

    fn serialize_tuple(self, _len: usize) -> Result<List> {
        Ok(self.list(None))
    }

    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<List> {
        Ok(self.list(None))
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, variant: &'static str, _len: usize) -> Result<List> {
        Ok(self.list(Some(variant)))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Map> {
        Ok(self.map(None))
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Map> {
        Ok(self.map(None))
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, variant: &'static str, _len: usize) -> Result<Map> {
        Ok(self.map(Some(variant)))
    }
}

struct List {
    serializer: Serializer,
    items: Vec<Serialized>,
    variant: Option<&'static str>,
}

macro_rules! list_as {
    ($($interface:ident $method:ident)+) => {
        $(impl ser::$interface for List {
            type Ok = Serialized;
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                self.items.push(value.serialize(self.serializer)?);
                Ok(())
            }

            fn end(self) -> Result {
                Ok(Serialized::List(self.items).in_variant(self.variant))
            }
        })+
    };
}

list_as! {
    SerializeSeq serialize_element
    SerializeTuple serialize_element
    SerializeTupleStruct serialize_field
    SerializeTupleVariant serialize_field
}

struct Map {
    serializer: Serializer,
    entries: Vec<(Text, Serialized)>,
    key: Text,
    variant: Option<&'static str>,
}

impl ser::SerializeMap for Map {
    type Ok = Serialized;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.key = match key.serialize(self.serializer)? {
            Serialized::Scalar(typed) => typed.value.to_string().into(),
            _ => return Err(Error("the key of a map is neither a text nor a number".into())),
        };
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.entries.push((std::mem::take(&mut self.key), value.serialize(self.serializer)?));
        Ok(())
    }

    fn end(self) -> Result {
        match self.entries.as_slice() {
            [(name, Serialized::Scalar(number))] if name == EXACT_NUMBER => {
                Ok(Serialized::Scalar(exact_number(number.value.to_string()).into()))
            }
            _ => Ok(Serialized::Map(self.entries).in_variant(self.variant)),
        }
    }
}

macro_rules! map_as {
    ($($interface:ident)+) => {
        $(impl ser::$interface for Map {
            type Ok = Serialized;
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
                self.entries.push((name.into(), value.serialize(self.serializer)?));
                Ok(())
            }

            fn end(self) -> Result {
                ser::SerializeMap::end(self)
            }
        })+
    };
}

map_as! {
    SerializeStruct
    SerializeStructVariant
}
