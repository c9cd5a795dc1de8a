//! An axis whose ticks and their labels are settled before it is drawn.

use super::ticks::{TimeTicks, value_labels, value_ticks};
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use std::ops::Range;

/// From a value to a value, with ticks in between.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    range: Range<f64>,
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// From `low` to `high`, with a text at each tick.
    pub(super) fn new(low: f64, high: f64, ticks: Vec<(f64, String)>) -> Self {
        Self { range: low..high, ticks }
    }

    /// Microseconds since 1970.
    pub(super) fn of_time(from: i64, to: i64) -> Self {
        let ticks = TimeTicks::between(from, to);
        let labels = ticks.at.iter().map(|usec| (*usec as f64, ticks.label(*usec)));
        Self::new(from as f64, to as f64, labels.collect())
    }

    /// Values from `min` to `max`, ending at round numbers; `whole` ones if nothing is between them.
    pub(super) fn of_values(min: f64, max: f64, whole: bool) -> Self {
        let ticks = value_ticks(min, max, whole);
        let (low, high) = (ticks.first().copied().unwrap_or(min), ticks.last().copied().unwrap_or(max));
        let labels = value_labels(&ticks);
        Self::new(low, high, ticks.into_iter().zip(labels).collect())
    }

    pub(super) fn high(&self) -> f64 {
        self.range.end
    }

    pub(super) fn ticks(&self) -> usize {
        self.ticks.len()
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (low, high): (i32, i32)) -> i32 {
        // Halves, for the whole may be more than a float can hold.
        let size = self.range.end / 2.0 - self.range.start / 2.0;
        let share = (value / 2.0 - self.range.start / 2.0) / size;
        low + (f64::from(high - low) * share).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.iter().map(|(value, _)| *value).collect()
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        let tick = self.ticks.iter().find(|(tick, _)| tick == value);
        tick.map(|(_, text)| text.clone()).unwrap_or_default()
    }
}
