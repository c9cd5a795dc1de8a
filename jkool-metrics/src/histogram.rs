//! Histograms: the distribution of values in an interval.

use metrics::HistogramFn;
use sketches_ddsketch::{Config, DDSketch};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many threads can record in a histogram at the same time without waiting.
const STRIPES: usize = 4;

/// The values, in the sketches of several stripes. Quantiles have a relative error of at most 1 %; values whose magnitude is
/// below one billionth count as 0.
pub(crate) struct Histogram {
    stripes: [Mutex<DDSketch>; STRIPES],
    /// The number of NaN values.
    refused: AtomicU64,
}

/// The values of an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Summary {
    pub(crate) count: u64,
    pub(crate) sum: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// In the order of [`QUANTILES`].
    pub(crate) quantiles: [f64; QUANTILES.len()],
}

/// With their names, in thousandths.
pub(crate) const QUANTILES: [(&str, usize); 4] = [("p50", 500), ("p90", 900), ("p99", 990), ("p99.9", 999)];

impl Default for Histogram {
    fn default() -> Self {
        Self { stripes: std::array::from_fn(|_| Mutex::new(empty())), refused: AtomicU64::new(0) }
    }
}

fn empty() -> DDSketch {
    DDSketch::new(Config::defaults())
}

/// The position of a quantile among `count` sorted values by nearest rank, counted from 0.
fn nearest_rank(thousandths: usize, count: usize) -> usize {
    (thousandths * count).div_ceil(1_000).saturating_sub(1)
}

impl Histogram {
    /// Takes the values since the last call; `None` if there are none.
    pub(crate) fn take(&self) -> Option<Summary> {
        let mut whole = empty();
        for stripe in &self.stripes {
            let mut stripe = stripe.lock().unwrap_or_else(PoisonError::into_inner);
            if stripe.count() > 0 {
                let part = std::mem::replace(&mut *stripe, empty());
                drop(stripe);
                // All have the same configuration, so this does not fail.
                whole.merge(&part).unwrap_or_default();
            }
        }
        let (min, max, sum, count) = (whole.min()?, whole.max()?, whole.sum()?, whole.count());
        let quantile = |(_, thousandths)| {
            // The sketch takes the share of the values before it, and rounds its position down.
            let share = (nearest_rank(thousandths, count) as f64 + 0.5) / count.saturating_sub(1).max(1) as f64;
            // It knows a value with an error of 1 %, so this may be beyond the minimum or maximum.
            whole.quantile(share.min(1.0)).ok().flatten().unwrap_or(max).clamp(min, max)
        };
        Some(Summary { count: count as u64, sum, min, max, quantiles: QUANTILES.map(quantile) })
    }

    /// Whether nothing was recorded since the last [`take`](Self::take).
    pub(crate) fn is_empty(&self) -> bool {
        let is_empty = |stripe: &Mutex<DDSketch>| stripe.lock().unwrap_or_else(PoisonError::into_inner).count() == 0;
        self.refused.load(Ordering::Relaxed) == 0 && self.stripes.iter().all(is_empty)
    }

    pub(crate) fn take_refused(&self) -> u64 {
        self.refused.swap(0, Ordering::Relaxed)
    }

    /// The first free stripe, or else waits for one.
    fn stripe(&self) -> MutexGuard<'_, DDSketch> {
        self.stripes
            .iter()
            .find_map(|stripe| stripe.try_lock().ok())
            .unwrap_or_else(|| self.stripes[0].lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Histogram").finish_non_exhaustive()
    }
}

impl HistogramFn for Histogram {
    fn record(&self, value: f64) {
        self.record_many(value, 1);
    }

    fn record_many(&self, value: f64, count: usize) {
        match value.is_finite() {
            true => self.stripe().add_with_count(value, count as u64),
            false => drop(self.refused.fetch_add(count as u64, Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Histogram, nearest_rank};
    use metrics::HistogramFn;
    use proptest::prelude::*;

    #[test]
    fn an_interval_has_what_came_in_it() {
        let histogram = Histogram::default();
        assert_eq!(histogram.take(), None);
        histogram.record_many(2.0, 3);
        histogram.record(-1.0);
        assert!(!histogram.is_empty());
        let summary = histogram.take().unwrap();
        assert_eq!((summary.count, summary.sum, summary.min, summary.max), (4, 5.0, -1.0, 2.0));
        assert!(histogram.is_empty() && histogram.take().is_none());
    }

    #[test]
    fn what_is_no_number_is_counted_apart() {
        let histogram = Histogram::default();
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            histogram.record(value);
        }
        assert!(!histogram.is_empty());
        assert_eq!((histogram.take(), histogram.take_refused(), histogram.take_refused()), (None, 3, 0));
        assert!(histogram.is_empty());
        histogram.record(f64::MAX);
        histogram.record(f64::MIN);
        assert_eq!(histogram.take().unwrap().min, f64::MIN);
    }

    #[test]
    fn values_of_many_threads_are_one_distribution() {
        let histogram = Histogram::default();
        std::thread::scope(|scope| {
            for thread in 0..8_u32 {
                let histogram = &histogram;
                scope.spawn(move || (0..1000).for_each(|value| histogram.record((thread * 1000 + value).into())));
            }
        });
        let summary = histogram.take().unwrap();
        assert_eq!((summary.count, summary.sum, summary.min, summary.max), (8000, 31_996_000.0, 0.0, 7999.0));
        for (found, expected) in summary.quantiles.into_iter().zip([4000.0, 7200.0, 7920.0, 7992.0]) {
            assert!((found - expected).abs() <= expected * 0.011, "{found} {expected}");
        }
    }

    #[test]
    fn a_quantile_is_the_value_at_the_nearest_rank() {
        let expected =
            [((500, 1), 0), ((500, 2), 0), ((500, 3), 1), ((900, 10), 8), ((990, 2), 1), ((999, 1_001), 999)];
        for ((thousandths, count), rank) in expected {
            assert_eq!(nearest_rank(thousandths, count), rank, "{thousandths} of {count}");
        }
    }

    proptest! {
        #[test]
        fn quantiles_are_true_to_one_per_cent(mut values in proptest::collection::vec(1e-6..1e6_f64, 1..300)) {
            let histogram = Histogram::default();
            values.iter().for_each(|value| histogram.record(*value));
            values.sort_by(f64::total_cmp);
            let summary = histogram.take().unwrap();
            for (found, (_, thousandths)) in summary.quantiles.into_iter().zip(super::QUANTILES) {
                let expected = values[nearest_rank(thousandths, values.len())];
                prop_assert!((found - expected).abs() <= expected * 0.011, "{} {}", found, expected);
            }
        }
    }
}
