//! The time axis of a chart.

use jkool_model::Timestamp;

/// Time intervals of equal length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scale {
    /// The length of an interval in microseconds.
    pub(crate) width: i64,
    /// The number of the first interval, counted from 1970.
    first: i64,
    count: i64,
}

/// Lengths that are easy to read on an axis.
const SECONDS: [i64; 20] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 604_800,
    2_592_000,
];

const HOUR: i64 = 3_600_000_000;

impl Scale {
    /// Creates about `buckets` intervals between two times, at most 1,000.
    pub(super) fn new(from: Timestamp, to: Timestamp, buckets: usize) -> Self {
        let buckets = i64::try_from(buckets.clamp(1, 1_000)).unwrap_or(1_000);
        let wanted = to.as_usec().saturating_sub(from.as_usec()).div_euclid(buckets) + 1;
        let rounded = SECONDS.iter().map(|seconds| seconds * 1_000_000).find(|width| *width >= wanted);
        let width = rounded.unwrap_or_else(|| (wanted + HOUR - 1) / HOUR * HOUR);
        let first = from.as_usec().div_euclid(width);
        let count = to.as_usec().div_euclid(width) - first + 1;
        Self { width, first, count }
    }

    pub(super) fn len(self) -> usize {
        usize::try_from(self.count).unwrap_or_default()
    }

    /// Returns how many of the intervals have ended by now.
    pub(super) fn ended(self, now: Timestamp) -> usize {
        usize::try_from(self.index(now).clamp(0, self.count)).unwrap_or_default()
    }

    /// Returns the index of the interval that contains a time; for other times, an index outside of all intervals.
    pub(super) fn index(self, time: Timestamp) -> i64 {
        time.as_usec().div_euclid(self.width) - self.first
    }

    /// Returns the start of each interval.
    pub(crate) fn starts(self) -> impl Iterator<Item = Timestamp> {
        (self.first..self.first + self.count).map(move |bucket| Timestamp::from_usec(bucket * self.width))
    }
}

#[cfg(test)]
mod tests {
    use super::Scale;
    use jkool_model::Timestamp;

    #[test]
    fn both_ends_are_in_it_and_there_are_about_so_many() {
        let from = Timestamp::from_usec(1_457_524_800_000_001);
        for length in [0, 1, 999_999, 59_000_000, 3_600_000_000, 86_400_000_000_000, 250_000_000_000_000_000] {
            let to = Timestamp::from_usec(from.as_usec() + length);
            let scale = Scale::new(from, to, 60);
            assert!((1..=62).contains(&scale.len()), "{length}: {scale:?}");
            assert_eq!(scale.index(from), 0);
            assert_eq!(scale.index(to), scale.count - 1);
            assert_eq!(scale.starts().count(), scale.len());
        }
    }

    #[test]
    fn an_interval_has_ended_when_the_next_one_begins() {
        let second = |number: i64| Timestamp::from_usec(number * 1_000_000);
        let scale = Scale::new(second(10), second(19), 10);
        let ended = [9, 10, 11, 19, 20, 1_000].map(|now| scale.ended(second(now)));
        assert_eq!((scale.len(), ended), (10, [0, 0, 1, 9, 10, 10]));
    }
}
