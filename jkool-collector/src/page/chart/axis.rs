//! A value axis. Its ticks and labels are fixed before anything is drawn.

use super::ticks::{value_labels, value_ticks};
use super::unit::Unit;

/// A range of values, with ticks.
#[derive(Debug, Clone)]
pub(super) struct ValueAxis {
    low: f64,
    high: f64,
    pub(super) ticks: Vec<(f64, String)>,
}

impl ValueAxis {
    /// Creates an axis that contains `min` to `max` and ends at round numbers of the unit; with `whole`, ticks are
    /// whole numbers.
    pub(super) fn new(min: f64, max: f64, whole: bool, unit: Unit) -> Self {
        // A number that is round in minutes is not round in microseconds.
        let (size, _) = unit.step(min.abs().max(max.abs()));
        let ticks: Vec<f64> = value_ticks(min / size, max / size, whole && size <= 1.0);
        let ticks: Vec<f64> = ticks.into_iter().map(|tick| (tick * size).clamp(f64::MIN, f64::MAX)).collect();
        let (low, high) = (ticks.first().copied().unwrap_or(min), ticks.last().copied().unwrap_or(max));
        let labels = value_labels(&ticks, unit);
        Self { low, high, ticks: ticks.into_iter().zip(labels).collect() }
    }

    /// Returns the labels, with their distances from the top.
    pub(super) fn marks(&self) -> Vec<(f64, String)> {
        self.ticks.iter().map(|(value, label)| (self.y(*value), label.clone())).collect()
    }

    /// Returns the distance of a value from the top, in per cent of the height.
    pub(super) fn y(&self, value: f64) -> f64 {
        // Divided by two first, because the range may exceed the largest float.
        let share = (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
        if share.is_finite() { (100.0 - 100.0 * share).clamp(0.0, 100.0) } else { 100.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::ValueAxis;
    use crate::page::chart::Unit;
    use jkool_model::ValueType;

    #[test]
    fn ticks_are_round_in_the_unit_that_is_said() {
        let labels = |min, max, unit| {
            let axis = ValueAxis::new(min, max, false, unit);
            axis.ticks.into_iter().map(|(_, label)| label).collect::<Vec<_>>()
        };
        assert_eq!(labels(0.0, 1_500e6, Unit::USEC), ["0", "5 min", "10 min", "15 min", "20 min", "25 min"]);
        assert_eq!(labels(0.0, 4e9, Unit::of(&ValueType::SizeByte)), ["0", "1 GB", "2 GB", "3 GB", "4 GB"]);
        assert_eq!(labels(0.0, 90.0, Unit::of(&ValueType::Percent)), ["0", "20 %", "40 %", "60 %", "80 %", "100 %"]);
    }

    #[test]
    fn every_value_has_a_place() {
        for (min, max) in [(0.0, 1.0), (f64::MIN, f64::MAX), (-5.0, -5.0), (0.0, f64::MIN_POSITIVE)] {
            let axis = ValueAxis::new(min, max, false, Unit::NUMBER);
            for value in [min, max, 0.0, f64::NAN, f64::INFINITY] {
                assert!((0.0..=100.0).contains(&axis.y(value)), "{min} {max} {value}");
            }
        }
    }
}
