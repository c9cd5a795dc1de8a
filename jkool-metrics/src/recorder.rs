//! The recorder for the macros of `metrics`.

use crate::counter::Counter;
use crate::descriptions::Descriptions;
use crate::gauge::Gauge;
use crate::histogram::Histogram;
use crate::limits::Limits;
use crate::registry::Registry;
use metrics::{Key, KeyName, Metadata, SharedString, Unit};
use std::sync::Arc;

/// A [`metrics::Recorder`] that aggregates metrics to be sent to jKool. [`Builder::install`](crate::Builder::install) installs
/// it for the whole program. Cloning is cheap; all clones are one recorder.
///
/// Looking up an existing series takes a read lock and allocates nothing. Incrementing a counter takes no lock; recording in a
/// histogram takes one of four.
#[derive(Debug, Clone)]
pub struct Recorder {
    pub(crate) recorded: Arc<Recorded>,
}

/// The recorded series.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) counters: Registry<Counter>,
    pub(crate) gauges: Registry<Gauge>,
    pub(crate) histograms: Registry<Histogram>,
    pub(crate) descriptions: Descriptions,
    pub(crate) limits: Limits,
}

/// Statistics of a [`Recorder`], from [`Recorder::stats`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RecorderStats {
    /// The number of series: metric names, each with a set of labels.
    pub series: usize,
    /// How often a new series was refused because of the limits. Counters and histograms beyond the limit for their name are
    /// recorded in one common series with the label `overflow = true`.
    pub refused: u64,
}

impl Recorder {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            recorded: Arc::new(Recorded {
                counters: Registry::default(),
                gauges: Registry::default(),
                histograms: Registry::default(),
                descriptions: Descriptions::default(),
                limits,
            }),
        }
    }

    /// Returns the number of series, and how many were refused.
    pub fn stats(&self) -> RecorderStats {
        let limits = &self.recorded.limits;
        RecorderStats { series: limits.series(), refused: limits.refused() }
    }
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.recorded.descriptions.describe(&key, unit, description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.recorded.descriptions.describe(&key, unit, description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.recorded.descriptions.describe(&key, unit, description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> metrics::Counter {
        let found = self.recorded.counters.get(key, &self.recorded.limits);
        found.map_or_else(metrics::Counter::noop, metrics::Counter::from_arc)
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> metrics::Gauge {
        let found = self.recorded.gauges.get(key, &self.recorded.limits);
        found.map_or_else(metrics::Gauge::noop, metrics::Gauge::from_arc)
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        let found = self.recorded.histograms.get(key, &self.recorded.limits);
        found.map_or_else(metrics::Histogram::noop, metrics::Histogram::from_arc)
    }
}
