//! OpenTelemetry's provider, as both workloads use it.

use opentelemetry_appender_log::OpenTelemetryLogBridge;
use opentelemetry_sdk::logs::{BatchConfigBuilder, BatchLogProcessor, LogExporter, SdkLogger, SdkLoggerProvider};
use std::time::Duration;

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
    provider.shutdown_with_timeout(Duration::from_secs(120)).expect("a shutdown in time");
}
