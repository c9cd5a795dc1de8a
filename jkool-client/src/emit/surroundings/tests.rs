//! What is found under which circumstances.

use super::look;
use crate::emit::host::Host;
use jkool_model::SourceFqn;
use proptest::prelude::*;

fn host() -> Host {
    Host { name: "web-1".into(), address: "11.0.0.2".into(), user: "bob".into(), program: "orders".into(), pid: 7 }
}

fn found(variables: &[(&str, &str)]) -> String {
    let env = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    let found = look(env, |_| None, &host()).unwrap();
    assert_eq!(found.passed_over, None);
    found.source.to_string()
}

#[test]
fn without_anything_it_is_program_host_and_address() {
    assert_eq!(found(&[]), "APPL=orders#SERVER=web-1#NETADDR=11.0.0.2");
}

#[test]
fn the_variable_of_jkool_comes_before_all_others() {
    let variables = [("JKOOL_SOURCE", " APPL=Web#SERVER=? "), ("OTEL_SERVICE_NAME", "other")];
    assert_eq!(found(&variables), "APPL=Web#SERVER=?");
}

#[test]
fn a_wrong_variable_of_jkool_is_an_error() {
    let error = look(|name| (name == "JKOOL_SOURCE").then(|| "APPL=a#HOST=b".into()), |_| None, &host()).unwrap_err();
    assert_eq!(error.to_string(), "source element 2 at byte 7: `HOST` is not a source type");
}

#[test]
fn variables_of_open_telemetry_are_used() {
    let attributes = "service.name=no,service.namespace=shop,host.name=h%201,cloud.region=eu";
    assert_eq!(
        found(&[("OTEL_RESOURCE_ATTRIBUTES", attributes), ("OTEL_SERVICE_NAME", "web")]),
        "APPL=web#SERVICE=shop#SERVER=h 1#NETADDR=11.0.0.2#DATACENTER=eu"
    );
}

#[test]
fn a_wrong_variable_of_others_is_passed_over_and_told() {
    let env = |name: &str| match name {
        "OTEL_RESOURCE_ATTRIBUTES" => Some("service.namespace=shop,oops".to_owned()),
        "OTEL_SERVICE_NAME" => Some("web".to_owned()),
        _ => None,
    };
    let found = look(env, |_| None, &host()).unwrap();
    assert_eq!(found.source.as_str(), "APPL=web#SERVER=web-1#NETADDR=11.0.0.2");
    let told = found.passed_over.unwrap();
    assert_eq!(told, "OTEL_RESOURCE_ATTRIBUTES is ignored: \"oops\" has no `=` between key and value");
}

#[test]
fn a_pod_knows_itself_from_the_downward_api() {
    let kubernetes = ("KUBERNETES_SERVICE_HOST", "10.0.0.1");
    let told = [
        kubernetes,
        ("POD_NAME", "orders-5f"),
        ("MY_POD_NAMESPACE", "shop"),
        ("NODE_NAME", "node-7"),
        ("POD_IP", "10.1.2.3"),
        ("HOSTNAME", "x"),
    ];
    assert_eq!(found(&told), "APPL=orders#SERVICE=shop#VIRTUAL=orders-5f#SERVER=node-7#NETADDR=10.1.2.3");
    assert_eq!(
        found(&[kubernetes, ("HOSTNAME", "orders-5f")]),
        "APPL=orders#VIRTUAL=orders-5f#SERVER=web-1#NETADDR=11.0.0.2"
    );
    assert_eq!(found(&told[1..]), "APPL=orders#SERVER=web-1#NETADDR=11.0.0.2");
}

#[test]
fn a_container_has_its_id() {
    let id = "3f248b7b9b04".to_owned() + &"0".repeat(52);
    let file = |path: &str| (path == "/proc/self/cgroup").then(|| format!("4:memory:/docker/{id}\n"));
    let found = look(|_| None, file, &host()).unwrap();
    assert_eq!(found.source.as_str(), "APPL=orders#VIRTUAL=3f248b7b9b04#SERVER=web-1#NETADDR=11.0.0.2");
}

proptest! {
    #[test]
    fn whatever_variables_hold_there_is_a_source(values in proptest::collection::vec("\\PC{0,20}|[a-z=,.%#]{0,30}", 8)) {
        let names = [
            "OTEL_RESOURCE_ATTRIBUTES", "OTEL_SERVICE_NAME", "KUBERNETES_SERVICE_HOST", "POD_NAME", "POD_NAMESPACE", "NODE_NAME",
            "POD_IP", "HOSTNAME",
        ];
        let env = |name: &str| names.iter().position(|known| *known == name).map(|at| values[at].clone());
        let found = look(env, |_| None, &host()).unwrap();
        prop_assert!(found.source.as_str().parse::<SourceFqn>().is_ok());
        prop_assert!(found.source.get(jkool_model::SourceType::Appl).is_some());
    }
}
