//! Approximate percentiles of many groups. Values are counted in bins that extend 1 % to each side of their middle:
//! results are off by at most 1 %, and a group needs only as much memory as it has bins.

use crate::store::nearest_rank::nearest_rank;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// The maximum relative error.
const OFF: f64 = 0.01;
/// The ratio of the upper to the lower bound of a bin.
const WIDTH: f64 = (1.0 + OFF) / (1.0 - OFF);
/// Values nearer to 0 count as 0.
const LEAST: f64 = 1e-9;
/// The offset that makes the bin numbers of all sizes from [`LEAST`] on positive.
const FIRST: i32 = 1_100;
const LAST: i32 = 40_000;

/// The counts of the bins of each group.
#[derive(Debug, Default)]
pub(super) struct Sketches(HashMap<Bin, u32, BuildHasherDefault<Mix>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Bin {
    group: u32,
    number: i32,
}

impl Sketches {
    pub(super) fn add(&mut self, group: u32, value: f64) {
        let count = self.0.entry(Bin { group, number: number(value) }).or_default();
        *count = count.saturating_add(1);
    }

    /// Returns the number of bins of all groups.
    pub(super) fn bins(&self) -> usize {
        self.0.len()
    }

    /// Returns the bins of each group, lowest values first.
    pub(super) fn into_groups(self, groups: usize) -> Vec<Sketch> {
        let mut bins: Vec<(Bin, u32)> = self.0.into_iter().collect();
        bins.sort_unstable();
        let mut sketches = vec![Sketch::default(); groups];
        for (bin, count) in bins {
            if let Some(sketch) = sketches.get_mut(bin.group as usize) {
                sketch.bins.push((bin.number, count));
                sketch.count += u64::from(count);
            }
        }
        sketches
    }
}

/// The bins of one group.
#[derive(Debug, Clone, Default)]
pub(super) struct Sketch {
    bins: Vec<(i32, u32)>,
    count: u64,
}

impl Sketch {
    /// Returns the approximate percentile, or `None` without values.
    pub(super) fn percentile(&self, percent: f64) -> Option<f64> {
        let rank = nearest_rank(percent, self.count);
        let mut below = 0;
        let bin = self.bins.iter().find(|(_, count)| {
            below += u64::from(*count);
            below > rank
        });
        bin.map(|(number, _)| middle(*number))
    }
}

/// Returns the bin of a value. Higher values have higher numbers.
fn number(value: f64) -> i32 {
    let size = value.abs();
    // NaN counts as 0.
    if size.is_nan() || size < LEAST {
        return 0;
    }
    let number = (size.ln() / WIDTH.ln()).ceil().min(f64::from(LAST)) as i32 + FIRST;
    if value < 0.0 { -number } else { number }
}

/// Returns the value in the middle of a bin.
fn middle(number: i32) -> f64 {
    if number == 0 {
        return 0.0;
    }
    let middle = (WIDTH.powi(number.abs() - FIRST) * (2.0 / (WIDTH + 1.0))).min(f64::MAX);
    if number < 0 { -middle } else { middle }
}

/// A fast hash of few numbers. It needs no protection against chosen collisions.
#[derive(Debug, Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32(u32::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0.rotate_left(26) ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_i32(&mut self, number: i32) {
        self.write_u32(number.cast_unsigned());
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::{LEAST, Sketches, middle, nearest_rank, number};
    use proptest::prelude::*;

    #[test]
    fn every_value_has_a_bin() {
        for value in [0.0, LEAST, -LEAST, 1.0, -1.0, f64::MIN_POSITIVE, f64::MAX, f64::MIN, f64::NAN, f64::INFINITY] {
            let off = (middle(number(value)) - value).abs();
            assert!(!value.is_finite() || off <= value.abs() * 0.0101 + LEAST, "{value}: off by {off}");
        }
        assert!(number(LEAST) > 0 && number(f64::MAX) < i32::MAX && number(-2.0) < number(-1.0));
    }

    proptest! {
        #[test]
        fn a_percentile_is_off_by_a_hundredth_at_most(
            values in proptest::collection::vec((0..4_u32, prop_oneof![-1e9..1e9_f64, -1.0..1.0_f64, Just(0.0)]), 1..300),
            percent in 0.0..100.0_f64,
        ) {
            let mut sketches = Sketches::default();
            values.iter().for_each(|(group, value)| sketches.add(*group, *value));
            for (group, sketch) in (0..).zip(sketches.into_groups(4)) {
                let mut own: Vec<f64> = values.iter().filter(|(other, _)| *other == group).map(|(_, value)| *value).collect();
                own.sort_by(f64::total_cmp);
                let Some(exact) = own.get(nearest_rank(percent, own.len() as u64) as usize) else {
                    prop_assert_eq!(sketch.percentile(percent), None);
                    continue;
                };
                let said = sketch.percentile(percent).unwrap();
                prop_assert!((said - exact).abs() <= exact.abs() * 0.0101 + LEAST, "{} is not {}", said, exact);
            }
        }
    }
}
