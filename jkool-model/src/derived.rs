//! What the code that `#[derive(Snapshot)]` writes calls. It is no part of what the crate promises.

use crate::Text;
use crate::property::Property;
use crate::snapshot::Snapshot;
use crate::to_properties::{PropertySet, ToProperties, part};
use crate::value_type::ValueType;

/// A snapshot of all that `whole` holds.
pub fn snapshot(name: &'static str, category: &'static str, fields: usize, whole: &dyn ToProperties) -> Snapshot {
    let mut snapshot = Snapshot::builder(name).category(category).build();
    snapshot.properties.reserve_exact(fields);
    whole.append_properties(Text::default(), &mut snapshot.properties);
    snapshot
}

/// A field, by its name in its struct and that of the struct.
pub fn field<T: ToProperties + ?Sized>(
    value: &T,
    whole: &str,
    name: &'static str,
    value_type: Option<ValueType>,
    properties: &mut Vec<Property>,
) {
    let from = properties.len();
    value.append_properties(part(whole, name.into()), properties);
    if let Some(value_type) = value_type {
        for property in &mut properties[from..] {
            property.value_type = value_type.clone();
        }
    }
}

/// A field whose own fields stand beside the others.
pub fn flatten<T: PropertySet + ?Sized>(
    value: &T,
    whole: &str,
    value_type: Option<ValueType>,
    properties: &mut Vec<Property>,
) {
    let from = properties.len();
    value.append_properties(whole.to_owned().into(), properties);
    if let Some(value_type) = value_type {
        for property in &mut properties[from..] {
            property.value_type = value_type.clone();
        }
    }
}
