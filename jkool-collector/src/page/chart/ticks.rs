//! The ticks of an axis, and their labels.

use super::unit::Unit;
use jkool_model::Timestamp;

/// The ticks of a time axis.
#[derive(Debug)]
pub(super) struct TimeTicks {
    pub(super) at: Vec<i64>,
    step: i64,
}

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400;

impl TimeTicks {
    /// Creates about six ticks between two times, in microseconds since 1970, at whole minutes, hours or days if
    /// possible.
    pub(super) fn between(from: i64, to: i64) -> Self {
        const SECONDS: [i64; 20] = [
            1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800,
            604_800,
        ];
        let wanted = (to.saturating_sub(from) / 6).max(1);
        let step = SECONDS.iter().map(|seconds| seconds * SECOND).find(|step| *step >= wanted);
        let step = step.unwrap_or_else(|| (wanted / (DAY * SECOND) + 1) * DAY * SECOND);
        let first = from.div_euclid(step) + i64::from(from.rem_euclid(step) != 0);
        let at =
            (first..).map_while(|number| number.checked_mul(step)).take_while(|time| *time <= to).take(20).collect();
        Self { at, step }
    }

    /// Returns the precision of the labels, for the script, which formats them in the user's time zone.
    pub(super) fn grain(&self) -> &'static str {
        if self.step >= 60 * SECOND { "minute" } else { "second" }
    }

    /// Returns the label of a tick, in UTC. At midnight it is the date.
    pub(super) fn label(&self, usec: i64) -> String {
        let iso = Timestamp::from_usec(usec).to_string();
        let is_midnight = usec.rem_euclid(DAY * SECOND) == 0;
        let part = match self.step {
            _ if is_midnight => iso.get(..10),
            step if step >= 60 * SECOND => iso.get(11..16),
            _ => iso.get(11..19),
        };
        part.unwrap_or(&iso).to_owned()
    }
}

/// Returns about five ticks for values from `min` to `max`, at round numbers: the first is not above `min`, and the
/// last not below `max`.
pub(super) fn value_ticks(min: f64, max: f64, whole: bool) -> Vec<f64> {
    // No intermediate result may exceed the largest float.
    let room = if max > min { 0.0 } else { 1.0_f64.max(min.abs() * 0.1) };
    let max = (max + room).min(f64::MAX);
    let min = if max > min { min } else { max - room };
    let rough = max / 5.0 - min / 5.0;
    let size = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * size).find(|step| *step >= rough);
    let step = step.unwrap_or(rough).max(if whole { 1.0 } else { f64::MIN_POSITIVE });
    let first = (min / step).floor();
    let count = ((max / step).ceil() - first).clamp(1.0, 20.0) as u32;
    (0..=count).map(|number| ((first + f64::from(number)) * step).clamp(f64::MIN, f64::MAX)).collect()
}

/// Returns short labels, all in one unit, with enough decimals to distinguish the ticks.
pub(super) fn value_labels(ticks: &[f64], unit: Unit) -> Vec<String> {
    let most = ticks.iter().fold(0.0_f64, |most, tick| most.max(tick.abs()));
    let (size, sign) = unit.step(most);
    let step = ticks.windows(2).map(|pair| pair[1] / size - pair[0] / size).next().unwrap_or(1.0);
    if most / size >= 1e15 || step < 1e-6 {
        return ticks.iter().map(|tick| format!("{:e}{sign}", tick / size)).collect();
    }
    // A small amount is added because of rounding errors.
    let decimals = (-(step * 1.000_001).log10().floor()).max(0.0) as usize;
    ticks
        .iter()
        .map(|tick| if *tick == 0.0 { "0".to_owned() } else { format!("{:.decimals$}{sign}", tick / size) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{TimeTicks, value_labels, value_ticks};
    use crate::page::chart::Unit;

    #[test]
    fn time_is_marked_at_whole_steps() {
        let minute = 60_000_000;
        let ticks = TimeTicks::between(minute / 2, 10 * minute);
        assert_eq!(
            ticks.at.iter().map(|time| ticks.label(*time)).collect::<Vec<_>>(),
            ["00:02", "00:04", "00:06", "00:08", "00:10"]
        );
        let days = TimeTicks::between(0, 30 * 24 * 60 * minute);
        assert_eq!(days.label(days.at[1]), "1970-01-08");
        let around_midnight = TimeTicks::between(-5_000_000, 5_000_000);
        assert_eq!(around_midnight.label(-2_000_000), "23:59:58");
        assert_eq!(around_midnight.label(0), "1970-01-01");
        for (from, to) in [(0, 0), (0, i64::MAX), (i64::MIN / 2, i64::MAX / 2)] {
            assert!(TimeTicks::between(from, to).at.len() <= 20);
        }
    }

    #[test]
    fn marks_of_values_are_short_and_told_apart() {
        for (ticks, texts) in [
            (&[0.0, 20.0, 40.0][..], ["0", "20", "40"]),
            (&[0.0, 0.1, 0.2], ["0", "0.1", "0.2"]),
            (&[0.0, 5e3, 1e4], ["0", "5 k", "10 k"]),
            (&[4.0001e8, 4.0002e8, 4.0003e8], ["400.01 M", "400.02 M", "400.03 M"]),
            (&[-2e9, 0.0, 2e9], ["-2 G", "0", "2 G"]),
            (&[0.0, 1e300, 2e300], ["0e0", "1e300", "2e300"]),
        ] {
            assert_eq!(value_labels(ticks, Unit::NUMBER), texts);
        }
    }

    #[test]
    fn values_are_marked_at_round_numbers() {
        assert_eq!(value_ticks(0.0, 9.0, true), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(value_ticks(0.0, 1.0, true), [0.0, 1.0]);
        assert_eq!(value_ticks(0.0, 0.0, true), [0.0, 1.0]);
        assert_eq!(value_ticks(-30.0, 70.0, false), [-40.0, -20.0, 0.0, 20.0, 40.0, 60.0, 80.0]);
        for (min, max) in
            [(0.0, f64::MAX), (f64::MIN, f64::MAX), (f64::MAX, f64::MAX), (1e-300, 2e-300), (5.0, 5.0), (1e20, 1e20)]
        {
            let ticks = value_ticks(min, max, false);
            assert!((2..=21).contains(&ticks.len()) && ticks.iter().all(|tick| tick.is_finite()), "{ticks:?}");
        }
    }
}
