//! How fields are read and written: leniently in, one way out.
//!
//! The structs of the protocol are tables of `wire name | older spelling => field`, made by [`wire_struct!`]. What a field
//! looks like on the wire follows from its type, by [`Wire`] (`wire_fields.rs`): absent when it holds nothing, and readable in every form
//! that a real client was seen to send.

use crate::json::Json;
use crate::value::Value;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

/// A field's form on the wire.
pub(crate) trait Wire: Sized {
    /// Nothing to write.
    fn is_absent(&self) -> bool;

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Appends what [`write`](Self::write) makes of it in JSON.
    fn write_json<'a>(&self, out: Json<'a>) -> Json<'a>;

    /// Makes it hold nothing. A list keeps its room.
    fn clear(&mut self)
    where
        Self: Default,
    {
        *self = Self::default();
    }

    /// How many bytes it takes beside itself.
    fn heap_size(&self) -> usize {
        0
    }

    /// Never asked for null, which means the same as an absent key.
    fn read(value: Value) -> Result<Self, String>;

    /// Reads straight from the input where that saves the detour by [`Value`].
    fn read_from<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Null => Ok(None),
            value => Self::read(value).map(Some).map_err(de::Error::custom),
        }
    }
}

/// A key of an object, borrowed when it can be.
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

/// Makes a struct of the protocol from its table of fields. The table is the only place that knows a field's name on the
/// wire; a key that it does not list is ignored, and of two spellings of one field the last that holds something counts.
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

        /// Nothing set.
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
            /// Appends it as JSON on one line: the same bytes that `serde_json` writes, several times as fast.
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

            /// About how many bytes it takes beside itself: its texts, and what its lists have room for.
            ///
            /// ```
            #[doc = concat!("assert_eq!(jkool_model::", stringify!($name), "::default().heap_size(), 0);")]
            /// ```
            pub fn heap_size(&self) -> usize {
                0 $( + $crate::wire::Wire::heap_size(&self.$field) )+
            }
        }

        impl $name {
            /// Makes it what it was by default. Its lists keep their room.
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

/// Reads the value that follows `key` into `field`; null and empty change nothing. An error says which field it is about.
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
