//! The units of a field's values.

use super::FieldName;
use jkool_model::{Entity, Property, Snapshot, ValueType};

/// The value type of `field` in `entity`, if it is a property that has one.
pub(crate) fn value_type_of(entity: &Entity, field: &str) -> Option<ValueType> {
    let (properties, snapshots): (&[Property], &[Snapshot]) = match entity {
        Entity::Event(event) => (&event.properties, &event.snapshots),
        Entity::Activity(activity) => (&activity.properties, &activity.snapshots),
        Entity::Snapshot(snapshot) => (&[], std::slice::from_ref(snapshot)),
        _ => (&[], &[]),
    };
    let own = properties.iter().map(|property| (FieldName::property(&property.name), property));
    let of_snapshots = snapshots.iter().flat_map(|snapshot| {
        let name = |property: &Property| FieldName::snapshot(&snapshot.category, &snapshot.name, &property.name);
        snapshot.properties.iter().map(move |property| (name(property), property))
    });
    let found = own.chain(of_snapshots).find(|(name, _)| name.as_str() == field);
    found.map(|(_, property)| property.value_type.clone()).filter(|value_type| *value_type != ValueType::None)
}
