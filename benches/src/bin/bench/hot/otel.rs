//! OpenTelemetry.

use super::{Row, Running, install};
use crate::delivers::Delivers;
use crate::otel::{finish, logger, provider};
use jkool_benches::delivered;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter};
use std::hint::black_box;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

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
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).expect("the first subscriber");
    Running::tracing(move || finish(&provider))
}

#[derive(Debug)]
struct NullExporter;

impl LogExporter for NullExporter {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        delivered::add(batch.iter().map(black_box).count() as u64);
        Ok(())
    }
}
