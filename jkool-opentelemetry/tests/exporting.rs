//! What a program that uses OpenTelemetry's SDK sends.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use jkool_opentelemetry::client::{Client, Guard};
use jkool_opentelemetry::model::{Activity, ActivityStatus, Event, Property, Severity, Snapshot, SourceFqn, Value};
use jkool_opentelemetry::transport::{Kind, MemoryTransport, Payload, Receipt, Transport, TransportError};
use jkool_opentelemetry::{Builder, Exporters};
use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity as OtelSeverity};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Link, Span, SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::logs::{SdkLogger, SdkLoggerProvider};
use opentelemetry_sdk::metrics::{Aggregation, Instrument, PeriodicReader, SdkMeterProvider, Stream, Temporality};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(90);

fn builder(memory: &MemoryTransport) -> Builder {
    let source: SourceFqn = "APPL=Configured".parse().unwrap();
    jkool_opentelemetry::builder().transport(memory.clone()).source(source)
}

fn exporters() -> (MemoryTransport, Exporters, Guard) {
    let memory = MemoryTransport::new();
    let (jkool, guard) = builder(&memory).build().unwrap();
    (memory, jkool, guard)
}

fn resource() -> Resource {
    Resource::builder_empty().with_service_name("orders").with_attribute(KeyValue::new("team", "blue")).build()
}

fn value<'a>(properties: &'a [Property], name: &str) -> &'a Value {
    let property = properties.iter().find(|property| property.name == name);
    &property.unwrap_or_else(|| panic!("{name} in {properties:?}")).value
}

#[test]
fn a_log_record_is_an_event() {
    let (memory, jkool, _guard) = exporters();
    let logs = SdkLoggerProvider::builder().with_resource(resource()).with_simple_exporter(jkool.logs()).build();
    let logger = logs.logger("shop");
    let mut record = logger.create_log_record();
    record.set_severity_number(OtelSeverity::Warn2);
    record.set_target("shop::checkout");
    record.set_body("out of stock".into());
    record.add_attribute("order", 42);
    record.add_attribute("map", AnyValue::Map(Box::new([("in".into(), AnyValue::Boolean(true))].into())));
    record.add_attribute("list", AnyValue::ListAny(Box::new(vec![1.into(), "b".into()])));
    record.add_attribute("bytes", AnyValue::Bytes(Box::new(vec![0, 255])));
    logger.emit(record);
    logs.shutdown().unwrap();
    let event: Event = memory.decode(Kind::Event).unwrap().remove(0);
    assert_eq!(
        (&*event.operation, &*event.message, event.severity),
        ("shop::checkout", "out of stock", Severity::Warning)
    );
    assert_eq!(event.source.unwrap().as_str(), "APPL=orders");
    assert!(event.time.is_some());
    for (name, expected) in [
        ("order", Value::Int(42)),
        ("map.in", Value::Bool(true)),
        ("list", Value::List(vec![Value::Int(1), Value::Text("b".into())])),
        ("bytes", Value::Text("AP8=".into())),
        ("resource.team", Value::Text("blue".into())),
        ("otel.scope.name", Value::Text("shop::checkout".into())),
    ] {
        assert_eq!(value(&event.properties, name), &expected, "{name}");
    }
}

#[test]
fn spans_logs_and_links_belong_together() {
    let (memory, jkool, guard) = exporters();
    let spans = SdkTracerProvider::builder().with_resource(resource()).with_batch_exporter(jkool.spans()).build();
    let logs = SdkLoggerProvider::builder().with_resource(resource()).with_batch_exporter(jkool.logs()).build();
    let scope = InstrumentationScope::builder("shop").with_version("1.2.3").build();
    let tracer = spans.tracer_with_scope(scope);
    let mut previous = tracer.start("previous");
    let linked = previous.span_context().clone();
    previous.end();
    let checkout = tracer.span_builder("checkout").with_kind(SpanKind::Server).start(&tracer);
    let context = Context::current_with_span(checkout);
    let link = Link::new(linked.clone(), vec![KeyValue::new("why", "batch")], 0);
    let charge = tracer.span_builder("charge").with_kind(SpanKind::Client).with_links(vec![link]);
    let mut charge = charge.start_with_context(&tracer, &context);
    charge.add_event("retry", vec![KeyValue::new("attempt", 2)]);
    charge.record_error(&std::io::Error::other("reset"));
    charge.set_status(Status::error("card declined"));
    charge.end();
    let within = context.clone().attach();
    let logger = logs.logger("shop");
    let mut record = logger.create_log_record();
    record.set_body("within".into());
    logger.emit(record);
    drop(within);
    context.span().end();
    spans.shutdown().unwrap();
    logs.shutdown().unwrap();
    assert!(guard.flush(PATIENCE).is_delivered());

    let activities: Vec<Activity> = memory.decode(Kind::Activity).unwrap();
    let activity = |name: &str| activities.iter().find(|activity| activity.operation == name).unwrap();
    let (previous, checkout, charge) = (activity("previous"), activity("checkout"), activity("charge"));
    assert_eq!((checkout.status, charge.status), (Some(ActivityStatus::End), Some(ActivityStatus::Exception)));
    assert_eq!((&checkout.parent_id, &charge.parent_id), (&None, &checkout.tracking_id));
    assert_eq!(&*charge.exception, "card declined");
    assert_eq!(value(&charge.properties, "otel.kind"), &Value::Text("client".into()));
    assert_eq!(value(&charge.properties, "link.1.why"), &Value::Text("batch".into()));
    assert_eq!(value(&charge.properties, "otel.scope.version"), &Value::Text("1.2.3".into()));
    assert_eq!(
        charge.correlators,
        [&checkout.correlators[0], &previous.correlators[0], &linked.span_id().to_string().into()].map(Clone::clone)
    );
    assert!(charge.elapsed_usec.is_some());
    let events: Vec<Event> = memory.decode(Kind::Event).unwrap();
    let event = |name: &str| events.iter().find(|event| event.operation == name || event.message == name).unwrap();
    assert_eq!(event("retry").parent_id, charge.tracking_id);
    assert_eq!(&*event("exception").exception, "reset");
    assert_eq!(
        (&event("within").parent_id, &event("within").correlators),
        (&checkout.tracking_id, &checkout.correlators)
    );
}

#[test]
fn each_series_is_a_snapshot() {
    let memory = MemoryTransport::new();
    let (jkool, _guard) = builder(&memory).temporality(Temporality::Delta).build().unwrap();
    let reader = PeriodicReader::builder(jkool.metrics()).with_interval(Duration::from_secs(3_600)).build();
    let exponential = |instrument: &Instrument| {
        let growing = Aggregation::Base2ExponentialHistogram { max_size: 160, max_scale: 20, record_min_max: true };
        (instrument.name() == "growing").then(|| Stream::builder().with_aggregation(growing).build().unwrap())
    };
    let meters =
        SdkMeterProvider::builder().with_resource(resource()).with_reader(reader).with_view(exponential).build();
    let meter = meters.meter("shop");
    let orders = meter.u64_counter("orders").with_unit("{order}").build();
    orders.add(3, &[KeyValue::new("path", "/")]);
    orders.add(u64::MAX, &[KeyValue::new("path", "/huge")]);
    meter.i64_up_down_counter("open").build().add(-2, &[]);
    meter.f64_gauge("temperature").with_unit("Cel").build().record(21.5, &[]);
    for name in ["latency", "growing"] {
        let latency = meter.f64_histogram(name).with_unit("ms").build();
        [5.0, 50.0, 500.0].iter().for_each(|value| latency.record(*value, &[]));
    }
    meters.shutdown().unwrap();
    let snapshots: Vec<Snapshot> = memory.decode(Kind::Snapshot).unwrap();
    let all = |name: &str| snapshots.iter().filter(|snapshot| snapshot.name == name).collect::<Vec<_>>();
    let one = |name: &str| all(name)[0];
    assert_eq!(snapshots.len(), 6);
    let order = |path: &str| {
        let path = Value::Text(path.to_owned().into());
        *all("orders").iter().find(|snapshot| value(&snapshot.properties, "path") == &path).unwrap()
    };
    assert_eq!(value(&order("/").properties, "value"), &Value::Int(3));
    assert_eq!(value(&order("/huge").properties, "value"), &Value::Double(u64::MAX as f64));
    assert_eq!(value(&order("/").properties, "otel.temporality"), &Value::Text("delta".into()));
    assert!(value(&order("/").properties, "rate").as_f64().unwrap() > 0.0);
    assert_eq!(value(&one("open").properties, "value"), &Value::Int(-2));
    assert_eq!(value(&one("temperature").properties, "value"), &Value::Double(21.5));
    for name in ["latency", "growing"] {
        let properties = &one(name).properties;
        assert_eq!((value(properties, "count"), value(properties, "sum")), (&Value::Int(3), &Value::Double(555.0)));
        let median = value(properties, "p50").as_f64().unwrap();
        assert!((5.0..=500.0).contains(&median), "{name}: {median}");
    }
    let median = value(&one("growing").properties, "p50").as_f64().unwrap();
    assert!((40.0..60.0).contains(&median), "fine buckets: {median}");
    assert!(snapshots.iter().all(|snapshot| snapshot.source.as_ref().unwrap().as_str() == "APPL=orders"));
}

#[test]
fn without_a_name_in_the_resource_the_source_is_the_clients() {
    let (memory, jkool, guard) = exporters();
    // As the SDK names a program that says nothing.
    let nameless = Resource::builder_empty().with_service_name("unknown_service:shop").build();
    let spans = SdkTracerProvider::builder().with_resource(nameless).with_simple_exporter(jkool.spans()).build();
    spans.tracer("shop").in_span("checkout", |_| {});
    assert!(guard.flush(PATIENCE).is_delivered());
    let activities: Vec<Activity> = memory.decode(Kind::Activity).unwrap();
    assert_eq!(activities[0].source.as_ref().unwrap().as_str(), "APPL=Configured");
}

#[test]
fn after_its_shutdown_an_exporter_says_so_and_the_others_go_on() {
    let (memory, jkool, guard) = exporters();
    let spans = SdkTracerProvider::builder().with_simple_exporter(jkool.spans()).build();
    let logs = SdkLoggerProvider::builder().with_simple_exporter(jkool.logs()).build();
    spans.shutdown().unwrap();
    assert!(matches!(spans.shutdown(), Err(OTelSdkError::AlreadyShutdown)));
    let logger = logs.logger("shop");
    logger.emit(logger.create_log_record());
    logs.shutdown().unwrap();
    assert_eq!(memory.len(), 1);
    assert_eq!(guard.client().stats().delivered(), 1);
}

/// A transport that logs and traces while it sends, by the providers that it sends for.
#[derive(Debug)]
struct Talkative {
    memory: MemoryTransport,
    providers: Arc<OnceLock<(SdkLogger, SdkTracer)>>,
}

#[async_trait::async_trait]
impl Transport for Talkative {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        let (logger, tracer) = self.providers.get().unwrap();
        logger.emit(logger.create_log_record());
        tracer.in_span("while sending", |_| {});
        self.memory.send(batch).await
    }

    fn max_batch(&self) -> usize {
        1
    }

    async fn close(&self) -> Result<(), TransportError> {
        self.memory.close().await
    }
}

#[test]
fn what_delivery_says_of_itself_is_not_exported() {
    let (memory, providers) = (MemoryTransport::new(), Arc::default());
    let talkative = Talkative { memory: memory.clone(), providers: Arc::clone(&providers) };
    let client = Client::builder().transport(talkative).build().unwrap();
    let (jkool, guard) = jkool_opentelemetry::builder().client(client).build().unwrap();
    // Batches are exported by a thread of the SDK's, which does not know where they come from.
    let spans = SdkTracerProvider::builder().with_batch_exporter(jkool.spans()).build();
    let logs = SdkLoggerProvider::builder().with_batch_exporter(jkool.logs()).build();
    let (logger, tracer) = (logs.logger("transport"), spans.tracer("transport"));
    assert!(providers.set((logger, tracer.clone())).is_ok());
    for _ in 0..3 {
        tracer.in_span("of the program", |_| {});
        // Exported, and sent: then what was said while sending is exported, if it is.
        spans.force_flush().unwrap();
        assert!(guard.flush(PATIENCE).is_delivered());
        spans.force_flush().unwrap();
        logs.force_flush().unwrap();
    }
    assert!(guard.shutdown(PATIENCE).is_delivered());
    let activities: Vec<Activity> = memory.decode(Kind::Activity).unwrap();
    assert!(activities.iter().all(|activity| activity.operation == "of the program"), "{activities:?}");
    assert_eq!(memory.len(), 3);
}

#[test]
fn what_is_dropped_makes_the_export_fail() {
    let (_memory, jkool, guard) = exporters();
    let spans = SdkTracerProvider::builder().with_batch_exporter(jkool.spans()).build();
    spans.tracer("shop").in_span("too late", |_| {});
    let _nothing = guard.shutdown(PATIENCE);
    assert!(matches!(spans.force_flush(), Err(OTelSdkError::InternalFailure(_))));
}
