//! Detects a loop: a transport logs about each send from a thread that it has not marked as one of
//! [delivery](crate::DeliveryThread), each record becomes an event, and that event must be sent. Pure.

use std::time::{Duration, Instant};

/// In such a loop nothing else is queued. So an echo is a batch that consists only of events from the time of the previous
/// send, followed by no event for as long again. Events of a program arrive at any time, so this many such batches in a row are
/// no coincidence.
const LIMIT: u32 = 64;

#[derive(Debug, Default)]
pub(crate) struct Echo {
    /// When the sends in flight began, if the queue was empty then.
    began: Option<Instant>,
    heard: Option<Heard>,
    /// The number of batches in a row that may be echoes.
    in_a_row: u32,
}

/// The state of the queue when the last send in flight ended.
#[derive(Debug)]
struct Heard {
    events: i64,
    ended: Instant,
    took: Duration,
}

impl Echo {
    /// Records that a send begins while no other is in flight and so many events wait.
    pub(crate) fn send_begins(&mut self, waiting: i64, now: Instant) {
        self.began = (waiting == 0).then_some(now);
    }

    /// Records that the last send in flight ended while so many events wait.
    pub(crate) fn sends_ended(&mut self, waiting: i64, now: Instant) {
        self.heard = self.began.take().map(|began| Heard {
            events: waiting,
            ended: now,
            took: now.saturating_duration_since(began),
        });
    }

    /// Records that a batch is taken from so many waiting events. Returns whether to drop it, because it is an echo like those
    /// before.
    pub(crate) fn is_caught(&mut self, waited: i64, now: Instant) -> bool {
        let heard = self.heard.take();
        let silent = |heard: &Heard| now.saturating_duration_since(heard.ended) >= heard.took;
        let echo = heard.is_some_and(|heard| heard.events == waited && silent(&heard));
        self.in_a_row = if echo && self.in_a_row < LIMIT { self.in_a_row + 1 } else { 0 };
        self.in_a_row == LIMIT
    }
}

#[cfg(test)]
mod tests {
    use super::{Echo, LIMIT};
    use crate::emit::clock;
    use std::time::{Duration, Instant};

    const SEND: Duration = Duration::from_millis(5);

    /// A send during which `during` events come, and `after` more before the batch is taken after `gap`; whether that is caught.
    fn round(echo: &mut Echo, now: &mut Instant, (during, after): (i64, i64), gap: Duration) -> bool {
        echo.send_begins(0, *now);
        *now += SEND;
        echo.sends_ended(during, *now);
        *now += gap;
        echo.is_caught(during + after, *now)
    }

    fn caught(events: impl Fn(u32) -> (i64, i64), gap: impl Fn(u32) -> Duration) -> Vec<u32> {
        let (mut echo, mut now) = (Echo::default(), clock::now());
        (1..=4 * LIMIT).filter(|number| round(&mut echo, &mut now, events(*number), gap(*number))).collect()
    }

    #[test]
    fn what_comes_during_sends_alone_is_caught_each_time_it_comes_back() {
        assert_eq!(caught(|_| (2, 0), |_| SEND), [LIMIT, 2 * LIMIT + 1, 3 * LIMIT + 2]);
    }

    #[test]
    fn one_event_that_comes_between_sends_is_enough_to_go_on() {
        assert!(caught(|number| (2, i64::from(number % LIMIT == 0)), |_| SEND).is_empty());
    }

    #[test]
    fn sends_that_follow_each_other_at_once_say_nothing() {
        assert!(caught(|_| (2, 0), |number| if number % LIMIT == 0 { SEND / 2 } else { SEND }).is_empty());
    }

    #[test]
    fn what_waited_before_a_send_is_no_echo_of_it() {
        let (mut echo, mut now) = (Echo::default(), clock::now());
        for _ in 0..4 * LIMIT {
            echo.send_begins(1, now);
            now += SEND;
            echo.sends_ended(1, now);
            now += SEND;
            assert!(!echo.is_caught(1, now));
        }
    }
}
