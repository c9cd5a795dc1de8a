//! OpenTelemetry's own protocol.

use super::{Job, Row, Watch, install};
use crate::delivers::Delivers;
use crate::otel::{finish, finish_spans, logger, provider, span_layer, span_provider};
use jkool_benches::pace;
use jkool_benches::pace::log_lines;
use jkool_benches::span::order;
use opentelemetry_otlp::{LogExporter, Protocol, SpanExporter, WithExportConfig};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "otlp-proto",
        delivers: Delivers::WhatFits,
        about: "opentelemetry-otlp HTTP/protobuf, appender-log, BatchLogProcessor defaults (queue of 2048, drops)",
        events: 200_000,
        run: |job, watch| run(job, watch, Protocol::HttpBinary, None),
    },
    Row {
        name: "otlp-proto-big",
        delivers: Delivers::Everything,
        about: "the same, queue of 2^18 (can't drop here)",
        events: 200_000,
        run: |job, watch| run(job, watch, Protocol::HttpBinary, CANNOT_DROP),
    },
    Row {
        name: "otlp-json",
        delivers: Delivers::WhatFits,
        about: "opentelemetry-otlp HTTP/json, defaults",
        events: 200_000,
        run: |job, watch| run(job, watch, Protocol::HttpJson, None),
    },
    Row {
        name: "otlp-json-big",
        delivers: Delivers::Everything,
        about: "the same, queue of 2^18",
        events: 200_000,
        run: |job, watch| run(job, watch, Protocol::HttpJson, CANNOT_DROP),
    },
    Row {
        name: "otlp-span-big",
        delivers: Delivers::Everything,
        about: "root spans with 3 fields: tracing-opentelemetry, opentelemetry-otlp HTTP/protobuf, queue of 2^18",
        events: 200_000,
        run: spans,
    },
];

const CANNOT_DROP: Option<usize> = Some(1 << 18);

fn run(job: &Job, watch: &mut Watch, protocol: Protocol, queue: Option<usize>) {
    let url = format!("http://127.0.0.1:{}/v1/logs", job.port);
    let exporter = LogExporter::builder().with_http().with_protocol(protocol).with_endpoint(url).build();
    let provider = provider(exporter.expect("an exporter"), queue);
    install(logger(&provider));
    log_lines(job.events, job.rate);
    watch.emitted();
    finish(&provider);
}

fn spans(job: &Job, watch: &mut Watch) {
    let url = format!("http://127.0.0.1:{}/v1/traces", job.port);
    let exporter = SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary).with_endpoint(url).build();
    let provider = span_provider(exporter.expect("an exporter"), CANNOT_DROP);
    let subscriber = registry().with(span_layer(&provider));
    tracing::subscriber::set_global_default(subscriber).expect("the first subscriber");
    pace::emit(job.events, job.rate, order);
    watch.emitted();
    finish_spans(&provider);
}
