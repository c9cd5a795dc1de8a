//! Storing what OpenTelemetry's SDKs send: log records in protobuf, 512 a request, on four connections.

use crate::ingest::Row;
use jkool_benches::event::now_us;
use jkool_collector::{Collector, Store};
use jkool_otlp::proto::common::{AnyValue, InstrumentationScope, KeyValue, Resource, any_value::Value};
use jkool_otlp::proto::logs::{ExportLogsServiceRequest, LogRecord, ResourceLogs, ScopeLogs};
use prost::Message;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

const RECORDS: u64 = 512;
const CONNECTIONS: u64 = 4;

/// Prints its row beside `limit`.
pub(crate) fn run(records: u64, folder: &Path, limit: f64) {
    let file = folder.join("otlp.db");
    let collector =
        Collector::builder().listen("127.0.0.1:0").store(Store::builder().file(&file)).start().expect("a collector");
    let requests = (records / RECORDS / CONNECTIONS).max(1);
    let row = Row::start("OTLP log records, protobuf, 512 a request, 4 connections");
    let address = collector.address();
    let senders: Vec<_> =
        (0..CONNECTIONS).map(|sender| std::thread::spawn(move || send(address, sender, requests))).collect();
    senders.into_iter().for_each(|sender| sender.join().expect("a sender"));
    let sent = CONNECTIONS * requests * RECORDS;
    assert_eq!((collector.counts().stored, collector.counts().refused), (sent, 0));
    row.end(sent, Some(&file), Some(limit));
}

/// Each request waits for its answer, which comes when all is on disk.
fn send(address: SocketAddr, sender: u64, requests: u64) {
    let mut stream = BufReader::new(TcpStream::connect(address).expect("a connection"));
    for number in 0..requests {
        let body = request(sender * requests + number).encode_to_vec();
        let head = format!(
            "POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.get_mut().write_all(head.as_bytes()).expect("a head");
        stream.get_mut().write_all(&body).expect("a body");
        answered(&mut stream);
    }
}

fn answered(stream: &mut BufReader<TcpStream>) {
    let (mut line, mut length) = (String::new(), 0);
    stream.read_line(&mut line).expect("an answer");
    assert!(line.starts_with("HTTP/1.1 200 "), "{line}");
    while !line.trim_end().is_empty() {
        line.clear();
        stream.read_line(&mut line).expect("a header");
        if let Some(said) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = said.trim().parse().expect("a length");
        }
    }
    stream.read_exact(&mut vec![0; length]).expect("a body");
}

/// What an SDK sends: a resource of five attributes, and records within a trace with four.
fn request(number: u64) -> ExportLogsServiceRequest {
    let resource = [
        ("service.name", "orders"),
        ("host.name", "web-1"),
        ("telemetry.sdk.language", "rust"),
        ("telemetry.sdk.name", "opentelemetry"),
        ("telemetry.sdk.version", "0.33.1"),
    ];
    let attributes = resource.map(|(key, value)| attribute(key, Value::String(value.into()))).into();
    let now = now_us() as u64 * 1_000;
    let record = |index: u64| {
        let order = number * RECORDS + index;
        LogRecord {
            time_unix_nano: now + index,
            observed_time_unix_nano: now + index,
            severity_number: 9,
            severity_text: "INFO".into(),
            body: Some(AnyValue { value: Some(Value::String(format!("order {order} processed").into())) }),
            attributes: vec![
                attribute("order", Value::Int(order as i64)),
                attribute("amount", Value::Double(order as f64 / 4.0)),
                attribute("http.route", Value::String("/orders/{id}".into())),
                attribute("http.response.status_code", Value::Int(200)),
            ],
            flags: 1,
            trace_id: u128::from(order + 1).to_be_bytes().to_vec().into(),
            span_id: (order + 1).to_be_bytes().to_vec().into(),
            ..LogRecord::default()
        }
    };
    let scope =
        Some(InstrumentationScope { name: "shop.checkout".into(), version: "1.2.3".into(), ..Default::default() });
    let scope_logs = vec![ScopeLogs { scope, log_records: (0..RECORDS).map(record).collect() }];
    let resource = Some(Resource { attributes, dropped_attributes_count: 0 });
    ExportLogsServiceRequest { resource_logs: vec![ResourceLogs { resource, scope_logs }] }
}

fn attribute(key: &'static str, value: Value) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }) }
}
