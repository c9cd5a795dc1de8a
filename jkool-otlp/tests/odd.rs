//! However odd a message is: nothing panics, and what is not taken is counted.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use jkool_otlp::proto::common::{AnyValue, ArrayValue, KeyValue, Resource, any_value};
use jkool_otlp::proto::logs::{ExportLogsServiceRequest, LogRecord, ResourceLogs, ScopeLogs};
use jkool_otlp::proto::metrics::{
    ExportMetricsServiceRequest, Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics,
};
use jkool_otlp::proto::response::{ExportResponse, Status};
use jkool_otlp::proto::trace::{ExportTraceServiceRequest, ResourceSpans, ScopeSpans, Span, SpanEvent, SpanLink};
use jkool_otlp::{Encoding, Limits, ReadError, Signal, map_logs, map_metrics, map_traces};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;

const LIMITS: Limits = Limits { entities: 1_000, bytes: 1 << 20 };

/// Bytes that look like protobuf: fields of any number and kind, within one another.
fn tree() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![vec(any::<u8>(), 0..12), Just(Vec::new()), "\\PC{0,8}".prop_map(String::into_bytes)];
    leaf.prop_recursive(8, 200, 6, |inner| {
        vec((1..17_u32, 0..6_u32, inner), 0..6).prop_map(|fields| {
            let mut bytes = Vec::new();
            for (number, kind, inner) in fields {
                // Most are messages.
                let wire = if kind < 4 { 2 } else { [0, 1, 5][(number % 3) as usize] };
                bytes.push((number << 3 | wire) as u8);
                match wire {
                    2 => {
                        prost::encoding::encode_varint(inner.len() as u64, &mut bytes);
                        bytes.extend(inner);
                    }
                    0 => prost::encoding::encode_varint(inner.len() as u64 * 7_919, &mut bytes),
                    1 => bytes.extend([0xff; 8]),
                    _ => bytes.extend([7; 4]),
                }
            }
            bytes
        })
    })
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![Just(Vec::new()), vec(any::<u8>(), 0..10), "\\PC{0,10}".prop_map(String::into_bytes)]
}

fn value() -> impl Strategy<Value = AnyValue> {
    use any_value::Value;
    let leaf = prop_oneof![
        Just(None),
        text().prop_map(|text| Some(Value::String(text.into()))),
        any::<bool>().prop_map(|bool| Some(Value::Bool(bool))),
        any::<i64>().prop_map(|int| Some(Value::Int(int))),
        any::<f64>().prop_map(|double| Some(Value::Double(double))),
        text().prop_map(|bytes| Some(Value::Bytes(bytes.into()))),
    ];
    let leaf = leaf.prop_map(|value| AnyValue { value });
    leaf.prop_recursive(6, 24, 4, |inner| {
        let list = vec(inner.clone(), 0..4).prop_map(|values| Value::Array(ArrayValue { values }));
        let entry = (text(), proptest::option::of(inner)).prop_map(|(key, value)| KeyValue { key: key.into(), value });
        let map =
            vec(entry, 0..4).prop_map(|values| Value::KeyValueList(jkool_otlp::proto::common::KeyValueList { values }));
        prop_oneof![list, map].prop_map(|value| AnyValue { value: Some(value) })
    })
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let known = prop_oneof![
        Just(b"service.name".to_vec()),
        Just(b"process.pid".to_vec()),
        Just(b"geo.location.lat".to_vec()),
        Just(b"exception.stacktrace".to_vec()),
        text()
    ];
    let attribute = (known, proptest::option::of(value())).prop_map(|(key, value)| KeyValue { key: key.into(), value });
    vec(attribute, 0..5)
}

fn id() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 16), vec(any::<u8>(), 8), vec(any::<u8>(), 0..20), Just(vec![0; 16])]
}

prop_compose! {
    fn record()(
        times in any::<(u64, u64)>(), severity_number in -2..30, severity_text in text(), body in proptest::option::of(value()),
        attributes in attributes(), ids in (id(), id()), event_name in text(), dropped_attributes_count in any::<u32>(),
    ) -> LogRecord {
        LogRecord {
            time_unix_nano: times.0, observed_time_unix_nano: times.1, severity_number, severity_text: severity_text.into(), body,
            attributes, trace_id: ids.0.into(), span_id: ids.1.into(), event_name: event_name.into(), dropped_attributes_count, flags: 1,
        }
    }
}

prop_compose! {
    fn span()(
        times in any::<(u64, u64)>(), name in text(), kind in -1..9, status in proptest::option::of((-1..4, text())),
        attributes in attributes(), ids in (id(), id(), id()), events in vec((any::<u64>(), text(), attributes()), 0..3),
        links in vec((id(), id(), attributes()), 0..3), dropped_events_count in any::<u32>(),
    ) -> Span {
        let status = status.map(|(code, message)| jkool_otlp::proto::trace::Status { code, message: message.into() });
        let events = events.into_iter().map(|(time_unix_nano, name, attributes)| {
            SpanEvent { time_unix_nano, name: name.into(), attributes, ..Default::default() }
        });
        let links = links.into_iter().map(|(trace_id, span_id, attributes)| {
            SpanLink { trace_id: trace_id.into(), span_id: span_id.into(), attributes, ..Default::default() }
        });
        Span {
            start_time_unix_nano: times.0, end_time_unix_nano: times.1, name: name.into(), kind, status, attributes,
            trace_id: ids.0.into(), span_id: ids.1.into(), parent_span_id: ids.2.into(),
            events: events.collect(), links: links.collect(), dropped_events_count, ..Default::default()
        }
    }
}

fn resource(attributes: Vec<KeyValue>) -> Option<Resource> {
    Some(Resource { attributes, dropped_attributes_count: 0 })
}

/// Whatever is made can be sent: it is valid but for a source, and its JSON is read as what it is.
fn assert_sound(entities: &[jkool_model::Entity]) -> Result<(), TestCaseError> {
    for entity in entities {
        if let Err(error) = entity.validate() {
            prop_assert_eq!(error.field(), "source-fqn", "{}", error);
        }
        let mut json = Vec::new();
        entity.append_json(&mut json);
        let read: jkool_model::Entity =
            serde_json::from_slice(&json).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(read.tracking_id(), entity.tracking_id());
        prop_assert_eq!(read.op_type(), entity.op_type());
        if entity.is_read_as_written() {
            prop_assert_eq!(&read, entity);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_are_read_or_refused(body in prop_oneof![tree(), vec(any::<u8>(), 0..200)]) {
        for signal in Signal::ALL {
            for encoding in [Encoding::Protobuf, Encoding::Json] {
                if let Ok(mapped) = signal.read(encoding, body.clone().into(), LIMITS) {
                    prop_assert_eq!(mapped.rejected > 0, mapped.reason.is_some());
                    assert_sound(&mapped.entities)?;
                }
            }
        }
    }

    #[test]
    fn each_log_record_becomes_an_event(records in vec(record(), 0..4), of_resource in attributes()) {
        let count = records.len();
        let scope_logs = vec![ScopeLogs { scope: None, log_records: records }];
        let request = ExportLogsServiceRequest { resource_logs: vec![ResourceLogs { resource: resource(of_resource), scope_logs }] };
        let mapped = map_logs(&request, Limits::NONE);
        prop_assert_eq!((mapped.entities.len(), mapped.rejected), (count, 0));
        assert_sound(&mapped.entities)?;
        // And over the wire as without it.
        let body = request.encode_to_vec().into();
        prop_assert_eq!(Signal::Logs.read(Encoding::Protobuf, body, Limits::NONE).unwrap(), mapped);
    }

    #[test]
    fn each_span_becomes_an_activity_or_is_counted(spans in vec(span(), 0..4), of_resource in attributes()) {
        let count = spans.len() as u64;
        let scope_spans = vec![ScopeSpans { scope: None, spans }];
        let request = ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { resource: resource(of_resource), scope_spans }] };
        let mapped = map_traces(&request, Limits::NONE);
        let activities = mapped.entities.iter().filter(|entity| matches!(entity, jkool_model::Entity::Activity(_))).count() as u64;
        prop_assert_eq!(activities + mapped.rejected, count);
        assert_sound(&mapped.entities)?;
    }

    #[test]
    fn each_data_point_becomes_a_snapshot_or_is_counted(
        points in vec((any::<Option<i64>>(), any::<Option<f64>>(), any::<(u64, u64)>(), 0..2_u32, attributes()), 0..6),
        name in text(), unit in text(),
    ) {
        let count = points.len() as u64;
        let point = |(as_int, as_double, times, flags, attributes): (_, _, (u64, u64), _, _)| NumberDataPoint {
            as_int, as_double, flags, attributes, start_time_unix_nano: times.0, time_unix_nano: times.1, ..Default::default()
        };
        let gauge = Some(Gauge { data_points: points.into_iter().map(point).collect() });
        let metric = Metric { name: name.clone().into(), unit: unit.into(), gauge, ..Default::default() };
        let scope_metrics = vec![ScopeMetrics { scope: None, metrics: vec![metric] }];
        let request = ExportMetricsServiceRequest { resource_metrics: vec![ResourceMetrics { resource: None, scope_metrics }] };
        let mapped = map_metrics(&request, Limits::NONE);
        let expected = if name.is_empty() { count.max(1) } else { count };
        prop_assert_eq!(mapped.entities.len() as u64 + mapped.rejected, expected);
        assert_sound(&mapped.entities)?;
    }
}

fn nested(depth: usize) -> AnyValue {
    let mut value = AnyValue { value: Some(any_value::Value::Int(1)) };
    for level in 0..depth {
        let inner = if level % 2 == 0 {
            any_value::Value::Array(ArrayValue { values: vec![value] })
        } else {
            let values = vec![KeyValue { key: "k".into(), value: Some(value) }];
            any_value::Value::KeyValueList(jkool_otlp::proto::common::KeyValueList { values })
        };
        value = AnyValue { value: Some(inner) };
    }
    value
}

fn logs(records: Vec<LogRecord>, of_resource: Vec<KeyValue>) -> ExportLogsServiceRequest {
    let scope_logs = vec![ScopeLogs { scope: None, log_records: records }];
    ExportLogsServiceRequest { resource_logs: vec![ResourceLogs { resource: resource(of_resource), scope_logs }] }
}

#[test]
fn values_within_values_end_somewhere() {
    for depth in [1, 30, 40, 60, 200] {
        let attribute = KeyValue { key: "deep".into(), value: Some(nested(depth)) };
        let record = LogRecord { attributes: vec![attribute], body: Some(nested(depth)), ..Default::default() };
        let request = logs(vec![record], Vec::new());
        let mapped = map_logs(&request, Limits::NONE);
        let mut json = Vec::new();
        mapped.entities[0].append_json(&mut json);
        assert!(serde_json::from_slice::<jkool_model::Entity>(&json).is_ok(), "{depth}");
        let read = Signal::Logs.read(Encoding::Protobuf, request.encode_to_vec().into(), Limits::NONE);
        assert_eq!(read.is_ok(), depth < 40, "{depth}: {:?}", read.err());
    }
    let bomb = format!("{}{}", r#"{"resourceLogs":"#.repeat(50_000), "[".repeat(100_000));
    assert!(matches!(Signal::Logs.read(Encoding::Json, bomb.into(), Limits::NONE), Err(ReadError::Json(_))));
}

#[test]
fn few_bytes_do_not_become_many() {
    // Empty records, two bytes each.
    let body = logs(vec![LogRecord::default(); 100_000], Vec::new()).encode_to_vec();
    let error = Signal::Logs.read(Encoding::Protobuf, body.into(), LIMITS).unwrap_err();
    assert!(matches!(error, ReadError::TooLarge { .. }), "{error}");
    // A resource that is told of each of its records.
    let large = KeyValue {
        key: "k".into(),
        value: Some(AnyValue { value: Some(any_value::Value::String(vec![b'x'; 10_000].into())) }),
    };
    let body = logs(vec![LogRecord::default(); 900], vec![large]).encode_to_vec();
    let mapped = Signal::Logs.read(Encoding::Protobuf, body.into(), LIMITS).unwrap();
    assert!((10..110).contains(&mapped.entities.len()), "{}", mapped.entities.len());
    assert_eq!(mapped.entities.len() as u64 + mapped.rejected, 900);
    assert!(mapped.reason.unwrap().contains("a request may contain at most"));
}

#[test]
fn answers_are_in_the_encoding_of_the_request() {
    assert_eq!(Signal::Logs.response(Encoding::Protobuf, 0, None), b"");
    assert_eq!(Signal::Logs.response(Encoding::Json, 0, None), b"{}");
    let json = Signal::Traces.response(Encoding::Json, 2, Some("why"));
    assert_eq!(String::from_utf8(json).unwrap(), r#"{"partialSuccess":{"errorMessage":"why","rejectedSpans":"2"}}"#);
    let protobuf = Signal::Metrics.response(Encoding::Protobuf, 2, Some("why"));
    let partial = ExportResponse::decode(&protobuf[..]).unwrap().partial_success.unwrap();
    assert_eq!((partial.rejected, partial.error_message.as_str()), (2, "why"));
    let status = Status::decode(&Encoding::Protobuf.status(3, "bad")[..]).unwrap();
    assert_eq!((status.code, status.message.as_str()), (3, "bad"));
}
