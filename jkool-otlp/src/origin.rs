//! Where something comes from: the resource as a source, and what resource and scope say beside it.

use crate::attributes;
use crate::proto::common::{InstrumentationScope, KeyValue, Resource, any_value};
use jkool_model::{Property, SourceFqn, Text};

/// A resource and a scope of it, made ready for all that comes from there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    pub(crate) source: Option<SourceFqn>,
    pub(crate) pid: Option<i64>,
    /// The scope's name: of the logger, the tracer, the meter.
    pub(crate) scope: Text,
    pub(crate) properties: Vec<Property>,
}

impl Origin {
    /// What names the source is in its name. All else that is said of the resource is a property behind `resource.`.
    pub(crate) fn of_resource(resource: Option<&Resource>) -> Self {
        let Some(Resource { attributes, dropped_attributes_count }) = resource else { return Self::default() };
        let source =
            SourceFqn::from_resource(|name| std::str::from_utf8(attributes::find_text(attributes, name)?).ok());
        let pid = match attributes::find(attributes, "process.pid").and_then(|value| value.value.as_ref()) {
            Some(any_value::Value::Int(pid)) => Some(*pid),
            _ => None,
        };
        let mut properties = Vec::new();
        for attribute in attributes {
            let is_told = match &attribute.key[..] {
                b"process.pid" => pid.is_some(),
                key => is_in(source.as_ref(), key, attribute),
            };
            if !is_told {
                attributes::append("resource.", std::slice::from_ref(attribute), &mut properties);
            }
        }
        dropped("resource.dropped_attributes_count", *dropped_attributes_count, &mut properties);
        Self { source, pid, scope: Text::default(), properties }
    }

    /// With a scope. Its properties are called as OpenTelemetry has it for formats that know no scopes.
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

/// Whether the source's name tells the attribute, as it is.
fn is_in(source: Option<&SourceFqn>, key: &[u8], attribute: &KeyValue) -> bool {
    const NAMING: [&[u8]; 12] = [
        b"service.name",
        b"service.namespace",
        b"k8s.namespace.name",
        b"k8s.pod.name",
        b"container.name",
        b"container.id",
        b"host.name",
        b"k8s.node.name",
        b"host.id",
        b"host.ip",
        b"cloud.availability_zone",
        b"cloud.region",
    ];
    let Some(any_value::Value::String(value)) = attribute.value.as_ref().and_then(|value| value.value.as_ref()) else {
        return false;
    };
    let in_source = || source.is_some_and(|source| source.elements().any(|(_, name)| name.as_bytes() == value));
    NAMING.contains(&key) && in_source()
}

/// How much was left out, if anything.
pub(crate) fn dropped(name: &'static str, count: u32, properties: &mut Vec<Property>) {
    if count > 0 {
        properties.push(Property::new(name, count));
    }
}
