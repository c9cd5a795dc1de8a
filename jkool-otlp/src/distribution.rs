//! Computes quantiles from buckets.

use crate::proto::metrics::{Buckets, ExponentialHistogramDataPoint};

/// The quantiles that are sent, with the names that `jkool-metrics` uses.
pub(crate) const QUANTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];

/// The number of values between two bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bucket {
    low: f64,
    high: f64,
    count: u64,
}

/// The value of a quantile, assuming that values are spread evenly within their bucket. `None` if there are no values, or the
/// bounds are not in order.
pub(crate) fn quantile(buckets: &[Bucket], which: f64) -> Option<f64> {
    let total: f64 = buckets.iter().map(|bucket| bucket.count as f64).sum();
    let rank = which * total;
    let mut before = 0.0;
    for Bucket { low, high, count } in buckets.iter().filter(|bucket| bucket.count > 0) {
        let count = *count as f64;
        if before + count >= rank {
            let value = low + (high - low) * ((rank - before) / count).clamp(0.0, 1.0);
            return Some(value).filter(|value| value.is_finite() && low <= high);
        }
        before += count;
    }
    None
}

/// Buckets between explicit bounds. The first and the last bucket have only one bound: they extend to the minimum and maximum
/// if those are given, and at the lower end to 0 if that is lower.
pub(crate) fn explicit(counts: &[u64], bounds: &[f64], min: Option<f64>, max: Option<f64>) -> Vec<Bucket> {
    let lowest = |first: f64| min.unwrap_or(first.min(0.0));
    let highest = |last: f64| max.unwrap_or(last);
    let bucket = |(index, count): (usize, &u64)| {
        let below = index.checked_sub(1).and_then(|before| bounds.get(before)).copied();
        let above = bounds.get(index).copied();
        let (low, high) = match (below, above) {
            (Some(low), Some(high)) => (low.max(min.unwrap_or(low)), high.min(max.unwrap_or(high))),
            (Some(low), None) => (low.max(min.unwrap_or(low)), highest(low)),
            (None, Some(high)) => (lowest(high), high.min(max.unwrap_or(high))),
            (None, None) => (min.unwrap_or(f64::NAN), max.unwrap_or(f64::NAN)),
        };
        Bucket { low, high, count: *count }
    };
    counts.iter().enumerate().map(bucket).collect()
}

/// Buckets whose bounds are the powers of `2^(2^-scale)`, from the lowest values to the highest.
pub(crate) fn exponential(point: &ExponentialHistogramDataPoint) -> Vec<Bucket> {
    let (min, max) = (point.min.unwrap_or(f64::NEG_INFINITY), point.max.unwrap_or(f64::INFINITY));
    let side = |side: &Option<Buckets>, sign: f64| {
        let Some(Buckets { offset, bucket_counts }) = side else { return Vec::new() };
        let bound =
            |index: usize| sign * ((f64::from(*offset) + index as f64) * (-f64::from(point.scale)).exp2()).exp2();
        let bucket = |(index, count): (usize, &u64)| {
            let (near, far) = (bound(index), bound(index + 1));
            Bucket { low: near.min(far).max(min), high: near.max(far).min(max), count: *count }
        };
        bucket_counts.iter().enumerate().filter(|(_, count)| **count > 0).map(bucket).collect()
    };
    let mut buckets = side(&point.negative, -1.0);
    buckets.reverse();
    let zero = point.zero_threshold.abs();
    buckets.push(Bucket { low: (-zero).max(min), high: zero.min(max), count: point.zero_count });
    buckets.extend(side(&point.positive, 1.0));
    buckets
}

#[cfg(test)]
mod tests {
    use super::{Bucket, explicit, exponential, quantile};
    use crate::proto::metrics::{Buckets, ExponentialHistogramDataPoint};
    use proptest::prelude::*;

    #[test]
    fn values_are_spread_evenly_within_their_bucket() {
        let buckets = explicit(&[0, 10, 10, 0], &[0.0, 10.0, 20.0], None, None);
        assert_eq!(quantile(&buckets, 0.5), Some(10.0));
        assert_eq!(quantile(&buckets, 0.25), Some(5.0));
        assert_eq!(quantile(&buckets, 0.9), Some(18.0));
        assert_eq!(quantile(&explicit(&[], &[], None, None), 0.5), None);
        assert_eq!(quantile(&explicit(&[0, 0], &[1.0], None, None), 0.5), None);
    }

    #[test]
    fn the_ends_reach_as_far_as_is_known() {
        assert_eq!(quantile(&explicit(&[4, 0], &[8.0], None, None), 0.5), Some(4.0));
        assert_eq!(quantile(&explicit(&[0, 4], &[8.0], None, Some(10.0)), 0.5), Some(9.0));
        assert_eq!(quantile(&explicit(&[0, 4], &[8.0], None, None), 0.5), Some(8.0));
        assert_eq!(quantile(&explicit(&[2], &[], Some(1.0), Some(3.0)), 0.5), Some(2.0));
        assert_eq!(quantile(&explicit(&[2], &[], None, None), 0.5), None);
    }

    #[test]
    fn exponential_buckets_are_powers() {
        let point = ExponentialHistogramDataPoint {
            scale: 0,
            zero_count: 2,
            positive: Some(Buckets { offset: 1, bucket_counts: vec![4, 0, 2] }),
            negative: Some(Buckets { offset: 0, bucket_counts: vec![1, 1] }),
            ..Default::default()
        };
        let bounds: Vec<_> =
            exponential(&point).iter().map(|Bucket { low, high, count }| (*low, *high, *count)).collect();
        assert_eq!(bounds, [(-4.0, -2.0, 1), (-2.0, -1.0, 1), (0.0, 0.0, 2), (2.0, 4.0, 4), (8.0, 16.0, 2)]);
        assert_eq!(quantile(&exponential(&point), 0.5), Some(2.5));
    }

    proptest! {
        #[test]
        fn a_quantile_lies_between_the_smallest_and_the_largest_value(
            values in proptest::collection::vec(-1e6..1e6_f64, 1..200),
            which in 0.0..=1.0_f64,
        ) {
            let bounds = [-1e4, -10.0, 0.0, 1.0, 100.0, 1e5];
            let mut counts = [0; 7];
            for value in &values {
                counts[bounds.partition_point(|bound| bound < value)] += 1;
            }
            let min = values.iter().copied().fold(f64::INFINITY, f64::min);
            let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let found = quantile(&explicit(&counts, &bounds, Some(min), Some(max)), which).unwrap();
            prop_assert!((min..=max).contains(&found), "{min} {found} {max}");
        }

        #[test]
        fn no_buckets_are_too_odd(scale in any::<i32>(), offset in any::<i32>(), counts in proptest::collection::vec(any::<u64>(), 0..9), zero in any::<f64>()) {
            let side = Some(Buckets { offset, bucket_counts: counts });
            let point = ExponentialHistogramDataPoint {
                scale, zero_threshold: zero, zero_count: 1, positive: side.clone(), negative: side, ..Default::default()
            };
            if let Some(found) = quantile(&exponential(&point), 0.5) {
                prop_assert!(found.is_finite());
            }
        }
    }
}
