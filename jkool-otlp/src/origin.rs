//! Maps resource and scope: the resource to a source, and other attributes to properties.

use crate::attributes;
use crate::proto::common::{InstrumentationScope, KeyValue, Resource, any_value};
use jkool_model::{Property, SourceFqn, Text};
use std::cell::RefCell;

/// A resource and a scope, converted once for all items of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    pub(crate) source: Option<SourceFqn>,
    pub(crate) pid: Option<i64>,
    /// The name of the scope: of the logger, the tracer, the meter.
    pub(crate) scope: Text,
    pub(crate) properties: Vec<Property>,
}

impl Origin {
    /// Attributes that are part of the source name are not repeated; all others become properties with the prefix `resource.`.
    pub(crate) fn of_resource(resource: Option<&Resource>) -> Self {
        let Some(Resource { attributes, dropped_attributes_count }) = resource else { return Self::default() };
        // The attributes that were read for the source, with their values.
        let asked = RefCell::new(Vec::new());
        let source = SourceFqn::from_resource(|name| {
            let value = std::str::from_utf8(attributes::find_text(attributes, name)?).ok()?;
            asked.borrow_mut().push((name.to_owned(), value));
            Some(value)
        });
        let mut naming = asked.into_inner();
        naming.retain(|(_, value)| source.iter().flat_map(SourceFqn::elements).any(|(_, told)| told == *value));
        let pid = match attributes::find(attributes, "process.pid").and_then(|value| value.value.as_ref()) {
            Some(any_value::Value::Int(pid)) => Some(*pid),
            _ => None,
        };
        let mut properties = Vec::new();
        for attribute in attributes {
            let is_told = match &attribute.key[..] {
                b"process.pid" => pid.is_some(),
                key => naming.iter().any(|(name, value)| name.as_bytes() == key && is_text(attribute, value)),
            };
            if !is_told {
                attributes::append("resource.", std::slice::from_ref(attribute), &mut properties);
            }
        }
        dropped("resource.dropped_attributes_count", *dropped_attributes_count, &mut properties);
        Self { source, pid, scope: Text::default(), properties }
    }

    /// Adds a scope. Its properties have the names that OpenTelemetry defines for formats without scopes.
    pub(crate) fn with_scope(&self, scope: Option<&InstrumentationScope>) -> Self {
        let mut origin = self.clone();
        let Some(InstrumentationScope { name, version, attributes, dropped_attributes_count }) = scope else {
            return origin;
        };
        origin.scope = attributes::text(name);
        for (property, value) in
            [("otel.scope.name", &origin.scope), ("otel.scope.version", &attributes::text(version))]
        {
            if !value.is_empty() {
                origin.properties.push(Property::new(property, value.clone()));
            }
        }
        attributes::append("otel.scope.", attributes, &mut origin.properties);
        dropped("otel.scope.dropped_attributes_count", *dropped_attributes_count, &mut origin.properties);
        origin
    }
}

fn is_text(attribute: &KeyValue, text: &str) -> bool {
    let value = attribute.value.as_ref().and_then(|value| value.value.as_ref());
    matches!(value, Some(any_value::Value::String(value)) if value == text)
}

/// The number of dropped attributes, if any.
pub(crate) fn dropped(name: &'static str, count: u32, properties: &mut Vec<Property>) {
    if count > 0 {
        properties.push(Property::new(name, count));
    }
}
