//! Converts the value of a key-value to a typed one.

use crate::structured;
use jkool_client::facade::message;
use jkool_client::model::{TypedValue, Value, error_chain};
use log::kv::{self, VisitValue};
use std::error::Error;

/// Converts a value. All integers that fit 64 bits become `long`: `log` passes no smaller types, and the type of a metric
/// should not depend on its size.
pub(crate) fn typed(value: &kv::Value<'_>) -> TypedValue {
    let mut typed = Typed(().into());
    // The visitor never fails.
    value.visit(&mut typed).unwrap_or_default();
    typed.0
}

struct Typed(TypedValue);

impl Typed {
    fn set(&mut self, value: impl Into<TypedValue>) -> Result<(), kv::Error> {
        self.0 = value.into();
        Ok(())
    }
}

impl<'v> VisitValue<'v> for Typed {
    /// A value captured by `Debug` or `Display` becomes a text, one captured by `Serialize` keeps its structure. A value that
    /// cannot be serialized becomes a text.
    fn visit_any(&mut self, value: kv::Value<'_>) -> Result<(), kv::Error> {
        match structured::value(&value) {
            Some(Value::Int(int)) => self.set(int),
            Some(structured) => self.set(structured),
            None => self.set(message::of(&format_args!("{value}"))),
        }
    }

    fn visit_null(&mut self) -> Result<(), kv::Error> {
        self.set(())
    }

    fn visit_bool(&mut self, bool: bool) -> Result<(), kv::Error> {
        self.set(bool)
    }

    fn visit_i64(&mut self, int: i64) -> Result<(), kv::Error> {
        self.set(int)
    }

    fn visit_u64(&mut self, int: u64) -> Result<(), kv::Error> {
        self.set(int)
    }

    fn visit_i128(&mut self, int: i128) -> Result<(), kv::Error> {
        match i64::try_from(int) {
            Ok(int) => self.set(int),
            Err(_) => self.set(int),
        }
    }

    fn visit_u128(&mut self, int: u128) -> Result<(), kv::Error> {
        match u64::try_from(int) {
            Ok(int) => self.set(int),
            Err(_) => self.set(int),
        }
    }

    fn visit_f64(&mut self, double: f64) -> Result<(), kv::Error> {
        self.set(double)
    }

    fn visit_char(&mut self, character: char) -> Result<(), kv::Error> {
        self.set(character)
    }

    fn visit_str(&mut self, text: &str) -> Result<(), kv::Error> {
        self.set(text.to_owned())
    }

    fn visit_error(&mut self, error: &(dyn Error + 'static)) -> Result<(), kv::Error> {
        self.set(error_chain(error))
    }

    fn visit_borrowed_error(&mut self, error: &'v (dyn Error + 'static)) -> Result<(), kv::Error> {
        self.set(error_chain(error))
    }
}
