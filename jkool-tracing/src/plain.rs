//! A shortcut for new spans whose fields are plain properties, which most are.

use crate::fields::{self, Take};
use crate::known_names;
use crate::properties::OF_TIMES;
use crate::record::Record;
use crate::said::TARGET;
use jkool_client::Client;
use jkool_client::facade::keys;
use jkool_client::model::{Scalar, TypedValue};
use tracing_core::{Field, Metadata};

/// A new span of which all fields [are plain](are_plain): a value is appended without looking for one with the same name.
pub(crate) struct Plain {
    pub(crate) record: Record,
    /// The index after that of the last field; a field that comes again replaces its value. After a value of another type
    /// all fields do.
    pub(crate) next: usize,
}

impl Take for Plain {
    fn scalar(&mut self, field: &Field, value: Scalar<'_>) {
        let index = field.index();
        match &mut self.record.said {
            Some(said) if index >= self.next => said.properties.push(fields::name(field), value),
            _ => self.record.scalar(field, value),
        }
        self.next = self.next.max(index.saturating_add(1));
    }

    fn typed(&mut self, name: &'static str, value: TypedValue) {
        self.record.typed(name, value);
        self.next = usize::MAX;
    }
}

/// More fields are not plain.
const MAX_PLAIN: usize = 64;

/// Whether all fields of a span are properties for every value, with names that differ from each other, and from those
/// that a span adds.
pub(crate) fn are_plain(layer: usize, client: &Client, metadata: &'static Metadata<'static>) -> bool {
    known_names::all(layer, metadata, || {
        let names: Vec<_> = metadata.fields().iter().map(|field| fields::name(&field)).collect();
        let is_own = |name: &str| name == TARGET || OF_TIMES.contains(&name);
        let is_plain = |(at, name): (usize, &&'static str)| {
            is_property(client, name) && !is_own(name) && !names[..at].contains(name)
        };
        names.len() <= MAX_PLAIN && names.iter().enumerate().all(is_plain)
    })
}

/// Whether a field is a property for every value.
pub(crate) fn is_property(client: &Client, name: &str) -> bool {
    !name.starts_with("otel.") && keys::of_activity(name).is_none() && !client.adds_property(name)
}
