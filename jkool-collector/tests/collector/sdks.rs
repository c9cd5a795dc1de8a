//! OpenTelemetry's own SDKs, in the languages that they are for. `.ci/otlp-sdks` installs them and runs each of these tests with the
//! variable SDK_COMMAND, a program of `sdks/`; all programs do the same.

use crate::socket::{ask, request};
use jkool_collector::Collector;
use serde_json::{Value, json};
use std::process::Command;

/// What a program of one of the SDKs has left, entity by entity.
struct Shop(Vec<Value>);

impl Shop {
    /// Runs the program.
    fn run() -> Self {
        let command = std::env::var("SDK_COMMAND").expect("run .ci/otlp-sdks, which says what to run");
        let collector = Collector::builder().listen("127.0.0.1:0").listen_otlp("127.0.0.1:0").start().unwrap();
        let endpoint = format!("http://{}", collector.otlp_address().unwrap());
        let output = Command::new("sh")
            .args(["-c", &command])
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
            .env("OTEL_SERVICE_NAME", "orders")
            .env("OTEL_RESOURCE_ATTRIBUTES", "service.namespace=shop,host.name=web-1,cloud.region=eu-1,team=blue")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(collector.counts().refused, 0);
        let found = ask(&collector, request("GET", "/api/events?limit=1000", &[], "")).json();
        Self(found["events"].as_array().unwrap().iter().map(|item| item["entity"].clone()).collect())
    }

    /// Those of which the field is so.
    fn all(&self, field: &str, value: &str) -> Vec<&Value> {
        self.0.iter().filter(|entity| entity[field] == value).collect()
    }

    fn one(&self, field: &str, value: &str) -> &Value {
        let all = self.all(field, value);
        assert_eq!(all.len(), 1, "{field} {value}: {all:?}");
        all[0]
    }
}

/// A property's value and what it measures.
fn property<'a>(entity: &'a Value, name: &str) -> (&'a Value, &'a str) {
    let properties = entity["properties"].as_array().unwrap();
    let property = properties.iter().find(|property| property["name"] == name);
    let property = property.unwrap_or_else(|| panic!("{name} in {entity}"));
    (&property["value"], property["value-type"].as_str().unwrap_or("none"))
}

/// What every program has sent.
fn check(language: &str) {
    let shop = Shop::run();
    for entity in &shop.0 {
        assert_eq!(entity["source-fqn"], "APPL=orders#SERVICE=shop#SERVER=web-1#DATACENTER=eu-1", "{entity}");
        assert_eq!(property(entity, "resource.team").0, "blue");
        assert_eq!(property(entity, "resource.telemetry.sdk.language").0, language);
    }
    let checkout = shop.one("operation", "checkout");
    let charge = shop.one("operation", "charge");
    let previous = shop.one("operation", "previous");
    logs(&shop, checkout);
    spans(&shop, checkout, charge, previous);
    metrics(&shop);
    // 101 log records, 3 spans, 2 of their events, 3 metrics; beside what Java's SDK counts of itself.
    let is_own =
        |entity: &&Value| !property(entity, "otel.scope.name").0.as_str().unwrap().starts_with("io.opentelemetry");
    assert_eq!(shop.0.iter().filter(is_own).count(), 109);
}

fn logs(shop: &Shop, checkout: &Value) {
    let all = shop.all("operation", "shop.checkout");
    assert_eq!(all.len(), 101);
    for number in 1..=100 {
        let record = shop.one("msg-text", &format!("order {number} processed"));
        assert_eq!((&record["severity"], property(record, "order").0), (&json!("INFO"), &json!(number)));
        assert!(record["parent-id"].is_null() && record["time-usec"].is_i64(), "{record}");
    }
    let within = shop.one("msg-text", "out of stock");
    assert_eq!((&within["severity"], &within["parent-id"]), (&json!("WARNING"), &checkout["tracking-id"]));
    assert_eq!(within["corrid"], checkout["corrid"]);
}

fn spans(shop: &Shop, checkout: &Value, charge: &Value, previous: &Value) {
    for span in [checkout, charge, previous] {
        assert_eq!((&span["type"], property(span, "otel.scope.version").0), (&json!("ACTIVITY"), &json!("1.2.3")));
        assert!(span["elapsed-time-usec"].is_i64(), "{span}");
    }
    assert_eq!(property(checkout, "otel.kind").0, "server");
    assert_eq!((property(checkout, "amount").0, property(checkout, "items").0), (&json!(42.5), &json!(["a", "b"])));
    assert_eq!((&checkout["status"], &checkout["parent-id"]), (&json!("END"), &Value::Null));
    assert_eq!((property(charge, "otel.kind").0, &charge["parent-id"]), (&json!("client"), &checkout["tracking-id"]));
    assert_eq!((&charge["status"], &charge["comp-code"]), (&json!("EXCEPTION"), &json!("ERROR")));
    assert_eq!(charge["exception"], "card declined");
    let expected = [&checkout["corrid"][0], &previous["corrid"][0], &previous["tracking-id"]];
    assert_eq!(charge["corrid"], json!(expected), "the link correlates");
    assert_eq!(property(charge, "link.1.why").0, "batch");
    let retry = shop.one("operation", "retry");
    assert_eq!((property(retry, "attempt").0, &retry["parent-id"]), (&json!(2), &charge["tracking-id"]));
    let thrown = shop.one("operation", "exception");
    assert_eq!((&thrown["severity"], &thrown["parent-id"]), (&json!("ERROR"), &charge["tracking-id"]));
    assert!(thrown["exception"].as_str().unwrap().contains("reset"), "{thrown}");
}

fn metrics(shop: &Shop) {
    let orders = shop.one("name", "orders");
    let (value, measures) = property(orders, "value");
    // JavaScript has no whole numbers.
    assert_eq!((value.as_f64(), measures, property(orders, "path").0), (Some(3.0), "counter", &json!("/")));
    assert_eq!(
        (property(orders, "unit").0, property(orders, "description").0),
        (&json!("{order}"), &json!("orders taken"))
    );
    let latency = shop.one("name", "latency");
    assert_eq!(property(latency, "count").0, &json!(3));
    for (name, value) in [("sum", 555.0), ("min", 5.0), ("max", 500.0), ("mean", 185.0)] {
        assert_eq!(
            (property(latency, name).0.as_f64(), property(latency, name).1),
            (Some(value), "age.msec"),
            "{name}"
        );
    }
    let median = property(latency, "p50").0.as_f64().unwrap();
    assert!((5.0..=500.0).contains(&median), "{median}");
    assert_eq!(property(shop.one("name", "temperature"), "value"), (&json!(21.5), "temp.c"));
}

#[test]
#[ignore = "needs Python: .ci/otlp-sdks"]
fn python() {
    check("python");
}

#[test]
#[ignore = "needs Node.js: .ci/otlp-sdks"]
fn node() {
    check("nodejs");
}

#[test]
#[ignore = "needs Go: .ci/otlp-sdks"]
fn go() {
    check("go");
}

#[test]
#[ignore = "needs Java and Maven: .ci/otlp-sdks"]
fn java() {
    check("java");
}
