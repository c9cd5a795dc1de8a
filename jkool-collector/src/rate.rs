//! How many within how long are too many: for `jkool watch`, and for the same on the page.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A rate limit: more than a number of entities within a time, written as `5/1m`.
///
/// ```
/// use jkool_collector::Rate;
/// let rate: Rate = "5/90s".parse()?;
/// assert_eq!((rate.more_than, rate.within.as_secs()), (5, 90));
/// # Ok::<(), jkool_collector::InvalidRate>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The number that is allowed, at most 100,000.
    pub more_than: usize,
    /// The time, from a millisecond to 366 days.
    pub within: Duration,
}

/// The error for a text that is not a [`Rate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a number up to {MOST} and a duration from 1ms to 366d, such as 5/1m")]
pub struct InvalidRate;

/// The receipt of each of so many is kept.
const MOST: usize = 100_000;
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// Units of time, and what they are in seconds. The longer of two that end alike comes first.
const UNITS: [(&str, f64); 5] = [("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3_600.0), ("d", 86_400.0)];

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let (number, duration) = text.split_once('/').ok_or(InvalidRate)?;
        let more_than = number.trim().parse().ok().filter(|number| *number <= MOST).ok_or(InvalidRate)?;
        let duration = duration.trim();
        let with_unit = UNITS.iter().find_map(|(unit, seconds)| Some((duration.strip_suffix(unit)?, seconds)));
        let (count, seconds) = with_unit.ok_or(InvalidRate)?;
        let seconds = count.trim().parse::<f64>().map_err(|_| InvalidRate)? * seconds;
        let within = Duration::try_from_secs_f64(seconds).map_err(|_| InvalidRate)?;
        let is_fit = (Duration::from_millis(1)..=LONGEST).contains(&within);
        is_fit.then_some(Self { more_than, within }).ok_or(InvalidRate)
    }
}

/// As it is parsed, in the largest unit that says it in whole numbers.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.within.as_secs_f64();
        let is_whole = |size: f64| (seconds / size).fract() == 0.0;
        let (unit, size) = UNITS.iter().rev().find(|(_, size)| is_whole(*size)).unwrap_or(&UNITS[0]);
        write!(f, "{}/{}{unit}", self.more_than, seconds / size)
    }
}

/// A sliding window with the times of the last entities that count for a rate.
#[derive(Debug, Clone)]
pub struct Window {
    rate: Rate,
    /// In microseconds, from the oldest on: one more than is allowed, at most.
    receipts: VecDeque<i64>,
}

impl Window {
    /// With nothing in it.
    pub fn new(rate: Rate) -> Self {
        Self { rate, receipts: VecDeque::new() }
    }

    /// Takes one that was received at `usec` since 1970. It counts as received no sooner than those before it: those of two
    /// connections may come in another order.
    pub fn take(&mut self, usec: i64) {
        let received = usec.max(self.receipts.back().copied().unwrap_or(i64::MIN));
        if self.receipts.len() > self.rate.more_than {
            self.receipts.pop_front();
        }
        self.receipts.push_back(received);
    }

    /// Until when there are too many, in microseconds since 1970; `None` while there are not.
    pub fn too_many_until(&self) -> Option<i64> {
        let within = i64::try_from(self.rate.within.as_micros()).unwrap_or(i64::MAX);
        let oldest = self.receipts.front().filter(|_| self.receipts.len() > self.rate.more_than)?;
        Some(oldest.saturating_add(within))
    }

    /// Whether there are too many at `usec` since 1970.
    pub fn has_too_many(&self, usec: i64) -> bool {
        self.too_many_until().is_some_and(|until| usec < until)
    }
}

#[cfg(test)]
mod tests {
    use super::{Rate, Window};
    use proptest::prelude::*;

    #[test]
    fn a_rate_is_read() {
        for text in ["5", "5/", "/1m", "5/1", "-1/1m", "100001/1m", "5/0s", "5/1us", "5/1000d", "5/NaNs", "5/-1s"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
        for (text, written) in [("5 / 90s", "5/90s"), ("0/60s", "0/1m"), ("7/1.5s", "7/1500ms"), ("1/48h", "1/2d")] {
            let rate: Rate = text.parse().unwrap();
            assert_eq!(rate.to_string(), written);
            assert_eq!(written.parse(), Ok(rate));
        }
    }

    proptest! {
        #[test]
        fn too_many_are_more_than_so_many_within_so_long(
            gaps in proptest::collection::vec(0_i64..8, 0..60),
            more_than in 0_usize..6,
            later in 0_i64..20,
        ) {
            let mut window = Window::new(format!("{more_than}/10s").parse().unwrap());
            let seconds: Vec<i64> = gaps.iter().scan(0, |now, gap| { *now += gap; Some(*now) }).collect();
            seconds.iter().for_each(|second| window.take(second * 1_000_000));
            let now = seconds.last().copied().unwrap_or_default() + later;
            let recent = seconds.iter().filter(|second| now - **second < 10).count();
            prop_assert_eq!(window.has_too_many(now * 1_000_000), recent > more_than);
        }
    }
}
