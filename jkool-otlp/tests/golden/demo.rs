//! The kinds of data that OpenTelemetry's demo, a shop of services in many languages, sends: baggage, links between the producer and the
//! consumer of a message, exponential histograms, empty fields. And texts that are not UTF-8, which JSON could not carry.
//!
//! Baggage has no field in OTLP. It arrives where a program has copied it: by the baggage processors of the SDKs as attributes of spans and
//! log records, with plain names or with a prefix, and as a captured header.

use crate::compare;
use jkool_otlp::proto::common::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, Resource, any_value::Value};
use jkool_otlp::proto::logs::{ExportLogsServiceRequest, LogRecord, ResourceLogs, ScopeLogs};
use jkool_otlp::proto::metrics::{
    Buckets, ExponentialHistogram, ExponentialHistogramDataPoint, ExportMetricsServiceRequest, Metric, ResourceMetrics,
    ScopeMetrics,
};
use jkool_otlp::proto::trace::{ExportTraceServiceRequest, ResourceSpans, ScopeSpans, Span, SpanLink};
use jkool_otlp::{Encoding, Limits, Mapped, Signal};
use prost::Message;

/// 2023-11-14T22:13:20Z.
const START: u64 = 1_700_000_000_000_000_000;
const MSEC: u64 = 1_000_000;
const TRACE: [u8; 16] = [0x4b; 16];
const OTHER_TRACE: [u8; 16] = [0x0a; 16];

fn value(value: Value) -> Option<AnyValue> {
    Some(AnyValue { value: Some(value) })
}

fn text(key: &'static [u8], text: &'static [u8]) -> KeyValue {
    KeyValue { key: key.into(), value: value(Value::String(text.into())) }
}

/// What the load generator sets, and every service hands on: as the SDK's baggage processor copies it.
fn baggage() -> [KeyValue; 2] {
    [text(b"session.id", b"8f5b1d2c"), text(b"synthetic_request", b"true")]
}

fn resource(service: &'static [u8], language: &'static [u8]) -> Option<Resource> {
    let attributes = [
        text(b"service.name", service),
        text(b"service.namespace", b"opentelemetry-demo"),
        text(b"telemetry.sdk.language", language),
    ];
    Some(Resource { attributes: attributes.into(), ..Default::default() })
}

fn scope(name: &'static [u8]) -> Option<InstrumentationScope> {
    Some(InstrumentationScope { name: name.into(), ..Default::default() })
}

fn span(trace: [u8; 16], id: u8, parent: Option<u8>, name: &'static [u8], kind: i32) -> Span {
    Span {
        trace_id: trace.to_vec().into(),
        span_id: vec![id; 8].into(),
        parent_span_id: parent.map(|parent| vec![parent; 8]).unwrap_or_default().into(),
        name: name.into(),
        kind,
        start_time_unix_nano: START + u64::from(id) * MSEC,
        end_time_unix_nano: START + u64::from(id) * 2 * MSEC,
        ..Default::default()
    }
}

fn spans(resource: Option<Resource>, of: &'static [u8], spans: Vec<Span>) -> ResourceSpans {
    ResourceSpans { resource, scope_spans: vec![ScopeSpans { scope: scope(of), spans }] }
}

fn read(signal: Signal, request: &impl Message) -> Mapped {
    signal.read(Encoding::Protobuf, request.encode_to_vec().into(), Limits::NONE).unwrap()
}

#[test]
fn baggage_and_links_of_a_checkout() {
    let mut click = span(TRACE, 1, None, b"POST", 3);
    click.attributes = baggage().into();
    let mut checkout = span(TRACE, 2, Some(1), b"oteldemo.CheckoutService/PlaceOrder", 2);
    // With a prefix; and the header itself, which instrumentations capture as a list.
    let header = Value::String(b"session.id=8f5b1d2c,synthetic_request=true".as_slice().into());
    let headers = ArrayValue { values: vec![AnyValue { value: Some(header) }] };
    checkout.attributes = vec![
        text(b"baggage.session.id", b"8f5b1d2c"),
        KeyValue { key: b"rpc.request.metadata.baggage".as_slice().into(), value: value(Value::Array(headers)) },
    ];
    let mut publish = span(TRACE, 3, Some(2), b"orders publish", 4);
    publish.attributes = baggage().into();
    // The consumer is in a trace of its own, in batches of several messages.
    let mut consume = span(OTHER_TRACE, 4, None, b"orders consume", 5);
    let link = |trace: [u8; 16], id: u8| SpanLink {
        trace_id: trace.to_vec().into(),
        span_id: vec![id; 8].into(),
        attributes: baggage().into(),
        ..Default::default()
    };
    consume.links = vec![link(TRACE, 3), link([0x5c; 16], 9), SpanLink::default()];
    let request = ExportTraceServiceRequest {
        resource_spans: vec![
            spans(resource(b"load-generator", b"python"), b"locust", vec![click]),
            spans(resource(b"checkout", b"go"), b"otelgrpc", vec![checkout, publish]),
            spans(resource(b"accounting", b"dotnet"), b"Confluent.Kafka", vec![consume]),
        ],
    };
    compare("demo_traces", &read(Signal::Traces, &request));
}

#[test]
fn log_records_with_baggage_empty_fields_and_texts_that_are_not_utf_8() {
    let mut charged = LogRecord {
        time_unix_nano: START,
        severity_number: 9,
        severity_text: b"INFO".as_slice().into(),
        body: value(Value::String(b"Charged Zo\xeb".as_slice().into())),
        trace_id: TRACE.to_vec().into(),
        span_id: vec![2; 8].into(),
        ..Default::default()
    };
    charged.attributes =
        [baggage().as_slice(), &[text(b"app.caf\xe9", b"\xff\xfe"), text(b"app.user.id", b"")]].concat();
    let empty = LogRecord {
        severity_text: b"\xc3".as_slice().into(),
        body: Some(AnyValue::default()),
        attributes: vec![KeyValue::default(), text(b"", b"")],
        ..Default::default()
    };
    let scope_logs = |of| vec![ScopeLogs { scope: scope(of), log_records: vec![charged.clone(), empty.clone()] }];
    let request = ExportLogsServiceRequest {
        resource_logs: vec![
            ResourceLogs { resource: resource(b"payment", b"nodejs"), scope_logs: scope_logs(b"pino") },
            ResourceLogs { resource: resource(b"pay\xe9ment", b"nodejs"), scope_logs: scope_logs(b"") },
            ResourceLogs::default(),
        ],
    };
    compare("demo_logs", &read(Signal::Logs, &request));
}

#[test]
fn exponential_histograms_of_any_scale_with_empty_ones() {
    let point = |scale, offset, bucket_counts: &[u64]| ExponentialHistogramDataPoint {
        attributes: vec![text(b"http.route", b"/api/checkout"), text(b"http.request.method", b"")],
        start_time_unix_nano: START,
        time_unix_nano: START + 10_000 * MSEC,
        count: bucket_counts.iter().sum(),
        scale,
        positive: Some(Buckets { offset, bucket_counts: bucket_counts.into() }),
        ..Default::default()
    };
    let data_points = vec![
        // From 0.1 s to 0.13 s, as an SDK with 160 buckets scales them.
        point(6, -213, &[1, 0, 0, 4, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]),
        point(-4, -1, &[3, 1]),
        point(20, 0, &[]),
        ExponentialHistogramDataPoint { count: 7, zero_count: 7, ..Default::default() },
        ExponentialHistogramDataPoint::default(),
        // More values than its buckets have.
        ExponentialHistogramDataPoint { count: 3, ..point(0, 0, &[1]) },
    ];
    let metric = Metric {
        name: b"http.server.request.duration".as_slice().into(),
        unit: b"s".as_slice().into(),
        exponential_histogram: Some(ExponentialHistogram { data_points, aggregation_temporality: 2 }),
        ..Default::default()
    };
    let empty = Metric { exponential_histogram: Some(ExponentialHistogram::default()), ..metric.clone() };
    let scope_metrics = vec![ScopeMetrics { scope: scope(b"frontend"), metrics: vec![metric, empty] }];
    let request = ExportMetricsServiceRequest {
        resource_metrics: vec![
            ResourceMetrics { resource: resource(b"frontend", b"nodejs"), scope_metrics },
            ResourceMetrics::default(),
        ],
    };
    compare("demo_metrics", &read(Signal::Metrics, &request));
}
