//! When to tell: decided by when events were received, and by nothing else.

use crate::units;
use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// More than so many within so long: `5/1m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) more_than: usize,
    pub(crate) within: Duration,
}

/// The receipt of each of so many is kept.
const MOST: usize = 100_000;

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("expected a number up to {MOST} and a duration, such as 5/1m");
        let (number, duration) = text.split_once('/').ok_or_else(expected)?;
        let more_than = number.trim().parse().ok().filter(|number| *number <= MOST).ok_or_else(expected)?;
        let within = units::duration(duration.trim())?;
        if within < Duration::from_millis(1) || within > Duration::from_secs(366 * 86_400) {
            return Err("expected a duration from 1ms to 366d behind the /".to_owned());
        }
        Ok(Self { more_than, within })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {:?}", self.more_than, self.within)
    }
}

/// A rate, and what counts for it.
#[derive(Debug)]
pub(super) struct Rule {
    rate: Rate,
    /// When the last ones were received, in microseconds: one more than is allowed, at most.
    receipts: VecDeque<i64>,
    /// When it last told, as long as there are too many since.
    told: Option<i64>,
}

impl Rule {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, receipts: VecDeque::new(), told: None }
    }

    /// Takes one that was received then. Tells whether there are too many now, which it does once, until they were no longer
    /// too many, and at most once within the time of the rate.
    pub(super) fn take(&mut self, received: i64) -> bool {
        // Those of two connections may come in another order.
        let received = received.max(self.receipts.back().copied().unwrap_or(i64::MIN));
        let within = i64::try_from(self.rate.within.as_micros()).unwrap_or(i64::MAX);
        let is_over = |then: i64| received.saturating_sub(then) >= within;
        while self.receipts.front().is_some_and(|then| is_over(*then)) {
            self.receipts.pop_front();
        }
        if self.receipts.len() <= self.rate.more_than && self.told.is_some_and(is_over) {
            self.told = None;
        }
        if self.receipts.len() > self.rate.more_than {
            self.receipts.pop_front();
        }
        self.receipts.push_back(received);
        let tells = self.receipts.len() > self.rate.more_than && self.told.is_none();
        if tells {
            self.told = Some(received);
        }
        tells
    }
}

#[cfg(test)]
mod tests {
    use super::{Rate, Rule};
    use proptest::prelude::*;

    /// What it tells of events that are received at these seconds.
    fn told(rate: &str, seconds: &[i64]) -> Vec<i64> {
        let mut rule = Rule::new(rate.parse().unwrap());
        seconds.iter().copied().filter(|second| rule.take(second * 1_000_000)).collect()
    }

    #[test]
    fn a_rate_is_read() {
        for text in ["5", "5/", "/1m", "5/1", "-1/1m", "100001/1m", "5/0s", "5/1us", "5/1000d"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
        assert_eq!("5 / 90s".parse::<Rate>().unwrap().to_string(), "5 in 90s");
    }

    #[test]
    fn it_tells_when_there_are_more_and_again_when_there_were_fewer() {
        assert_eq!(told("2/10s", &[0, 1, 2]), [2]);
        assert_eq!(told("2/10s", &[0, 5, 10, 15, 20]), [] as [i64; 0]);
        // As long as there are too many it has told.
        assert_eq!(told("2/10s", &(0..60).collect::<Vec<_>>()), [2]);
        assert_eq!(told("2/10s", &[0, 1, 2, 3, 20, 21, 22, 23]), [2, 22]);
        // Around the limit it tells no more often than once in that time.
        let around: Vec<i64> = (0..12).map(|number| number * 4).collect();
        assert_eq!(told("2/10s", &around), [8, 20, 32, 44]);
        assert_eq!(told("0/10s", &[0, 1, 2, 30]), [0, 30]);
        // A clock that goes back is no matter.
        assert_eq!(told("2/10s", &[100, 1, 2]), [2]);
    }

    proptest! {
        #[test]
        fn it_never_tells_of_fewer_nor_twice_within_its_time(
            gaps in proptest::collection::vec(0_i64..8, 0..200),
            more_than in 0_usize..6,
        ) {
            let received: Vec<i64> = gaps.iter().scan(0, |now, gap| { *now += gap; Some(*now) }).collect();
            let told = told(&format!("{more_than}/10s"), &received);
            for now in &told {
                prop_assert!(received.iter().filter(|then| **then <= *now && now - **then < 10).count() > more_than);
            }
            prop_assert!(told.windows(2).all(|two| two[1] - two[0] >= 10));
        }
    }
}
