//! What the macros of `metrics` talk to.

use crate::counter::Counter;
use crate::descriptions::Descriptions;
use crate::gauge::Gauge;
use crate::histogram::Histogram;
use crate::limits::Limits;
use crate::registry::Registry;
use metrics::{Key, KeyName, Metadata, SharedString, Unit};
use std::sync::Arc;

/// Records what the macros of `metrics` say; [`Builder::install`](crate::Builder::install) makes it the program's own. Cloning is
/// cheap; all clones are one recorder.
///
/// To find a series that is there takes a lock that is shared with other readers, and allocates nothing. To count in it takes no lock;
/// to record in a histogram takes one of four.
#[derive(Debug, Clone)]
pub struct Recorder {
    pub(crate) recorded: Arc<Recorded>,
}

/// What was recorded.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) counters: Registry<Counter>,
    pub(crate) gauges: Registry<Gauge>,
    pub(crate) histograms: Registry<Histogram>,
    pub(crate) descriptions: Descriptions,
    pub(crate) limits: Limits,
}

/// How much is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecorderStats {
    /// How many series there are: metric names with a set of labels each.
    pub series: usize,
    /// How often a series was asked for that is one too many. Counters and histograms of that name are then recorded in one series
    /// together, with the label `overflow = true`.
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

    /// How much is recorded.
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
