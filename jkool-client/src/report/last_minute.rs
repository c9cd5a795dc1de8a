//! A count over the last minute. Pure: the time, in seconds, is passed in.

use std::collections::VecDeque;

const MINUTE: u64 = 60;

/// Counts per second; those older than a minute are removed.
#[derive(Debug, Default)]
pub(crate) struct LastMinute {
    seconds: VecDeque<(u64, u64)>,
}

impl LastMinute {
    pub(crate) fn add(&mut self, count: u64, now: u64) {
        self.seconds.retain(|(second, _)| second + MINUTE > now);
        match self.seconds.back_mut() {
            Some((second, counted)) if *second == now => *counted += count,
            _ => self.seconds.push_back((now, count)),
        }
    }

    pub(crate) fn count(&self, now: u64) -> u64 {
        self.seconds.iter().filter(|(second, _)| second + MINUTE > now).map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::LastMinute;

    #[test]
    fn what_is_older_than_a_minute_does_not_count() {
        let mut refused = LastMinute::default();
        assert_eq!(refused.count(100), 0);
        for (second, count) in [(100, 2), (100, 3), (130, 1), (159, 4)] {
            refused.add(count, second);
        }
        assert_eq!([159, 160, 189, 190, 218, 219].map(|now| refused.count(now)), [10, 5, 5, 4, 4, 0]);
        refused.add(1, 400);
        assert_eq!((refused.count(400), refused.seconds.len()), (1, 1));
    }
}
