//! Derives the source of a client that was given none, from environment variables and the system. The network is not
//! used.

mod container;
mod resource_variable;

use crate::emit::host::Host;
use jkool_model::{SourceError, SourceFqn};
use std::collections::BTreeMap;

/// A source, and what is wrong with a variable that was ignored.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) source: SourceFqn,
    pub(crate) passed_over: Option<String>,
}

/// The attributes of a resource, by OpenTelemetry's names.
type Attributes = BTreeMap<String, String>;

/// Variables that describe a pod. Kubernetes does not define names; these are used in its documentation, and in the
/// charts of OpenTelemetry and others.
const DOWNWARD: &[(&str, &[&str])] = &[
    ("k8s.pod.name", &["POD_NAME", "K8S_POD_NAME", "KUBERNETES_POD_NAME", "MY_POD_NAME"]),
    ("k8s.namespace.name", &["POD_NAMESPACE", "K8S_NAMESPACE", "KUBERNETES_NAMESPACE", "MY_POD_NAMESPACE"]),
    ("k8s.node.name", &["NODE_NAME", "K8S_NODE_NAME", "KUBERNETES_NODE_NAME", "MY_NODE_NAME"]),
    ("host.ip", &["POD_IP", "K8S_POD_IP", "KUBERNETES_POD_IP", "MY_POD_IP"]),
];

/// The source from variables and files.
///
/// # Errors
/// If `JKOOL_SOURCE` is invalid: it is set for this client, so it must not be ignored.
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
    // Outside of Kubernetes a `NODE_NAME` may mean anything.
    if env("KUBERNETES_SERVICE_HOST").is_some() {
        for (attribute, variables) in DOWNWARD {
            add(&mut attributes, attribute, variables.iter().find_map(|variable| env(variable)));
        }
        // The host name of a pod, unless it shares the network of its node.
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
    // There is always a program, a host and an address; if they are unknown, this does not fail.
    let source = source.map_or_else(|| SourceFqn::builder().appl("?").server("?").netaddr("?").build(), Ok)?;
    Ok(Found { source, passed_over })
}

/// Existing attributes are kept.
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
