//! Implementations for types that contain others: references, options, lists, maps.

use super::{PropertySet, ToProperties, part};
use crate::Text;
use crate::property::Property;
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

macro_rules! pointers {
    ($($ty:ty),+) => {
        $(impl<T: ToProperties + ?Sized> ToProperties for $ty {
            fn append_properties(&self, name: Text, properties: &mut Vec<Property>) {
                (**self).append_properties(name, properties);
            }

            fn to_value(&self) -> Value {
                (**self).to_value()
            }
        }

        impl<T: PropertySet + ?Sized> PropertySet for $ty {})+
    };
}

pointers!(&T, Box<T>, Rc<T>, Arc<T>);

impl<T: ToProperties> ToProperties for Option<T> {
    fn append_properties(&self, name: Text, properties: &mut Vec<Property>) {
        if let Some(value) = self {
            value.append_properties(name, properties);
        }
    }

    /// In a list it keeps its position.
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, ToProperties::to_value)
    }
}

impl<T: PropertySet> PropertySet for Option<T> {}

macro_rules! lists {
    ($([$($generics:tt)*] $ty:ty;)+) => {
        $(impl<T: ToProperties, $($generics)*> ToProperties for $ty {
            fn append_properties(&self, name: Text, properties: &mut Vec<Property>) {
                properties.push(Property::new(name, self.to_value()));
            }

            fn to_value(&self) -> Value {
                Value::List(self.iter().map(ToProperties::to_value).collect())
            }
        })+
    };
}

lists! {
    [] [T];
    [const N: usize] [T; N];
    [] Vec<T>;
    [] VecDeque<T>;
    [] BTreeSet<T>;
}

/// In the order of the texts, so that equal sets have equal results.
impl<T: ToProperties + Ord, S> ToProperties for HashSet<T, S> {
    fn append_properties(&self, name: Text, properties: &mut Vec<Property>) {
        properties.push(Property::new(name, self.to_value()));
    }

    fn to_value(&self) -> Value {
        let mut items: Vec<&T> = self.iter().collect();
        items.sort_unstable();
        Value::List(items.into_iter().map(ToProperties::to_value).collect())
    }
}

impl<K: ToString, V: ToProperties> ToProperties for BTreeMap<K, V> {
    fn append_properties(&self, name: Text, properties: &mut Vec<Property>) {
        for (key, value) in self {
            value.append_properties(part(&name, key.to_string().into()), properties);
        }
    }
}

impl<K, V> PropertySet for BTreeMap<K, V> where Self: ToProperties {}

/// In the order of the keys, so that equal maps have equal results.
impl<K: ToString + Ord, V: ToProperties, S> ToProperties for HashMap<K, V, S> {
    fn append_properties(&self, name: Text, properties: &mut Vec<Property>) {
        let mut entries: Vec<(&K, &V)> = self.iter().collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        for (key, value) in entries {
            value.append_properties(part(&name, key.to_string().into()), properties);
        }
    }
}

impl<K, V, S> PropertySet for HashMap<K, V, S> where Self: ToProperties {}
