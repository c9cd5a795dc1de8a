//! How fields are read and written: reading accepts many forms, writing uses one.
//!
//! The structs of the protocol are tables of `wire name | older spelling => field`, defined by [`wire_struct!`]. The type of a
//! field determines its form on the wire, by [`Wire`] (`wire_fields.rs`): an empty field is absent, and reading accepts every
//! form that a real client was seen to send.

use crate::json::Json;
use crate::value::Value;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

/// A field's form on the wire.
pub(crate) trait Wire: Sized {
    /// Whether there is nothing to write.
    fn is_absent(&self) -> bool;

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Appends the JSON that [`write`](Self::write) produces.
    fn write_json<'a>(&self, out: Json<'a>) -> Json<'a>;

    /// Clears it. A list keeps its capacity.
    fn clear(&mut self)
    where
        Self: Default,
    {
        *self = Self::default();
    }

    /// The heap memory that it uses, in bytes.
    fn heap_size(&self) -> usize {
        0
    }

    /// Never called for null, which means the same as an absent key.
    fn read(value: Value) -> Result<Self, String>;

    /// Reads directly from the input, if that is faster than by a [`Value`].
    fn read_from<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Null => Ok(None),
            value => Self::read(value).map(Some).map_err(de::Error::custom),
        }
    }
}

/// A key of an object, borrowed if possible.
pub(crate) struct Key<'de>(Cow<'de, str>);

impl Deref for Key<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;

        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field name")
            }

            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }

            fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }

        deserializer.deserialize_identifier(KeyVisitor)
    }
}

/// Reads a field's value as [`Wire`] says, null as its default.
pub(crate) struct Lenient<T>(pub(crate) T);

impl<'de, T: Wire + Default> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(T::read_from(deserializer)?.unwrap_or_default()))
    }
}

/// Writes a field's value as [`Wire`] says.
pub(crate) struct Written<'a, T>(pub(crate) &'a T);

impl<T: Wire> Serialize for Written<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

/// Defines a struct of the protocol by its table of fields. The table is the only place with a field's name on the wire.
/// Unknown keys are ignored, and of two spellings of one field the last one that is not empty counts.
macro_rules! wire_struct {
    (
        $(#[$meta:meta])*
        pub struct $name:ident($expecting:literal) {
            $( $wire:literal $(| $alias:literal)* $(via $codec:ident)? => $(#[$field_meta:meta])* $field:ident: $ty:ty $(= $default:expr)?, )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $( $(#[$field_meta])* #[doc = concat!("\n\nOn the wire: `", $wire, "`.")] pub $field: $ty, )+
        }

        /// All fields empty.
        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: $crate::wire::wire_struct!(@default $($default)?), )+ }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                $( if !$crate::wire::wire_struct!(@is_absent &self.$field $(, $codec)?) {
                    serde::ser::SerializeMap::serialize_entry(
                        &mut map, $wire, &$crate::wire::wire_struct!(@written &self.$field $(, $codec)?),
                    )?;
                } )+
                serde::ser::SerializeMap::end(map)
            }
        }

        impl $name {
            /// Appends it as JSON on one line: the same bytes as `serde_json`, in about a quarter of the time.
            ///
            /// ```
            #[doc = concat!("let it = jkool_model::", stringify!($name), "::default();")]
            /// let mut json = Vec::new();
            /// it.append_json(&mut json);
            /// assert_eq!(json, serde_json::to_vec(&it).unwrap());
            /// ```
            pub fn append_json(&self, out: &mut Vec<u8>) {
                self.write_json($crate::json::Json::entity(out)).end();
            }

            pub(crate) fn write_json<'a>(&self, out: $crate::json::Json<'a>) -> $crate::json::Json<'a> {
                let start = out.at();
                $( let out = match $crate::wire::wire_struct!(@is_absent &self.$field $(, $codec)?) {
                    true => out,
                    false => {
                        let out = out.raw(concat!(",\"", $wire, "\":").as_bytes());
                        $crate::wire::wire_struct!(@write_json &self.$field, out $(, $codec)?)
                    }
                }; )+
                out.enclose(start, *b"{}")
            }

            /// Returns the approximate heap memory that it uses, in bytes: its texts, and the capacity of its lists.
            ///
            /// ```
            #[doc = concat!("assert_eq!(jkool_model::", stringify!($name), "::default().heap_size(), 0);")]
            /// ```
            pub fn heap_size(&self) -> usize {
                0 $( + $crate::wire::Wire::heap_size(&self.$field) )+
            }
        }

        impl $name {
            /// Resets all fields to their defaults. Lists keep their capacity.
            #[doc(hidden)]
            pub fn clear(&mut self) {
                $( $crate::wire::wire_struct!(@clear &mut self.$field $(, $default)?); )+
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct FieldVisitor;

                impl<'de> serde::de::Visitor<'de> for FieldVisitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($expecting)
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        let mut read = $name::default();
                        while let Some(key) = map.next_key::<$crate::wire::Key>()? {
                            match &*key {
                                $( $wire $(| $alias)* => $crate::wire::next_field(&mut map, &key, &mut read.$field)?, )+
                                // Passed over, and still told if it is no JSON.
                                _ => { map.next_value::<$crate::value::Value>()?; }
                            }
                        }
                        Ok(read)
                    }
                }

                deserializer.deserialize_map(FieldVisitor)
            }
        }
    };
    (@default) => { Default::default() };
    (@default $default:expr) => { $default };
    (@clear $field:expr) => { $crate::wire::Wire::clear($field) };
    (@clear $field:expr, $default:expr) => { *$field = $default };
    (@is_absent $field:expr) => { $crate::wire::Wire::is_absent($field) };
    (@is_absent $field:expr, $codec:ident) => { $codec::is_absent($field) };
    (@write_json $field:expr, $out:ident) => { $crate::wire::Wire::write_json($field, $out) };
    (@write_json $field:expr, $out:ident, $codec:ident) => { $codec::write_json($field, $out) };
    (@written $field:expr) => { $crate::wire::Written($field) };
    (@written $field:expr, $codec:ident) => { $codec::Written($field) };
}

/// Reads the value of `key` into `field`; null and empty values change nothing. An error contains the name of the field.
pub(crate) fn next_field<'de, A: MapAccess<'de>, T: Wire>(
    map: &mut A,
    key: &str,
    field: &mut T,
) -> Result<(), A::Error> {
    struct Named<'a, T>(&'a str, std::marker::PhantomData<T>);

    impl<'de, T: Wire> de::DeserializeSeed<'de> for Named<'_, T> {
        type Value = Option<T>;

        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
            T::read_from(deserializer).map_err(|error| de::Error::custom(format_args!("{}: {error}", self.0)))
        }
    }

    match map.next_value_seed(Named::<T>(key, std::marker::PhantomData))? {
        Some(value) if !value.is_absent() => *field = value,
        _ => {}
    }
    Ok(())
}

pub(crate) use wire_struct;
