//! An axis whose marks and their texts are settled before it is drawn.

use super::marks::{TimeMarks, value_marks, value_texts};
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use std::ops::Range;

/// From a value to a value, with marks in between.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    range: Range<f64>,
    marks: Vec<(f64, String)>,
}

impl Axis {
    /// From `low` to `high`, with a text at each mark.
    pub(super) fn new(low: f64, high: f64, marks: Vec<(f64, String)>) -> Self {
        Self { range: low..high, marks }
    }

    /// Microseconds since 1970.
    pub(super) fn of_time(from: i64, to: i64) -> Self {
        let marks = TimeMarks::between(from, to);
        let texts = marks.at.iter().map(|usec| (*usec as f64, marks.text(*usec)));
        Self::new(from as f64, to as f64, texts.collect())
    }

    /// Values from `min` to `max`, ending at round numbers; `whole` ones if nothing is between them.
    pub(super) fn of_values(min: f64, max: f64, whole: bool) -> Self {
        let marks = value_marks(min, max, whole);
        let (low, high) = (marks.first().copied().unwrap_or(min), marks.last().copied().unwrap_or(max));
        let texts = value_texts(&marks);
        Self::new(low, high, marks.into_iter().zip(texts).collect())
    }

    pub(super) fn high(&self) -> f64 {
        self.range.end
    }

    pub(super) fn marks(&self) -> usize {
        self.marks.len()
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
        self.marks.iter().map(|(value, _)| *value).collect()
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        let mark = self.marks.iter().find(|(mark, _)| mark == value);
        mark.map(|(_, text)| text.clone()).unwrap_or_default()
    }
}
