//! OpenTelemetry's protocol over HTTP.

use crate::socket::{Answer, Connection, ask, collector, operations, request, stored};
use flate2::Compression;
use flate2::write::GzEncoder;
use jkool_collector::{Collector, StartError};
use jkool_otlp::proto::logs::ExportLogsServiceRequest;
use jkool_otlp::proto::response::{ExportResponse, Status};
use prost::Message;
use serde_json::json;
use std::io::Write;

const JSON: (&str, &str) = ("Content-Type", "application/json; charset=utf-8");
const PROTOBUF: (&str, &str) = ("Content-Type", "application/x-protobuf");

fn logs(bodies: &[&str]) -> String {
    let records: Vec<_> = bodies.iter().map(|body| json!({"eventName": body, "severityNumber": 9})).collect();
    json!({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}).to_string()
}

fn protobuf(bodies: &[&str]) -> Vec<u8> {
    serde_json::from_str::<ExportLogsServiceRequest>(&logs(bodies)).unwrap().encode_to_vec()
}

fn post(collector: &Collector, path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Answer {
    ask(collector, request("POST", path, headers, body))
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(plain).unwrap();
    packed.finish().unwrap()
}

#[test]
fn all_three_signals_are_stored_in_both_encodings() {
    let collector = collector();
    assert_eq!(post(&collector, "/v1/logs", &[JSON], logs(&["a"])).body, "{}");
    let answer = post(&collector, "/v1/logs", &[PROTOBUF], protobuf(&["b"]));
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(answer.header("content-type"), Some("application/x-protobuf"));
    let spans = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7","name":"c","events":[{"name":"d"}]}]}]}]}"#;
    assert_eq!(post(&collector, "/v1/traces", &[JSON], spans).status, 200);
    let metrics =
        r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"e","gauge":{"dataPoints":[{"asInt":1}]}}]}]}]}"#;
    assert_eq!(post(&collector, "/v1/metrics", &[JSON], metrics).status, 200);
    assert_eq!(operations(&collector), ["a", "activity c", "b", "d", "snapshot e"]);
    assert_eq!((collector.counts().stored, collector.counts().refused), (5, 0));
}

#[test]
fn a_span_that_is_sent_again_is_stored_once() {
    let collector = collector();
    let span = json!({"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7", "name": "c", "events": [{"name": "d"}],
        "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000000000000000"});
    let spans = json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).to_string();
    for _ in 0..2 {
        assert_eq!(post(&collector, "/v1/traces", &[JSON], &spans).status, 200);
    }
    let stored = operations(&collector);
    assert_eq!(stored.iter().filter(|name| *name == "activity c").count(), 1, "{stored:?}");
}

#[test]
fn what_baggage_has_left_in_each_service_is_found_by_its_value() {
    let collector = collector();
    let session = |id: &str| json!([{"key": "session.id", "value": {"stringValue": id}}]);
    for (service, id) in [("frontend", "8f5b"), ("checkout", "8f5b"), ("checkout", "0c7a")] {
        let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": service}}]});
        let span = json!({"traceId": format!("{id:0>32}"), "spanId": "00f067aa0ba902b7", "name": service, "attributes": session(id)});
        let spans = json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]});
        assert_eq!(post(&collector, "/v1/traces", &[JSON], spans.to_string()).status, 200);
        let record = json!({"eventName": "told", "attributes": session(id)});
        let logs = json!({"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [record]}]}]});
        assert_eq!(post(&collector, "/v1/logs", &[JSON], logs.to_string()).status, 200);
    }
    let found = ask(&collector, request("GET", "/api/events?where=properties.session.id%3D8f5b", &[], "")).json();
    let entities = found["events"].as_array().unwrap().iter().map(|item| &item["entity"]);
    let mut told: Vec<_> =
        entities.map(|e| (e["source-fqn"].as_str().unwrap(), e["operation"].as_str().unwrap())).collect();
    told.sort_unstable();
    let expected = [
        ("APPL=checkout", "checkout"),
        ("APPL=checkout", "told"),
        ("APPL=frontend", "frontend"),
        ("APPL=frontend", "told"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn bodies_may_be_compressed() {
    let collector = collector();
    let packed = gzip(&protobuf(&["a"; 2_000]));
    let answer = post(&collector, "/v1/logs", &[PROTOBUF, ("Content-Encoding", "gzip")], packed);
    assert_eq!((answer.status, collector.counts().stored), (200, 2_000));
    let answer = post(&collector, "/v1/logs", &[PROTOBUF, ("Content-Encoding", "br")], "x");
    assert_eq!(answer.status, 415);
    let answer = post(&collector, "/v1/logs", &[PROTOBUF, ("Content-Encoding", "gzip")], "x");
    assert_eq!((answer.status, collector.counts().refused), (400, 2));
}

#[test]
fn what_is_rejected_is_counted_and_told() {
    let collector = collector();
    let spans = json!({"resourceSpans": [{"scopeSpans": [{"spans": [
        {"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7", "name": "good"}, {"name": "bad"}, {"name": "bad"}]}]}]});
    let answer = post(&collector, "/v1/traces", &[JSON], spans.to_string());
    let reason = "the span \"bad\" has no valid trace id of 16 bytes";
    assert_eq!(answer.json(), json!({"partialSuccess": {"rejectedSpans": "2", "errorMessage": reason}}));
    assert_eq!((answer.status, collector.counts().stored, collector.counts().refused), (200, 1, 2));
    // A metric without a name, in protobuf.
    let answer = post(&collector, "/v1/metrics", &[PROTOBUF], [0x0a, 4, 0x12, 2, 0x12, 0]);
    let partial = ExportResponse::decode(answer.body.as_bytes()).unwrap().partial_success.unwrap();
    assert_eq!((partial.rejected, partial.error_message.as_str()), (1, "a metric has no name"));
}

#[test]
fn an_answer_that_is_an_error_is_a_status_in_the_encoding_of_the_request() {
    let collector = collector();
    let answer = post(&collector, "/v1/logs", &[JSON], "{\"resourceLogs\":[{]");
    assert_eq!((answer.status, &answer.json()["code"]), (400, &json!(3)));
    assert!(answer.json()["message"].as_str().unwrap().starts_with("invalid OTLP in JSON: "), "{answer:?}");
    let answer = post(&collector, "/v1/logs", &[PROTOBUF], "nonsense");
    let status = Status::decode(answer.body.as_bytes()).unwrap();
    assert_eq!((answer.status, status.code), (400, 3));
    assert!(status.message.starts_with("invalid OTLP in protobuf: "), "{status:?}");
    for headers in [&[][..], &[("Content-Type", "text/plain")]] {
        let answer = post(&collector, "/v1/logs", headers, "x");
        assert_eq!((answer.status, answer.header("content-type")), (415, Some("application/json")));
    }
    assert_eq!(ask(&collector, request("GET", "/v1/logs", &[], "")).status, 405);
    assert_eq!((collector.counts().stored, collector.counts().refused), (0, 4));
}

#[test]
fn a_few_bytes_that_become_many_are_refused() {
    let collector = collector();
    // Empty records: two bytes each.
    let records = [0x12, 0].repeat(1_000_000);
    let mut body = Vec::new();
    for tag in [0x12, 0x0a] {
        let inner = if body.is_empty() { records.clone() } else { std::mem::take(&mut body) };
        body.push(tag);
        prost::encoding::encode_varint(inner.len() as u64, &mut body);
        body.extend(inner);
    }
    let answer = post(&collector, "/v1/logs", &[PROTOBUF, ("Content-Encoding", "gzip")], gzip(&body));
    let status = Status::decode(answer.body.as_bytes()).unwrap();
    assert_eq!((answer.status, status.code), (413, 8));
    assert_eq!((collector.counts().stored, collector.counts().refused), (0, 1));
}

#[test]
fn a_token_is_needed_where_it_is_elsewhere() {
    let collector = Collector::builder().listen("127.0.0.1:0").token("canary-0a").start().unwrap();
    let answer = post(&collector, "/v1/logs", &[JSON], logs(&["a"]));
    assert_eq!((answer.status, &answer.json()["code"]), (401, &json!(16)));
    for token in [("X-API-Key", "canary-0a"), ("Authorization", "Bearer canary-0a")] {
        assert_eq!(post(&collector, "/v1/logs", &[JSON, token], logs(&["a"])).status, 200);
    }
    assert_eq!(collector.counts().stored, 2);
}

#[test]
fn an_address_for_otlp_takes_nothing_else() {
    let builder = || Collector::builder().listen("127.0.0.1:0");
    let collector = builder().listen_otlp("127.0.0.1:0").start().unwrap();
    let mut connection = Connection::open(collector.otlp_address().unwrap());
    assert_eq!(connection.ask(request("POST", "/v1/logs", &[JSON], logs(&["a"]))).status, 200);
    assert_eq!(connection.ask(request("POST", "/event", &[], "{}")).status, 404);
    assert_eq!(connection.ask(request("GET", "/", &[], "")).status, 404);
    assert_eq!(operations(&collector), ["a"]);
    let error = builder().listen_otlp("0.0.0.0:0").start().unwrap_err();
    assert!(matches!(error, StartError::NeedsToken(_)), "{error}");
    assert_eq!(builder().start().unwrap().otlp_address(), None);
}

#[test]
fn what_has_no_time_is_of_the_time_when_it_came() {
    let collector = collector();
    post(&collector, "/v1/logs", &[JSON], logs(&["a"]));
    assert!(stored(&collector)[0].time().is_none());
    let json = ask(&collector, request("GET", "/api/events", &[], "")).json();
    let item = &json["events"][0];
    assert!(!item["time-usec"].is_null(), "{json}");
    assert_eq!(item["time-usec"], item["received-usec"]);
}
