//! The settings of the layer, and their defaults.

use std::time::Duration;
use tracing_core::LevelFilter;

/// What a span becomes when it closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Spans {
    /// An activity. The default.
    Activities,
    /// An event with start, end and elapsed time. Its type is SEND, RECEIVE or CALL if the field `otel.kind` says so.
    Events,
    /// Nothing: spans are not recorded, and events have no parent and no trace id.
    Off,
}

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) spans: Spans,
    pub(crate) span_level: LevelFilter,
    pub(crate) event_level: LevelFilter,
    pub(crate) min_duration: Duration,
    pub(crate) sample_ratio: f64,
    pub(crate) inherit_fields: bool,
    pub(crate) code_location: bool,
    pub(crate) busy_and_idle: bool,
    pub(crate) max_children: usize,
    pub(crate) max_open_spans: usize,
    pub(crate) open_spans_at_flush: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            spans: Spans::Activities,
            span_level: LevelFilter::TRACE,
            event_level: LevelFilter::TRACE,
            min_duration: Duration::ZERO,
            sample_ratio: 1.0,
            inherit_fields: false,
            code_location: true,
            busy_and_idle: true,
            max_children: 64,
            max_open_spans: 65_536,
            open_spans_at_flush: false,
        }
    }
}
