//! OpenTelemetry's provider, as both workloads use it.

use opentelemetry::trace::TracerProvider;
use opentelemetry_appender_log::OpenTelemetryLogBridge;
use opentelemetry_sdk::logs::{BatchConfigBuilder, BatchLogProcessor, LogExporter, SdkLogger, SdkLoggerProvider};
use opentelemetry_sdk::trace::{self, BatchSpanProcessor, SdkTracer, SdkTracerProvider, SpanExporter};
use std::time::Duration;
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::registry::LookupSpan;

/// Longer than any row takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// A provider that exports batches; with its default queue, or one of this size.
pub(crate) fn provider(exporter: impl LogExporter + 'static, queue: Option<usize>) -> SdkLoggerProvider {
    let config = BatchConfigBuilder::default();
    let config = match queue {
        Some(size) => config.with_max_queue_size(size),
        None => config,
    };
    let processor = BatchLogProcessor::builder(exporter).with_batch_config(config.build()).build();
    SdkLoggerProvider::builder().with_log_processor(processor).build()
}

pub(crate) fn logger(provider: &SdkLoggerProvider) -> OpenTelemetryLogBridge<SdkLoggerProvider, SdkLogger> {
    OpenTelemetryLogBridge::new(provider)
}

/// Exports what is queued.
pub(crate) fn finish(provider: &SdkLoggerProvider) {
    provider.shutdown_with_timeout(PATIENCE).expect("a shutdown in time");
}

/// The same of spans.
pub(crate) fn span_provider(exporter: impl SpanExporter + 'static, queue: Option<usize>) -> SdkTracerProvider {
    let config = trace::BatchConfigBuilder::default();
    let config = match queue {
        Some(size) => config.with_max_queue_size(size),
        None => config,
    };
    let processor = BatchSpanProcessor::builder(exporter).with_batch_config(config.build()).build();
    SdkTracerProvider::builder().with_span_processor(processor).build()
}

pub(crate) fn span_layer<S>(provider: &SdkTracerProvider) -> OpenTelemetryLayer<S, SdkTracer>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_opentelemetry::layer().with_tracer(provider.tracer("benches"))
}

/// Exports what is queued.
pub(crate) fn finish_spans(provider: &SdkTracerProvider) {
    provider.shutdown_with_timeout(PATIENCE).expect("a shutdown in time");
}
