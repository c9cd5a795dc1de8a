//! Counts and metrics in buckets of time, so that a chart over a million events reads a few hundred rows.

use jkool_model::Timestamp;
use rusqlite::{Connection, Result, params};
use std::collections::HashMap;

/// How wide a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Second = 0,
    Minute = 1,
    Hour = 2,
}

impl Level {
    pub(super) const ALL: [Self; 3] = [Self::Second, Self::Minute, Self::Hour];

    /// Its width in microseconds.
    pub(super) const fn usec(self) -> i64 {
        1_000_000 * self.seconds()
    }

    const fn seconds(self) -> i64 {
        match self {
            Level::Second => 1,
            Level::Minute => 60,
            Level::Hour => 3_600,
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

/// What a group of writes adds to the tables `tally` and `metric`, by the second.
#[derive(Debug, Default)]
pub(super) struct Rollup {
    /// By second and facet.
    tally: HashMap<(i64, i64), i64>,
    metrics: HashMap<MetricKey, Spread>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct MetricKey {
    name: i64,
    second: i64,
    source: i64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Spread {
    count: i64,
    sum: f64,
    min: f64,
    max: f64,
}

impl Spread {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

impl Rollup {
    /// Counts an entity; by -1 it is taken away.
    pub(super) fn count(&mut self, time: Timestamp, facet: i64, by: i64) {
        *self.tally.entry((Level::Second.bucket(time), facet)).or_default() += by;
    }

    /// Adds a value to the metric whose id is `name`.
    pub(super) fn add(&mut self, name: i64, source: i64, time: Timestamp, value: f64) {
        let key = MetricKey { name, second: Level::Second.bucket(time), source };
        let spread = Spread { count: 1, sum: value, min: value, max: value };
        self.metrics.entry(key).and_modify(|known| known.add(spread)).or_insert(spread);
    }

    /// Adds it all to the tables.
    pub(super) fn write(&self, connection: &Connection) -> Result<()> {
        let mut add_tally = connection.prepare_cached(
            "INSERT INTO tally VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET count = count + excluded.count",
        )?;
        let mut add_metric = connection.prepare_cached(
            "INSERT INTO metric VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT DO UPDATE SET count = count + excluded.count, sum = sum + excluded.sum,
                 min = min(min, excluded.min), max = max(max, excluded.max)",
        )?;
        for level in Level::ALL {
            let bucket = |second: i64| second.div_euclid(level.seconds());
            let mut tally = HashMap::new();
            for ((second, facet), count) in &self.tally {
                *tally.entry((bucket(*second), *facet)).or_insert(0) += count;
            }
            for ((bucket, facet), count) in tally {
                add_tally.execute(params![level as i64, bucket, facet, count])?;
            }
            let mut metrics: HashMap<_, Spread> = HashMap::new();
            for (MetricKey { name, second, source }, spread) in &self.metrics {
                let key = (*name, bucket(*second), *source);
                metrics.entry(key).and_modify(|known| known.add(*spread)).or_insert(*spread);
            }
            for ((name, bucket, source), Spread { count, sum, min, max }) in metrics {
                add_metric.execute(params![name, level as i64, bucket, source, count, sum, min, max])?;
            }
        }
        Ok(())
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
