//! Fields that are `Valuable` keep their structure, instead of their `Debug` text.

use jkool_client::model::{Text, Value, error_chain};
use valuable::{Enumerable, NamedValues, Slice, Valuable, Visit};

/// A value of the model with the same structure. A variant of an enum is its name, or an object with its fields under
/// its name.
pub(crate) fn of(value: &valuable::Value<'_>) -> Value {
    use valuable::Value as From;
    match *value {
        From::Unit => Value::Null,
        From::Bool(value) => Value::Bool(value),
        From::Char(value) => Value::Text(value.to_string().into()),
        From::F32(value) => Value::Double(value.into()),
        From::F64(value) => Value::Double(value),
        From::I8(value) => Value::Int(value.into()),
        From::I16(value) => Value::Int(value.into()),
        From::I32(value) => Value::Int(value.into()),
        From::I64(value) => Value::Int(value),
        From::I128(value) => int(value),
        From::Isize(value) => int(value as i128),
        From::U8(value) => Value::Int(value.into()),
        From::U16(value) => Value::Int(value.into()),
        From::U32(value) => Value::Int(value.into()),
        From::U64(value) => int(value.into()),
        From::U128(value) => i128::try_from(value).map_or_else(|_| Value::Text(value.to_string().into()), int),
        From::Usize(value) => int(value as i128),
        From::String(value) => Value::Text(value.to_owned().into()),
        From::Path(value) => Value::Text(value.display().to_string().into()),
        From::Error(value) => Value::Text(error_chain(value).into()),
        From::Listable(list) => Parts::of(&list).into_list(),
        From::Tuplable(tuple) => Parts::of(&tuple).into_list(),
        From::Mappable(map) => Parts::of(&map).into_map(),
        From::Structable(fields) => Parts::of(&fields).into_value(),
        From::Enumerable(variant) => enumerated(variant),
        // A kind that a later version may add.
        _ => Value::Text(format!("{value:?}").into()),
    }
}

fn int(value: i128) -> Value {
    i64::try_from(value).map_or(Value::BigInt(value), Value::Int)
}

fn enumerated(value: &dyn Enumerable) -> Value {
    let name: Text = value.variant().name().to_owned().into();
    let parts = Parts::of(&value);
    if parts.items.is_empty() && parts.entries.is_empty() {
        return Value::Text(name);
    }
    Value::Map(vec![(name, parts.into_value())])
}

/// Visits a value: items, or entries with names.
#[derive(Default)]
struct Parts {
    items: Vec<Value>,
    entries: Vec<(Text, Value)>,
}

impl Parts {
    fn of(value: &dyn Valuable) -> Self {
        let mut parts = Self::default();
        value.visit(&mut parts);
        parts
    }

    fn into_list(self) -> Value {
        Value::List(self.items)
    }

    fn into_map(self) -> Value {
        Value::Map(self.entries)
    }

    fn into_value(self) -> Value {
        if self.items.is_empty() { self.into_map() } else { self.into_list() }
    }
}

impl Visit for Parts {
    fn visit_value(&mut self, value: valuable::Value<'_>) {
        self.items.push(of(&value));
    }

    fn visit_primitive_slice(&mut self, slice: Slice<'_>) {
        self.items.extend(slice.iter().map(|item| of(&item)));
    }

    fn visit_unnamed_fields(&mut self, values: &[valuable::Value<'_>]) {
        self.items.extend(values.iter().map(of));
    }

    fn visit_named_fields(&mut self, fields: &NamedValues<'_>) {
        self.entries.extend(fields.iter().map(|(field, value)| (field.name().to_owned().into(), of(value))));
    }

    fn visit_entry(&mut self, key: valuable::Value<'_>, value: valuable::Value<'_>) {
        let key = match of(&key) {
            Value::Text(key) => key,
            key => key.to_string().into(),
        };
        self.entries.push((key, of(&value)));
    }
}
