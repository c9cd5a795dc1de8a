//! A serializer that produces a property's value, in the shapes of serde_json. It does not use JSON, which supports neither
//! `NaN` nor 128-bit integers, and whose map sorts the fields of a struct.

use jkool_client::facade::message;
use jkool_client::model::{Text, TypedValue, Value};
use serde::Deserialize;
use serde::de::value::Error;
use serde::ser::{self, Serialize, Serializer};
use std::fmt;

/// # Errors
/// If the `Serialize` implementation returns an error.
pub(crate) fn value<T: Serialize + ?Sized>(value: &T) -> Result<Value, Error> {
    value.serialize(ToValue)
}

struct ToValue;

/// A list that is being built; for an enum variant it is nested under the variant's name.
struct Items {
    variant: Option<&'static str>,
    items: Vec<Value>,
}

/// A map that is being built.
struct Entries {
    variant: Option<&'static str>,
    key: Text,
    entries: Vec<(Text, Value)>,
}

fn items(variant: Option<&'static str>) -> Result<Items, Error> {
    Ok(Items { variant, items: Vec::new() })
}

fn entries(variant: Option<&'static str>) -> Result<Entries, Error> {
    Ok(Entries { variant, key: Text::default(), entries: Vec::new() })
}

fn under(variant: Option<&'static str>, value: Value) -> Value {
    match variant {
        Some(variant) => Value::Map(vec![(variant.into(), value)]),
        None => value,
    }
}

macro_rules! scalars {
    ($($method:ident: $ty:ty => $make:expr;)+) => {
        $(fn $method(self, value: $ty) -> Result<Value, Error> {
            let make: fn($ty) -> Value = $make;
            Ok(make(value))
        })+
    };
}

impl Serializer for ToValue {
    type Ok = Value;
    type Error = Error;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Entries;
    type SerializeStruct = Entries;
    type SerializeStructVariant = Entries;

    scalars! {
        serialize_bool: bool => Value::Bool;
        serialize_i8: i8 => |int| Value::Int(int.into());
        serialize_i16: i16 => |int| Value::Int(int.into());
        serialize_i32: i32 => |int| Value::Int(int.into());
        serialize_i64: i64 => Value::Int;
        serialize_u8: u8 => |int| Value::Int(int.into());
        serialize_u16: u16 => |int| Value::Int(int.into());
        serialize_u32: u32 => |int| Value::Int(int.into());
        serialize_u64: u64 => |int| i64::try_from(int).map_or(Value::BigInt(int.into()), Value::Int);
        serialize_i128: i128 => |int| i64::try_from(int).map_or(Value::BigInt(int), Value::Int);
        serialize_f32: f32 => |float| TypedValue::from(float).value;
        serialize_f64: f64 => Value::Double;
        serialize_char: char => |character| Value::Text(character.to_string().into());
        serialize_str: &str => |text| Value::Text(text.to_owned().into());
        serialize_bytes: &[u8] => |bytes| Value::List(bytes.iter().map(|byte| Value::Int((*byte).into())).collect());
        serialize_unit_struct: &'static str => |_| Value::Null;
    }

    fn serialize_u128(self, int: u128) -> Result<Value, Error> {
        match i128::try_from(int) {
            Ok(int) => self.serialize_i128(int),
            Err(_) => Ok(Value::Text(int.to_string().into())),
        }
    }

    /// Not by `to_string`, which panics if the `Display` implementation fails.
    fn collect_str<T: fmt::Display + ?Sized>(self, text: &T) -> Result<Value, Error> {
        Ok(Value::Text(message::of(&format_args!("{text}"))))
    }

    fn serialize_unit(self) -> Result<Value, Error> {
        Ok(Value::Null)
    }

    fn serialize_none(self) -> Result<Value, Error> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, some: &T) -> Result<Value, Error> {
        value(some)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Value, Error> {
        Ok(Value::Text(variant.into()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, inner: &T) -> Result<Value, Error> {
        value(inner)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        inner: &T,
    ) -> Result<Value, Error> {
        Ok(under(Some(variant), value(inner)?))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items, Error> {
        items(None)
    }

    fn serialize_tuple(self, _: usize) -> Result<Items, Error> {
        items(None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items, Error> {
        items(None)
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<Items, Error> {
        items(Some(variant))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries, Error> {
        entries(None)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Entries, Error> {
        entries(None)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Entries, Error> {
        entries(Some(variant))
    }
}

macro_rules! lists {
    ($($shape:ident::$method:ident),+) => {
        $(impl ser::$shape for Items {
            type Ok = Value;
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Error> {
                self.items.push(value(item)?);
                Ok(())
            }

            fn end(self) -> Result<Value, Error> {
                Ok(under(self.variant, Value::List(self.items)))
            }
        })+
    };
}

lists!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

macro_rules! structs {
    ($($shape:ident),+) => {
        $(impl ser::$shape for Entries {
            type Ok = Value;
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, field: &T) -> Result<(), Error> {
                self.entries.push((name.into(), value(field)?));
                Ok(())
            }

            fn end(self) -> Result<Value, Error> {
                self.finish()
            }
        })+
    };
}

structs!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Entries {
    type Ok = Value;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key = value(key)?.to_string().into();
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, entry: &T) -> Result<(), Error> {
        self.entries.push((std::mem::take(&mut self.key), value(entry)?));
        Ok(())
    }

    fn end(self) -> Result<Value, Error> {
        self.finish()
    }
}

impl Entries {
    fn finish(self) -> Result<Value, Error> {
        match self.entries.as_slice() {
            // A number of serde_json, if a crate of the program enables its feature `arbitrary_precision`; the model knows its
            // form.
            [(name, _)] if name == "$serde_json::private::Number" => Value::deserialize(Value::Map(self.entries)),
            _ => Ok(under(self.variant, Value::Map(self.entries))),
        }
    }
}
