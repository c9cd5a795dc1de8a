//! Reads key-values that are plain properties, so that no event must be created for their record.

use crate::value;
use jkool_client::facade::keys;
use jkool_client::facade::message::PANICKED;
use jkool_client::model::{Property, Scalar};
use jkool_client::{RawProperties, catch_panic};
use log::Record;
use log::kv::{self, Key, VisitSource, VisitValue};
use std::cell::Cell;

/// The kinds of key-values in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    None,
    /// Each becomes a property with its key as the name.
    Plain,
    /// Some set fields of the event, or cannot be determined.
    Others,
}

/// A key without the prefix of a raw identifier: `r#type` is `type`.
pub(crate) fn name<'k>(key: &'k Key<'_>) -> &'k str {
    key.as_str().strip_prefix("r#").unwrap_or(key.as_str())
}

/// Checks the keys. A key is not plain if the client `adds` a property with this name itself.
pub(crate) fn look(record: &Record<'_>, adds: impl Fn(&str) -> bool) -> Found {
    let mut keys = Keys { adds, found: Found::None };
    // The source of key-values may be the program's own code.
    match catch_panic(|| record.key_values().visit(&mut keys).is_ok()) {
        Some(true) => keys.found,
        _ => Found::Others,
    }
}

struct Keys<F> {
    adds: F,
    found: Found,
}

impl<'kvs, F: Fn(&str) -> bool> VisitSource<'kvs> for Keys<F> {
    fn visit_pair(&mut self, key: Key<'kvs>, _: kv::Value<'kvs>) -> Result<(), kv::Error> {
        let name = name(&key);
        let plain = keys::of_event(name).is_none() && !(self.adds)(name);
        if self.found != Found::Others {
            self.found = if plain { Found::Plain } else { Found::Others };
        }
        Ok(())
    }
}

thread_local! {
    /// A buffer for the next properties, because the current ones are gone by then.
    static SPARE: Cell<RawProperties> = const { Cell::new(RawProperties::new()) };
}

/// Large buffers are not kept, so that one large record does not use memory for the rest of the thread's life.
const MAX_SPARE: usize = 4 << 10;

/// Calls `f` with the properties. A value that panics becomes `[panicked]`. If the source fails, the properties before the failure
/// are kept.
pub(crate) fn with_raw(record: &Record<'_>, f: impl FnOnce(&RawProperties)) {
    let mut properties = SPARE.try_with(Cell::take).unwrap_or_default();
    properties.clear();
    catch_panic(|| record.key_values().visit(&mut Append(&mut properties)).unwrap_or_default());
    f(&properties);
    if properties.capacity() <= MAX_SPARE {
        SPARE.try_with(|spare| spare.set(properties)).unwrap_or_default();
    }
}

struct Append<'a>(&'a mut RawProperties);

impl<'kvs> VisitSource<'kvs> for Append<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: kv::Value<'kvs>) -> Result<(), kv::Error> {
        let mut append = AppendValue { properties: self.0, name: name(&key) };
        // The visitor never fails.
        match catch_panic(|| value.visit(&mut append).unwrap_or_default()) {
            Some(()) => Ok(()),
            None => append.scalar(Scalar::Text(PANICKED)),
        }
    }
}

struct AppendValue<'a> {
    properties: &'a mut RawProperties,
    name: &'a str,
}

impl AppendValue<'_> {
    fn scalar(&mut self, value: Scalar<'_>) -> Result<(), kv::Error> {
        self.properties.push(self.name, value);
        Ok(())
    }
}

impl<'v> VisitValue<'v> for AppendValue<'_> {
    fn visit_any(&mut self, value: kv::Value<'_>) -> Result<(), kv::Error> {
        // Formatted before anything is written, because it may panic.
        self.properties.push_property(&Property::new(self.name.to_owned(), value::typed(&value)));
        Ok(())
    }

    fn visit_bool(&mut self, bool: bool) -> Result<(), kv::Error> {
        self.scalar(Scalar::Bool(bool))
    }

    fn visit_i64(&mut self, int: i64) -> Result<(), kv::Error> {
        self.scalar(Scalar::Long(int))
    }

    fn visit_u64(&mut self, int: u64) -> Result<(), kv::Error> {
        match i64::try_from(int) {
            Ok(int) => self.visit_i64(int),
            Err(_) => self.visit_any(int.into()),
        }
    }

    fn visit_f64(&mut self, double: f64) -> Result<(), kv::Error> {
        self.scalar(Scalar::Double(double))
    }

    fn visit_char(&mut self, character: char) -> Result<(), kv::Error> {
        self.visit_any(character.into())
    }

    fn visit_str(&mut self, text: &str) -> Result<(), kv::Error> {
        self.scalar(Scalar::Text(text))
    }
}
