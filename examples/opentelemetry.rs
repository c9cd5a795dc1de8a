//! A program that uses OpenTelemetry's SDK, streamed to jKool: spans with a link and an error, logs within them, metrics.
//! `cargo run --example opentelemetry`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use jkool_examples::Destination;
use opentelemetry::logs::{LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Span, SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::error::Error;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let destination = Destination::from_env()?;
    println!("Streaming to {destination}\n");

    let (jkool, guard) = jkool_opentelemetry::builder()
        .url(destination.url())
        .token(destination.token())
        .configure(|client| client.in_flight(1)) // one request at a time, so that all arrives in order
        .build()?;

    // As in every program that uses the SDK, but for the exporters.
    let resource = Resource::builder().with_service_name("orders").build();
    let spans =
        SdkTracerProvider::builder().with_resource(resource.clone()).with_simple_exporter(jkool.spans()).build();
    let logs = SdkLoggerProvider::builder().with_resource(resource.clone()).with_simple_exporter(jkool.logs()).build();
    let meters = SdkMeterProvider::builder().with_resource(resource).with_periodic_exporter(jkool.metrics()).build();
    let (tracer, logger, meter) = (spans.tracer("shop"), logs.logger("shop"), meters.meter("shop"));

    let checkout = tracer.span_builder("checkout").with_kind(SpanKind::Server).start(&tracer);
    let within = Context::current_with_span(checkout).attach();
    let mut record = logger.create_log_record();
    record.set_severity_number(Severity::Info);
    record.set_body("order A-100 is paid".into());
    record.add_attribute("amount", 250);
    logger.emit(record);
    let mut charge = tracer.span_builder("charge").with_kind(SpanKind::Client).start(&tracer);
    charge.add_event("retry", vec![KeyValue::new("attempt", 2)]);
    charge.set_status(Status::error("card declined"));
    charge.end();
    Context::current().span().end();
    drop(within);
    meter.u64_counter("orders").build().add(1, &[KeyValue::new("path", "/checkout")]);

    meters.shutdown()?;
    logs.shutdown()?;
    spans.shutdown()?;
    let report = guard.flush(Duration::from_secs(10));
    for received in destination.received()? {
        println!("\n{received}");
    }
    println!("\nflush: {report}\n{}", guard.client().stats());
    if !report.is_delivered() {
        return Err("not everything was delivered".into());
    }
    Ok(())
}
