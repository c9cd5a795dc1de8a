//! Counts and metrics in buckets of time, so that a chart over a million events reads a few hundred rows.

use super::record::Sample;
use jkool_model::Timestamp;
use std::collections::HashMap;

/// How wide a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Level {
    Second = 0,
    Minute = 1,
    Hour = 2,
}

impl Level {
    pub(super) const ALL: [Self; 3] = [Self::Second, Self::Minute, Self::Hour];

    /// Its width in microseconds.
    pub(super) const fn usec(self) -> i64 {
        match self {
            Level::Second => 1_000_000,
            Level::Minute => 60_000_000,
            Level::Hour => 3_600_000_000,
        }
    }

    /// The widest whose buckets fit into `width` microseconds.
    pub(super) fn within(width: i64) -> Self {
        Self::ALL.into_iter().rev().find(|level| level.usec() <= width).unwrap_or(Level::Second)
    }

    /// The number of the bucket that `time` is in.
    pub(super) fn bucket(self, time: Timestamp) -> i64 {
        time.as_usec().div_euclid(self.usec())
    }
}

/// A row of the table `tally`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TallyKey {
    pub(super) level: Level,
    pub(super) bucket: i64,
    pub(super) facet: i64,
}

/// A row of the table `metric`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct MetricKey {
    pub(super) name: i64,
    pub(super) level: Level,
    pub(super) bucket: i64,
    pub(super) source: i64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) count: i64,
    pub(super) sum: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

/// What a group of writes adds to both tables.
#[derive(Debug, Default)]
pub(super) struct Rollup {
    pub(super) tally: HashMap<TallyKey, i64>,
    pub(super) metrics: HashMap<MetricKey, Spread>,
}

impl Rollup {
    /// Counts an entity of `time`; with `-1` it is taken away.
    pub(super) fn count(&mut self, time: Timestamp, facet: i64, by: i64) {
        for level in Level::ALL {
            let key = TallyKey { level, bucket: level.bucket(time), facet };
            *self.tally.entry(key).or_default() += by;
        }
    }

    /// Adds a value to the metric whose id is `name`.
    pub(super) fn add(&mut self, name: i64, source: i64, sample: &Sample) {
        let value = sample.value;
        for level in Level::ALL {
            let key = MetricKey { name, level, bucket: level.bucket(sample.time), source };
            let spread = Spread { count: 1, sum: value, min: value, max: value };
            self.metrics
                .entry(key)
                .and_modify(|spread| {
                    spread.count += 1;
                    spread.sum += value;
                    spread.min = spread.min.min(value);
                    spread.max = spread.max.max(value);
                })
                .or_insert(spread);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Level;
    use jkool_model::Timestamp;

    #[test]
    fn a_level_fits_the_width_that_is_wanted() {
        for (seconds, level) in [(0, Level::Second), (59, Level::Second), (60, Level::Minute), (86_400, Level::Hour)] {
            assert_eq!(Level::within(seconds * 1_000_000), level, "{seconds}");
        }
        assert_eq!(Level::Minute.bucket(Timestamp::from_usec(-1)), -1);
    }
}
