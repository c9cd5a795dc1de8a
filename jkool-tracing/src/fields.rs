//! Typed values of `tracing` fields.

use jkool_client::catch_panic;
use jkool_client::facade::message::{self, PANICKED};
use jkool_client::model::{Scalar, Text, TypedValue, error_chain};
use std::error::Error;
use std::fmt;
use tracing_core::Field;
use tracing_core::field::Visit;

/// Receives each field.
pub(crate) trait Take {
    /// A value of a primitive type, without converting it to a value of the model.
    fn scalar(&mut self, field: &Field, value: Scalar<'_>);

    fn typed(&mut self, name: &'static str, value: TypedValue);
}

impl<F: FnMut(&'static str, TypedValue)> Take for F {
    fn scalar(&mut self, field: &Field, value: Scalar<'_>) {
        self(name(field), value.into());
    }

    fn typed(&mut self, name: &'static str, value: TypedValue) {
        self(name, value);
    }
}

/// Visits fields. A value that panics while it is formatted becomes `[panicked]`.
pub(crate) struct Fields<T>(pub(crate) T);

impl<F: FnMut(&'static str, TypedValue)> Fields<F> {
    /// Calls a function with the name and the value of each field.
    pub(crate) fn each(take: F) -> Self {
        Self(take)
    }
}

impl<T: Take> Fields<T> {
    fn scalar(&mut self, field: &Field, value: Scalar<'_>) {
        self.0.scalar(field, value);
    }

    fn give(&mut self, field: &Field, value: impl Into<TypedValue>) {
        self.0.typed(name(field), value.into());
    }
}

/// The name of a field, without the prefix of raw identifiers.
pub(crate) fn name(field: &Field) -> &'static str {
    let name = field.name();
    name.strip_prefix("r#").unwrap_or(name)
}

/// All integers that fit 64 bits are `long`, as from the log crate: the type of a metric should not depend on its size.
impl<T: Take> Visit for Fields<T> {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.scalar(field, Scalar::Long(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match i64::try_from(value) {
            Ok(value) => self.scalar(field, Scalar::Long(value)),
            Err(_) => self.give(field, value),
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        match i64::try_from(value) {
            Ok(value) => self.scalar(field, Scalar::Long(value)),
            Err(_) => self.give(field, value),
        }
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        match u64::try_from(value) {
            Ok(value) => self.record_u64(field, value),
            Err(_) => self.give(field, value),
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.scalar(field, Scalar::Double(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.scalar(field, Scalar::Bool(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.scalar(field, Scalar::Text(value));
    }

    /// As hexadecimal digits.
    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digits = value.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        let text: String = digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect();
        self.give(field, text);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        match catch_panic(|| error_chain(value)) {
            Some(chain) => self.give(field, chain),
            None => self.give(field, PANICKED),
        }
    }

    #[cfg(all(tracing_unstable, feature = "valuable"))]
    fn record_value(&mut self, field: &Field, value: valuable::Value<'_>) {
        match catch_panic(|| crate::structured::of(&value)) {
            Some(structured) => self.give(field, structured),
            None => self.give(field, PANICKED),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.give(field, message::of(&format_args!("{value:?}")));
    }
}

/// The text of a field.
pub(crate) fn text(value: TypedValue) -> Text {
    match value.value {
        jkool_client::model::Value::Text(text) => text,
        other => other.to_string().into(),
    }
}
