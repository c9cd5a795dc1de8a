//! OpenTelemetry.

use super::{Row, Running, install};
use crate::delivers::Delivers;
use crate::otel::{finish, finish_spans, logger, provider, span_layer, span_provider};
use jkool_benches::delivered;
use jkool_benches::span::order;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use std::hint::black_box;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "otel-log",
        delivers: Delivers::WhatFits,
        about: "opentelemetry-appender-log + BatchLogProcessor, defaults (queue of 2048, drops), null exporter",
        start: |_| log(None),
    },
    Row {
        name: "otel-log-big",
        delivers: Delivers::Everything,
        about: "the same, queue of 2^21 (can't drop here)",
        start: |_| log(CANNOT_DROP),
    },
    Row {
        name: "otel-tracing",
        delivers: Delivers::WhatFits,
        about: "opentelemetry-appender-tracing + BatchLogProcessor, defaults, null exporter",
        start: |_| tracing(None),
    },
    Row {
        name: "otel-tracing-big",
        delivers: Delivers::Everything,
        about: "the same, queue of 2^21",
        start: |_| tracing(CANNOT_DROP),
    },
    Row {
        name: "otel-span-big",
        delivers: Delivers::Everything,
        about: "tracing-opentelemetry + BatchSpanProcessor, queue of 2^21, a root span with 3 fields, null exporter",
        start: |_| spans(),
    },
    Row {
        name: "otel-enter",
        delivers: Delivers::Nothing,
        about: "tracing-opentelemetry, an open span entered and left",
        start: |_| {
            drop(install_spans());
            super::spans::enter(())
        },
    },
];

const CANNOT_DROP: Option<usize> = Some(1 << 21);

fn log(queue: Option<usize>) -> Running {
    let provider = provider(NullExporter, queue);
    install(Box::new(logger(&provider)));
    Running::log(move || finish(&provider))
}

fn tracing(queue: Option<usize>) -> Running {
    let provider = provider(NullExporter, queue);
    let layer = OpenTelemetryTracingBridge::new(&provider).with_filter(LevelFilter::INFO);
    tracing::subscriber::set_global_default(registry().with(layer)).expect("the first subscriber");
    Running::tracing(move || finish(&provider))
}

fn spans() -> Running {
    let provider = install_spans();
    Running::direct(order, move || finish_spans(&provider))
}

fn install_spans() -> SdkTracerProvider {
    let provider = span_provider(NullExporter, CANNOT_DROP);
    super::spans::install(registry().with(span_layer(&provider)));
    provider
}

impl SpanExporter for NullExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        delivered::add(batch.iter().map(black_box).count() as u64);
        Ok(())
    }
}

#[derive(Debug)]
struct NullExporter;

impl LogExporter for NullExporter {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        delivered::add(batch.iter().map(black_box).count() as u64);
        Ok(())
    }
}
