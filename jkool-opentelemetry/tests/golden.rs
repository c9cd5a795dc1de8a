//! What the SDK's spans, log records and metrics become, to be looked at: `golden.jsonl`, line by line. With the variable BLESS it is
//! written anew.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use jkool_opentelemetry::model::SourceFqn;
use jkool_opentelemetry::transport::{Kind, MemoryTransport};
use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{
    Link, Span, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState, Tracer, TracerProvider,
};
use opentelemetry::{Array, InstrumentationScope, KeyValue, StringValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{IdGenerator, SdkTracerProvider};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

#[derive(Debug)]
struct Ids;

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        TraceId::from_bytes([0x4b; 16])
    }

    fn new_span_id(&self) -> SpanId {
        SpanId::from_bytes([2; 8])
    }
}

fn at(msec: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_000 + msec)
}

fn scope() -> InstrumentationScope {
    let attributes = [KeyValue::new("build", 7)];
    InstrumentationScope::builder("shop").with_version("1.2.3").with_attributes(attributes).build()
}

fn send_spans(spans: &SdkTracerProvider) {
    let tracer = spans.tracer_with_scope(scope());
    let state = TraceState::from_key_value([("c", "3")]).unwrap();
    let linked =
        SpanContext::new(TraceId::from_bytes([9; 16]), SpanId::from_bytes([9; 8]), TraceFlags::SAMPLED, true, state);
    let items = Array::String(vec![StringValue::from("a"), StringValue::from("b")]);
    let attributes = [
        KeyValue::new("amount", 42.5),
        KeyValue::new("paid", true),
        KeyValue::new("items", opentelemetry::Value::Array(items)),
    ];
    let mut span = tracer
        .span_builder("checkout")
        .with_kind(SpanKind::Consumer)
        .with_start_time(at(0))
        .with_attributes(attributes)
        .with_links(vec![Link::new(linked, vec![KeyValue::new("why", "batch")], 0)])
        .start(&tracer);
    span.add_event_with_timestamp("retry", at(1), vec![KeyValue::new("attempt", 2)]);
    span.set_status(Status::error("card declined"));
    span.end_with_timestamp(at(250));
    let mut plain = tracer.span_builder("plain").with_start_time(at(0)).start(&tracer);
    plain.set_status(Status::Ok);
    plain.end_with_timestamp(at(1));
}

fn send_logs(logs: &SdkLoggerProvider) {
    let logger = logs.logger_with_scope(scope());
    let mut record = logger.create_log_record();
    record.set_timestamp(at(2));
    record.set_observed_timestamp(at(3));
    record.set_severity_number(Severity::Warn2);
    record.set_severity_text("careful");
    record.set_event_name("stock.low");
    record.set_body("out of stock".into());
    record.set_trace_context(TraceId::from_bytes([0x4b; 16]), SpanId::from_bytes([2; 8]), Some(TraceFlags::SAMPLED));
    record.add_attribute("map", AnyValue::Map(Box::new([("in".into(), AnyValue::Boolean(true))].into())));
    record.add_attribute("bytes", AnyValue::Bytes(Box::new(vec![0, 255])));
    logger.emit(record);
    let mut empty = logger.create_log_record();
    empty.set_observed_timestamp(at(4));
    logger.emit(empty);
}

fn send_metrics(metrics: &SdkMeterProvider) {
    let meter = metrics.meter_with_scope(scope());
    let counter = meter.u64_counter("orders").with_unit("{order}").with_description("orders taken").build();
    counter.add(3, &[KeyValue::new("path", "/")]);
    meter.f64_gauge("temperature").with_unit("Cel").build().record(21.5, &[]);
    let histogram = meter.f64_histogram("latency").with_unit("ms").with_boundaries(vec![10.0, 100.0]).build();
    for value in [5.0, 50.0, 500.0] {
        histogram.record(value, &[]);
    }
}

/// Without what differs from run to run: process, thread and user, random ids, and the times of metrics.
fn lasting(mut entity: Value) -> String {
    let fields = entity.as_object_mut().unwrap();
    fields.retain(|name, _| !["pid", "tid", "user"].contains(&name.as_str()));
    if fields["type"] == "EVENT" && fields["tracking-id"].as_str().unwrap().len() == 36 {
        fields["tracking-id"] = json!("random");
    }
    if fields["type"] == "SNAPSHOT" {
        for (name, value) in fields.iter_mut().filter(|(name, _)| name.ends_with("-id") || name.ends_with("-usec")) {
            *value = json!(if name.ends_with("-id") { "random" } else { "now" });
        }
        for property in fields["properties"].as_array_mut().unwrap() {
            if property["name"] == "start_time" {
                property["value"] = json!("now");
            }
            // `serde_json` reads the last digit of a double exactly only with a feature that another crate may ask for.
            if let Some(double) = property["value"].as_f64().filter(|double| double.fract() != 0.0) {
                property["value"] = json!((double * 1e9).round() / 1e9);
            }
        }
    }
    entity.to_string()
}

#[test]
fn each_signal_of_the_sdk_is_mapped() {
    let memory = MemoryTransport::new();
    let source: SourceFqn = "APPL=Configured".parse().unwrap();
    let (jkool, guard) = jkool_opentelemetry::builder().transport(memory.clone()).source(source).build().unwrap();
    let attributes = [KeyValue::new("host.name", "web-1"), KeyValue::new("team", "blue")];
    let resource = Resource::builder_empty().with_service_name("orders").with_attributes(attributes).build();
    let spans = SdkTracerProvider::builder().with_resource(resource.clone()).with_id_generator(Ids);
    let spans = spans.with_simple_exporter(jkool.spans()).build();
    let logs = SdkLoggerProvider::builder().with_resource(resource.clone()).with_simple_exporter(jkool.logs()).build();
    let reader = PeriodicReader::builder(jkool.metrics()).build();
    let metrics = SdkMeterProvider::builder().with_resource(resource).with_reader(reader).build();
    send_spans(&spans);
    send_logs(&logs);
    send_metrics(&metrics);
    spans.shutdown().unwrap();
    logs.shutdown().unwrap();
    metrics.shutdown().unwrap();
    assert!(guard.flush(Duration::from_secs(90)).is_delivered());

    let mut found = String::new();
    for kind in [Kind::Activity, Kind::Event, Kind::Snapshot] {
        let mut lines: Vec<String> = memory.decode(kind).unwrap().into_iter().map(lasting).collect();
        lines.sort_unstable();
        lines.iter().for_each(|line| found = format!("{found}{line}\n"));
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden.jsonl");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(file, &found).unwrap();
    }
    let expected = std::fs::read_to_string(file).unwrap();
    for (number, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "line {}", number + 1);
    }
    assert_eq!(found.lines().count(), expected.lines().count());
}
