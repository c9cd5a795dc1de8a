//! Decides when a watch runs its program, only by the times when events were received.

use jkool_collector::{Rate, Window};

/// A rate, and the events that count for it.
#[derive(Debug)]
pub(super) struct Rule {
    window: Window,
    /// In microseconds, like all times here.
    within: i64,
    /// When the last event was received.
    last: i64,
    /// The time of the last report, as long as there have been too many since.
    told: Option<i64>,
}

impl Rule {
    pub(super) fn new(rate: Rate) -> Self {
        let within = i64::try_from(rate.within.as_micros()).unwrap_or(i64::MAX);
        Self { window: Window::new(rate), within, last: i64::MIN, told: None }
    }

    /// Adds an event that was received at this time. Returns true if there are too many: once, until the number was
    /// within the limit, and at most once within the time of the rate.
    pub(super) fn take(&mut self, received: i64) -> bool {
        // Those of two connections may come in another order.
        self.last = received.max(self.last);
        let is_over = |then: i64| self.last.saturating_sub(then) >= self.within;
        if !self.window.has_too_many(self.last) && self.told.is_some_and(is_over) {
            self.told = None;
        }
        self.window.take(self.last);
        let tells = self.window.has_too_many(self.last) && self.told.is_none();
        if tells {
            self.told = Some(self.last);
        }
        tells
    }
}

#[cfg(test)]
mod tests {
    use super::Rule;
    use proptest::prelude::*;

    /// What it tells of events that are received at these seconds.
    fn told(rate: &str, seconds: &[i64]) -> Vec<i64> {
        let mut rule = Rule::new(rate.parse().unwrap());
        seconds.iter().copied().filter(|second| rule.take(second * 1_000_000)).collect()
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
