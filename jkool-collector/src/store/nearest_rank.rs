//! The nearest-rank percentile: of `n` sorted values the one at `ceil(percent / 100 * n)`, counted from 1. Without I/O.

/// The share by which a percentile is lowered. Without this, `percent / 100 * n` may be just above a whole number
/// because `percent / 100` is not exact, and would be rounded up to the next position.
const INEXACT: f64 = 1e-12;

/// The position of a percentile among `count` sorted values, counted from 0.
pub(super) fn nearest_rank(percent: f64, count: u64) -> u64 {
    let rank = (share(percent) * count as f64).ceil() as u64;
    rank.min(count).saturating_sub(1)
}

/// The share of the values up to a percentile. Rounding `share * n` down gives the position, counted from 0.
pub(super) fn share(percent: f64) -> f64 {
    if percent >= 100.0 { 1.0 } else { percent / 100.0 * (1.0 - INEXACT) }
}

#[cfg(test)]
mod tests {
    use super::{nearest_rank, share};

    #[test]
    fn a_percentile_is_the_value_at_the_nearest_rank() {
        let expected = [
            ((95.0, 2), 1),
            ((50.0, 2), 0),
            ((50.0, 3), 1),
            ((50.1, 2), 1),
            ((0.0, 5), 0),
            ((100.0, 5), 4),
            ((95.0, 20), 18),
            ((95.0, 21), 19),
            ((7.0, 100), 6),
            ((99.9, 1_000), 998),
            ((99.9, 1_001), 999),
            ((50.0, 0), 0),
        ];
        for ((percent, count), rank) in expected {
            assert_eq!(nearest_rank(percent, count), rank, "p{percent} of {count}");
        }
    }

    #[test]
    fn the_share_rounded_down_is_the_same_position() {
        for (percent, count) in (1..1_000).flat_map(|tenths| (1..300).map(move |count| (tenths, count))) {
            let percent = f64::from(percent) / 10.0;
            let position = (share(percent) * count as f64) as u64;
            assert_eq!(position, nearest_rank(percent, count), "p{percent} of {count}");
        }
    }
}
