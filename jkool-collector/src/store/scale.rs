//! A chart's axis of time, and what of the rollups lies along it.

use super::rollup::Level;
use jkool_model::Timestamp;

/// Stretches of time of equal length, each a whole number of a level's buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scale {
    /// The width of one, in microseconds.
    pub(super) width: i64,
    /// The number of our first since 1970.
    first: i64,
    count: i64,
    stretch: Stretch,
}

/// Buckets of one level, from the first to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) level: Level,
    first: i64,
    last: i64,
}

/// Widths that a person can read off an axis.
const SECONDS: [i64; 20] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 604_800,
    2_592_000,
];

impl Scale {
    /// From one time to another, in about so many stretches, 1,000 at most.
    pub(super) fn new(from: Timestamp, to: Timestamp, buckets: usize) -> Self {
        let buckets = i64::try_from(buckets.clamp(1, 1_000)).unwrap_or(1_000);
        let wanted = to.as_usec().saturating_sub(from.as_usec()).div_euclid(buckets) + 1;
        let rounded = SECONDS.iter().map(|seconds| seconds * 1_000_000).find(|width| *width >= wanted);
        let hour = Level::Hour.usec();
        let width = rounded.unwrap_or_else(|| (wanted + hour - 1) / hour * hour);
        let level = Level::within(width);
        let first = from.as_usec().div_euclid(width);
        let count = to.as_usec().div_euclid(width) - first + 1;
        Self { width, first, count, stretch: Stretch { level, first: level.bucket(from), last: level.bucket(to) } }
    }

    pub(super) fn len(self) -> usize {
        usize::try_from(self.count).unwrap_or_default()
    }

    /// Which one a time is in; a time outside has a number that is none's.
    pub(super) fn index(self, time: Timestamp) -> i64 {
        time.as_usec().div_euclid(self.width) - self.first
    }

    /// Where each begins.
    pub(super) fn starts(self) -> impl Iterator<Item = Timestamp> {
        (self.first..self.first + self.count).map(move |bucket| Timestamp::from_usec(bucket * self.width))
    }

    /// The buckets in all of them.
    pub(super) fn stretch(self) -> Stretch {
        self.stretch
    }

    /// So many buckets are in one.
    pub(super) fn per_bucket(self) -> i64 {
        self.width / self.stretch.level.usec()
    }
}

impl Stretch {
    /// All from one time to another, to the second, in as few buckets as can be: hours, and what they leave at both ends.
    pub(super) fn whole(from: Timestamp, to: Timestamp) -> Vec<Self> {
        let mut whole = Vec::new();
        let (mut first, mut last) = (Level::Second.bucket(from), Level::Second.bucket(to));
        let wider = [(Level::Second, 60), (Level::Minute, 60)];
        for (level, of_next) in wider {
            // The buckets of the next level that lie within entirely.
            let (next_first, next_last) =
                ((first + of_next - 1).div_euclid(of_next), (last + 1).div_euclid(of_next) - 1);
            if next_first > next_last {
                break;
            }
            whole.push(Self { level, first, last: next_first * of_next - 1 });
            whole.push(Self { level, first: (next_last + 1) * of_next, last });
            (first, last) = (next_first, next_last);
        }
        let level = wider.get(whole.len() / 2).map_or(Level::Hour, |(level, _)| *level);
        whole.push(Self { level, first, last });
        whole.retain(|stretch| stretch.first <= stretch.last);
        whole
    }

    /// The condition on a rollup's columns `level` and `bucket`.
    pub(super) fn condition(self) -> String {
        format!("level = {} AND bucket BETWEEN {} AND {}", self.level as i64, self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::{Level, SECONDS, Scale, Stretch};
    use jkool_model::Timestamp;
    use proptest::{prop_assert_eq, proptest};

    #[test]
    fn each_width_is_whole_buckets_of_its_level() {
        for seconds in SECONDS {
            assert_eq!(seconds * 1_000_000 % Level::within(seconds * 1_000_000).usec(), 0, "{seconds}");
        }
    }

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

    proptest! {
        #[test]
        fn a_whole_is_each_second_once(from in 0..20_000_i64, length in 0..20_000_i64) {
            let time = |second: i64| Timestamp::from_usec(second * 1_000_000);
            let mut seconds: Vec<_> = Stretch::whole(time(from), time(from + length)).into_iter().flat_map(|stretch| {
                let wide = stretch.level.usec() / 1_000_000;
                stretch.first * wide..(stretch.last + 1) * wide
            }).collect();
            seconds.sort_unstable();
            prop_assert_eq!(seconds, (from..=from + length).collect::<Vec<_>>());
        }
    }
}
