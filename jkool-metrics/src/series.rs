//! The common interface of counters, gauges and histograms.

use crate::counter::Counter;
use crate::gauge::Gauge;
use crate::histogram::{Histogram, Summary};

/// The value of a series at the end of an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Reading {
    Counter { value: u64, more: u64 },
    Gauge(f64),
    Histogram { summary: Option<Summary>, refused: u64 },
}

pub(crate) trait Series: Default {
    /// Returns the value, and whether it is new. `before` is the count at the previous call, and is updated.
    fn read(&self, before: &mut u64) -> (Reading, bool);

    /// Whether nothing was recorded since it was read.
    fn is_quiet(&self, before: u64) -> bool;
}

impl Series for Counter {
    fn read(&self, before: &mut u64) -> (Reading, bool) {
        let value = self.value();
        let more = value.wrapping_sub(std::mem::replace(before, value));
        (Reading::Counter { value, more }, more > 0)
    }

    fn is_quiet(&self, before: u64) -> bool {
        self.value() == before
    }
}

impl Series for Gauge {
    fn read(&self, _: &mut u64) -> (Reading, bool) {
        let touched = self.take_touched();
        (Reading::Gauge(self.value()), touched)
    }

    fn is_quiet(&self, _: u64) -> bool {
        !self.is_touched()
    }
}

impl Series for Histogram {
    fn read(&self, _: &mut u64) -> (Reading, bool) {
        let (summary, refused) = (self.take(), self.take_refused());
        (Reading::Histogram { summary, refused }, summary.is_some() || refused > 0)
    }

    fn is_quiet(&self, _: u64) -> bool {
        self.is_empty()
    }
}
