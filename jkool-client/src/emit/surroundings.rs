//! The source of a client that was given none: what the variables of the environment and the system say of where it runs. Nothing is
//! asked of the network.

mod container;
mod resource_variable;

use crate::emit::host::Host;
use jkool_model::{SourceError, SourceFqn};
use std::collections::BTreeMap;

/// A source, and what is wrong with a variable that was passed over.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) source: SourceFqn,
    pub(crate) passed_over: Option<String>,
}

/// What is known of a resource, by the names of OpenTelemetry.
type Attributes = BTreeMap<String, String>;

/// Variables by which a pod is told of itself. Kubernetes has no names of its own for them; these are those of its documentation, and
/// those that OpenTelemetry's and others' charts use.
const DOWNWARD: &[(&str, &[&str])] = &[
    ("k8s.pod.name", &["POD_NAME", "K8S_POD_NAME", "KUBERNETES_POD_NAME", "MY_POD_NAME"]),
    ("k8s.namespace.name", &["POD_NAMESPACE", "K8S_NAMESPACE", "KUBERNETES_NAMESPACE", "MY_POD_NAMESPACE"]),
    ("k8s.node.name", &["NODE_NAME", "K8S_NODE_NAME", "KUBERNETES_NODE_NAME", "MY_NODE_NAME"]),
    ("host.ip", &["POD_IP", "K8S_POD_IP", "KUBERNETES_POD_IP", "MY_POD_IP"]),
];

/// The source that variables and files tell of.
///
/// # Errors
/// When `JKOOL_SOURCE` is no source: it is for this client alone, so that whoever sets it wants it to be used.
pub(crate) fn look(
    env: impl Fn(&str) -> Option<String>,
    file: impl Fn(&str) -> Option<String>,
    host: &Host,
) -> Result<Found, SourceError> {
    if let Some(source) = env("JKOOL_SOURCE") {
        return Ok(Found { source: source.trim().parse()?, passed_over: None });
    }
    let mut passed_over = None;
    let mut attributes = Attributes::new();
    if let Some(text) = env("OTEL_RESOURCE_ATTRIBUTES") {
        match resource_variable::parse(&text) {
            Ok(parsed) => attributes = parsed,
            Err(error) => passed_over = Some(format!("OTEL_RESOURCE_ATTRIBUTES is ignored: {error}")),
        }
    }
    if let Some(name) = env("OTEL_SERVICE_NAME") {
        attributes.insert("service.name".into(), name);
    }
    // A `NODE_NAME` elsewhere may be anything.
    if env("KUBERNETES_SERVICE_HOST").is_some() {
        for (attribute, variables) in DOWNWARD {
            add(&mut attributes, attribute, variables.iter().find_map(|variable| env(variable)));
        }
        // What a pod's host is called, unless it shares that of its node.
        add(&mut attributes, "k8s.pod.name", env("HOSTNAME"));
    } else {
        add(&mut attributes, "container.id", container::id(file));
    }
    add(&mut attributes, "service.name", Some(host.program.clone()));
    if !attributes.contains_key("k8s.node.name") {
        add(&mut attributes, "host.name", Some(host.name.clone()));
    }
    add(&mut attributes, "host.ip", Some(host.address.clone()));
    let source = SourceFqn::from_resource(|name| attributes.get(name).map(String::as_str));
    // There is always a program, a host and an address; to go without is no reason to fail.
    let source = source.map_or_else(|| SourceFqn::builder().appl("?").server("?").netaddr("?").build(), Ok)?;
    Ok(Found { source, passed_over })
}

/// What was said before stays.
fn add(attributes: &mut Attributes, attribute: &str, value: Option<String>) {
    if let Some(value) = value.filter(|value| !value.trim().is_empty()) {
        let said = attributes.entry(attribute.to_owned()).or_default();
        if said.trim().is_empty() {
            *said = value;
        }
    }
}

#[cfg(test)]
mod tests;
