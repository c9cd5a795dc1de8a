//! When the worker takes what waits. Pure.

use crate::queue::amount::Amount;
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(crate) struct Schedule {
    flush_interval: Duration,
    /// When the worker looks next by itself. Without one it sleeps, and the first event must wake it.
    timer: Option<Instant>,
    drain: Drain,
}

/// How much of the queue is on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Drain {
    /// Events wait for company.
    Nothing,
    /// Full batches go, the rest waits.
    FullBatches,
    /// All goes.
    Everything,
}

/// What the worker sees of the queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sight {
    pub(crate) empty: bool,
    /// Nothing may wait for company: somebody waits for it, or for room.
    pub(crate) hurry: bool,
    /// So much waits that the worker is woken for it.
    pub(crate) much: bool,
    /// About what waits, and what makes a full batch.
    pub(crate) waiting: Amount,
    pub(crate) batch: Amount,
}

/// What it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Takes a batch, and looks again.
    Take,
    /// Looks again then.
    LookAt(Instant),
    /// Sleeps until it is woken.
    Sleep,
}

impl Schedule {
    pub(crate) fn new(flush_interval: Duration) -> Self {
        Self { flush_interval, timer: None, drain: Drain::Nothing }
    }

    pub(crate) fn decide(&mut self, sight: Sight, now: Instant) -> Decision {
        let timer_fired = self.timer.is_some_and(|timer| timer <= now);
        if sight.empty {
            self.drain = Drain::Nothing;
            if timer_fired {
                // A whole interval without an event.
                self.timer = None;
            }
            return self.timer.map_or(Decision::Sleep, Decision::LookAt);
        }
        if timer_fired || sight.hurry {
            self.drain = Drain::Everything;
        } else if sight.much {
            self.drain = self.drain.max(Drain::FullBatches);
        }
        let is_full = sight.waiting.events >= sight.batch.events || sight.waiting.bytes >= sight.batch.bytes;
        if self.drain == Drain::FullBatches && !is_full {
            self.drain = Drain::Nothing;
        }
        if self.drain == Drain::Nothing {
            return Decision::LookAt(*self.timer.get_or_insert(now + self.flush_interval));
        }
        self.timer = Some(now + self.flush_interval);
        Decision::Take
    }
}

#[cfg(test)]
mod tests {
    use super::{Decision, Schedule, Sight};
    use crate::queue::amount::Amount;
    use std::time::{Duration, Instant};

    const INTERVAL: Duration = Duration::from_millis(100);
    const BATCH: usize = 10;

    fn sight(waiting: usize) -> Sight {
        Sight {
            empty: waiting == 0,
            hurry: false,
            much: waiting >= 4 * BATCH,
            waiting: Amount::new(waiting, 0),
            batch: Amount::new(BATCH, 1 << 20),
        }
    }

    fn schedule() -> (Schedule, Instant) {
        (Schedule::new(INTERVAL), crate::emit::clock::now())
    }

    #[test]
    fn the_first_of_a_batch_waits_for_company_and_not_for_long() {
        let (mut schedule, start) = schedule();
        assert_eq!(schedule.decide(sight(0), start), Decision::Sleep);
        let due = start + INTERVAL;
        assert_eq!(schedule.decide(sight(1), start), Decision::LookAt(due));
        assert_eq!(schedule.decide(sight(2), due - Duration::from_millis(1)), Decision::LookAt(due));
        assert_eq!(schedule.decide(sight(2), due), Decision::Take);
        assert_eq!(schedule.decide(sight(0), due), Decision::LookAt(due + INTERVAL));
        // After a whole interval without an event the next one wakes the worker.
        assert_eq!(schedule.decide(sight(0), due + INTERVAL), Decision::Sleep);
    }

    #[test]
    fn of_much_full_batches_go_and_the_rest_waits() {
        let (mut schedule, start) = schedule();
        assert_eq!(schedule.decide(sight(4 * BATCH - 1), start), Decision::LookAt(start + INTERVAL));
        for waiting in [45, 35, 25, 15] {
            assert_eq!(schedule.decide(sight(waiting), start), Decision::Take);
        }
        assert_eq!(schedule.decide(sight(5), start), Decision::LookAt(start + INTERVAL));
        assert_eq!(schedule.decide(sight(15), start), Decision::LookAt(start + INTERVAL), "it is not much again");
    }

    #[test]
    fn a_full_batch_can_be_one_in_bytes() {
        let (mut schedule, start) = schedule();
        let large = Sight { much: true, waiting: Amount::new(3, 2 << 20), ..sight(3) };
        assert_eq!(schedule.decide(large, start), Decision::Take);
        let rest = Sight { much: false, waiting: Amount::new(2, 1 << 20), ..large };
        assert_eq!(schedule.decide(rest, start), Decision::Take);
        assert_eq!(schedule.decide(sight(1), start), Decision::LookAt(start + INTERVAL));
    }

    #[test]
    fn who_is_in_a_hurry_gets_all() {
        let (mut schedule, start) = schedule();
        let hurry = Sight { hurry: true, ..sight(1) };
        assert_eq!(schedule.decide(hurry, start), Decision::Take);
        // Until nothing is left.
        assert_eq!(schedule.decide(sight(1), start), Decision::Take);
        assert_eq!(schedule.decide(sight(0), start), Decision::LookAt(start + INTERVAL));
        assert_eq!(schedule.decide(sight(1), start), Decision::LookAt(start + INTERVAL));
    }
}
