//! What each message becomes, to be looked at: `*.json`, and what `demo.rs` makes, is what is sent, `*.jsonl` what comes of it, line by
//! line. With the variable BLESS the results are written anew.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod demo;

use jkool_otlp::proto::{
    logs::ExportLogsServiceRequest, metrics::ExportMetricsServiceRequest, trace::ExportTraceServiceRequest,
};
use jkool_otlp::{Encoding, Limits, Mapped, Signal};
use prost::Message;
use std::path::{Path, PathBuf};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn as_protobuf(signal: Signal, json: &str) -> Vec<u8> {
    match signal {
        Signal::Logs => serde_json::from_str::<ExportLogsServiceRequest>(json).unwrap().encode_to_vec(),
        Signal::Traces => serde_json::from_str::<ExportTraceServiceRequest>(json).unwrap().encode_to_vec(),
        _ => serde_json::from_str::<ExportMetricsServiceRequest>(json).unwrap().encode_to_vec(),
    }
}

fn told(mapped: &Mapped) -> String {
    let mut lines: Vec<u8> = Vec::new();
    for entity in &mapped.entities {
        entity.append_json(&mut lines);
        lines.push(b'\n');
    }
    let rejected = serde_json::json!({"rejected": mapped.rejected, "reason": mapped.reason});
    format!("{}{rejected}\n", String::from_utf8(lines).unwrap())
}

fn check(name: &str, signal: Signal) {
    let json = std::fs::read_to_string(file(&format!("{name}.json"))).unwrap();
    let protobuf = as_protobuf(signal, &json);
    let mapped = signal.read(Encoding::Json, json.into(), Limits::NONE).unwrap();
    assert_eq!(signal.read(Encoding::Protobuf, protobuf.into(), Limits::NONE).unwrap(), mapped, "as protobuf");
    compare(name, &mapped);
}

fn compare(name: &str, mapped: &Mapped) {
    let expected = file(&format!("{name}.jsonl"));
    let found = told(mapped);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&expected, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&expected).unwrap();
    for (number, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "line {}", number + 1);
    }
    assert_eq!(found.lines().count(), expected.lines().count());
    // What travels is what is meant.
    for (line, entity) in found.lines().zip(&mapped.entities) {
        assert_eq!(&serde_json::from_str::<jkool_model::Entity>(line).unwrap(), entity);
    }
}

#[test]
fn logs_become_events() {
    check("logs", Signal::Logs);
}

#[test]
fn spans_become_activities_and_events() {
    check("traces", Signal::Traces);
}

#[test]
fn data_points_become_snapshots() {
    check("metrics", Signal::Metrics);
}
