//! What TNT4PY's README shows, as log calls: what goes out means what its recorded lines mean.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use jkool_log::builder;
use jkool_log::model::{CompCode, DataType, Property, Snapshot, Timestamp, TypedValue, Value};
use jkool_log::transport::MemoryTransport;
use log::{LevelFilter, Log, error, info};
use serde_json::{Value as Json, json};
use std::time::Duration;

const FQN: &str =
    "APPL=PythonStreaming#SERVER=PythonServer100#NETADDR=11.0.0.2#DATACENTER=DC1#GEOADDR=52.52437,13.41053";
/// What TNT4PY calls its logger.
const LOGGER: &str = "jKool logger";

/// What goes out for a log call.
fn sent(log: impl FnOnce(&dyn Log)) -> Json {
    log::set_max_level(LevelFilter::Trace);
    let memory = MemoryTransport::new();
    let (logger, guard) = builder()
        .transport(memory.clone())
        .source(FQN.parse().unwrap())
        .user("bob")
        .code_location(false)
        .build()
        .unwrap();
    log(&logger);
    assert!(guard.shutdown(Duration::from_secs(30)).is_delivered());
    serde_json::from_str(&memory.bodies()[0]).unwrap()
}

/// A line of Python's with today's names: of keys, of types, and a list of correlators.
fn renamed(python: &str) -> Json {
    let python = python
        .replace("\"corr-id\"", "\"corrid\"")
        .replace("\"wait-time-used\"", "\"wait-time-usec\"")
        .replace("\"parent-tracking-id\"", "\"parent-id\"")
        .replace("\"integer\"", "\"int\"")
        .replace("\"boolean\"", "\"bool\"")
        // Text of a number's type means the number.
        .replace("\"value\": \"42\"", "\"value\": 42");
    let mut json: Json = serde_json::from_str(&python).unwrap();
    if let Some(one) = json.get("corrid").filter(|corrid| corrid.is_string()).cloned() {
        json["corrid"] = json!([one]);
    }
    json
}

/// Compares; `ours` are the keys that the client fills in and Python leaves out, or makes afresh for each event.
fn assert_same(mut sent: Json, python: &str, ours: &[&str]) {
    let mut python = renamed(python);
    for key in ours {
        assert!(sent.as_object_mut().unwrap().remove(*key).is_some(), "{key} is missing");
        python.as_object_mut().unwrap().remove(*key);
    }
    assert_eq!(sent, python);
}

#[test]
fn a_plain_error() {
    assert_same(
        sent(|logger| error!(logger: logger, target: LOGGER, "Test log")),
        r#"{"operation": "jKool logger", "type": "EVENT", "msg-text": "Test log", "severity": "ERROR"}"#,
        &["source-fqn", "tracking-id", "time-usec", "user", "pid", "tid"],
    );
}

#[test]
fn an_event_with_its_source() {
    assert_same(
        sent(|logger| info!(logger: logger, target: LOGGER, "This is an example")),
        r#"{"operation": "jKool logger", "type": "EVENT", "msg-text": "This is an example", "severity": "INFO",
            "source-fqn": "APPL=PythonStreaming#SERVER=PythonServer100#NETADDR=11.0.0.2#DATACENTER=DC1#GEOADDR=52.52437,13.41053",
            "tracking-id": "a7e59da5-c9af-4b79-bdb1-701acf9af26f", "time-usec": 1795349690876101}"#,
        &["tracking-id", "time-usec", "user", "pid", "tid"],
    );
}

#[test]
fn time_correlator_and_location() {
    assert_same(
        sent(|logger| {
            info!(
                logger: logger, target: LOGGER,
                time_usec = 1_457_524_800_000_000_i64, corr_id = "your-correlator-id", location = "Atlanta, Ga";
                "This is an example"
            );
        }),
        r#"{"operation": "jKool logger", "type": "EVENT", "msg-text": "This is an example", "severity": "INFO",
            "source-fqn": "APPL=PythonStreaming#SERVER=PythonServer100#NETADDR=11.0.0.2#DATACENTER=DC1#GEOADDR=52.52437,13.41053",
            "tracking-id": "a7e59da5-c9af-4b79-bdb1-701acf9af26f", "time-usec": 1457524800000000,
            "corr-id": "your-correlator-id", "location": "Atlanta, Ga"}"#,
        &["tracking-id", "user", "pid", "tid"],
    );
}

/// The snapshot of the recorded call, with every type that Python had.
fn payment() -> Snapshot {
    Snapshot::builder("Payment")
        .time(Timestamp::from_usec(1_466_662_761_000_000))
        .parent_id("11111111-2222-3333-4444-555555555555")
        .category("Order")
        .property("order-no", "A-100")
        .property("order-amount", 42)
        .property("long", 9_007_199_254_740_993_i64)
        .property("double", 3.25)
        .property("float", 1e-7_f32)
        .property("bool", true)
        .property("none", ())
        .property("list", Value::List(vec![Value::Int(1), Value::Text("two".into())]))
        .property("str-number", 42)
        .property("date", TypedValue::new(Value::Int(1_466_662_761_000), DataType::Date))
        .build()
}

#[test]
fn an_order_with_its_payment_and_every_keyword() {
    assert_same(
        sent(|logger| {
            info!(
                logger: logger, target: LOGGER,
                tracking_id = "11111111-2222-3333-4444-555555555555", time_usec = 1_457_524_800_000_000_i64,
                corr_id = "corr-1", exception = "java.lang.IllegalStateException: boom", resource = "QUEUE.IN",
                wait_time_used = 250, source_url = "http://example.com/a?b=c&d=e", severity = 40, pid = 4242, tid = 77,
                comp_code:% = CompCode::Error, reason_code = 2033, location = "Atlanta, Ga", operation = "placeOrder",
                user = "bob", start_time_usec = 1_457_524_799_000_000_i64, end_time_usec = 1_457_524_800_000_000_i64,
                elapsed_time_usec = 1_000_000, msg_size = 18, encoding = "none", charset = "UTF-8",
                mime_type = "text/plain", msg_age = 15, msg_tag = "tag-1",
                parent_tracking_id = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
                properties:serde = [Property::new("p-str", "v"), Property::new("p-int", 5)],
                snapshots:serde = [payment()];
                "This is an example"
            );
        }),
        r#"{"operation": "placeOrder", "type": "EVENT", "msg-text": "This is an example", "severity": "ERROR",
            "source-fqn": "APPL=PythonStreaming#SERVER=PythonServer100#NETADDR=11.0.0.2#DATACENTER=DC1#GEOADDR=52.52437,13.41053",
            "tracking-id": "11111111-2222-3333-4444-555555555555", "time-usec": 1457524800000000, "corr-id": "corr-1",
            "exception": "java.lang.IllegalStateException: boom", "resource": "QUEUE.IN", "wait-time-used": 250,
            "source-url": "http://example.com/a?b=c&d=e", "pid": 4242, "tid": 77, "comp-code": "ERROR",
            "reason-code": 2033, "location": "Atlanta, Ga", "user": "bob", "start-time-usec": 1457524799000000,
            "end-time-usec": 1457524800000000, "elapsed-time-usec": 1000000, "msg-size": 18, "encoding": "none",
            "charset": "UTF-8", "mime-type": "text/plain", "msg-age": 15, "msg-tag": "tag-1",
            "parent-tracking-id": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
            "properties": [{"name": "p-str", "value": "v", "type": "string"},
                           {"name": "p-int", "value": 5, "type": "integer"}],
            "snapshots": [{"name": "Payment", "time-usec": 1466662761000000, "type": "SNAPSHOT",
                "parent-id": "11111111-2222-3333-4444-555555555555", "category": "Order", "properties": [
                    {"name": "order-no", "value": "A-100", "type": "string"},
                    {"name": "order-amount", "value": 42, "type": "integer"},
                    {"name": "long", "value": 9007199254740993, "type": "long"},
                    {"name": "double", "value": 3.25, "type": "double"},
                    {"name": "float", "value": 1e-07, "type": "float"},
                    {"name": "bool", "value": true, "type": "boolean"},
                    {"name": "none", "value": null, "type": "none"},
                    {"name": "list", "value": [1, "two"], "type": "list"},
                    {"name": "str-number", "value": "42", "type": "integer"},
                    {"name": "date", "value": 1466662761000, "type": "date"}]}]}"#,
        &[],
    );
}
