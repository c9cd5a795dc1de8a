//! A logarithmic axis of durations, from microseconds to days.

/// The possible ticks, in microseconds.
const TICKS: [(i64, &str); 16] = [
    (1, "1 µs"),
    (10, "10 µs"),
    (100, "100 µs"),
    (1_000, "1 ms"),
    (10_000, "10 ms"),
    (100_000, "100 ms"),
    (1_000_000, "1 s"),
    (10_000_000, "10 s"),
    (60_000_000, "1 min"),
    (600_000_000, "10 min"),
    (3_600_000_000, "1 h"),
    (36_000_000_000, "10 h"),
    (259_200_000_000, "3 d"),
    (2_592_000_000_000, "30 d"),
    (31_536_000_000_000, "1 y"),
    (i64::MAX, "292,000 y"),
];

/// A range that starts and ends at a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::page) struct LogAxis {
    /// The ends, in microseconds.
    pub(in crate::page) low: i64,
    pub(in crate::page) high: i64,
}

impl LogAxis {
    /// Creates an axis that contains `min` to `max`, in microseconds. Durations below 1 are at the bottom.
    pub(in crate::page) fn new(min: i64, max: i64) -> Self {
        let ticks = || TICKS.iter().map(|(usec, _)| *usec);
        let low = ticks().rev().skip(1).find(|tick| *tick <= min).unwrap_or(1);
        let high = ticks().find(|tick| *tick >= max && *tick > low).unwrap_or(i64::MAX);
        Self { low, high }
    }

    /// Returns the distance of a duration from the top, in per cent of the height.
    pub(in crate::page) fn y(self, usec: i64) -> f64 {
        let [low, high, at] = [self.low, self.high, usec.max(1)].map(|usec| (usec as f64).ln());
        (100.0 - 100.0 * (at - low) / (high - low)).clamp(0.0, 100.0)
    }

    /// Returns the labels, with their distances from the top.
    pub(in crate::page) fn marks(self) -> Vec<(f64, String)> {
        let within = TICKS.iter().filter(|(usec, _)| (self.low..=self.high).contains(usec));
        within.map(|(usec, text)| (self.y(*usec), (*text).to_owned())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::LogAxis;

    #[test]
    fn it_goes_from_tick_to_tick() {
        let said = |min, max| {
            let marks = LogAxis::new(min, max).marks();
            marks.into_iter().map(|(at, text)| format!("{text} {at:.0}")).collect::<Vec<_>>()
        };
        assert_eq!(said(2_500, 80_000), ["1 ms 100", "10 ms 50", "100 ms 0"]);
        assert_eq!(said(0, 0), ["1 µs 100", "10 µs 0"]);
        assert_eq!(said(1_000, 1_000), ["1 ms 100", "10 ms 0"]);
        assert_eq!(said(20_000_000, 70_000_000).concat(), "10 s 1001 min 5610 min 0");
        for (min, max) in [(i64::MIN, i64::MAX), (i64::MAX, i64::MAX), (5, 1)] {
            let axis = LogAxis::new(min, max);
            assert!(axis.low < axis.high && axis.marks().len() >= 2);
            for usec in [i64::MIN, 0, 1, i64::MAX] {
                assert!((0.0..=100.0).contains(&axis.y(usec)));
            }
        }
    }
}
