//! Decides when the worker takes queued events. Pure.

use crate::queue::amount::Amount;
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(crate) struct Schedule {
    flush_interval: Duration,
    /// When the worker checks next by itself. If `None`, it sleeps, and the first event must wake it.
    timer: Option<Instant>,
    /// Waking the worker is the most expensive part of a call. So with steady traffic the worker checks before there
    /// are enough events to be woken for: this is the interval, and the time of the next check.
    pace: Duration,
    glance: Option<Instant>,
    drain: Drain,
}

/// Which part of the queue is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Drain {
    /// None: events wait until a batch is full.
    Nothing,
    /// Full batches; the rest waits.
    FullBatches,
    /// Everything.
    Everything,
}

/// The state of the queue that the worker sees.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sight {
    pub(crate) empty: bool,
    /// Events must not wait for a full batch, because a caller waits for delivery or for room.
    pub(crate) hurry: bool,
    /// The approximate amount of waiting events.
    pub(crate) waiting: Amount,
    /// The amount of a full batch, and the amount for which the worker is woken.
    pub(crate) batch: Amount,
    pub(crate) much: Amount,
}

impl Sight {
    fn is_much(&self) -> bool {
        self.waiting.reaches(self.much)
    }
}

/// What the worker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Takes a batch, and checks again.
    Take,
    /// Checks again at this time.
    LookAt(Instant),
    /// Sleeps until it is woken.
    Sleep,
}

/// The resolution of the runtime's timers.
const SHORTEST: Duration = Duration::from_millis(1);

impl Schedule {
    pub(crate) fn new(flush_interval: Duration) -> Self {
        Self { flush_interval, timer: None, pace: flush_interval, glance: None, drain: Drain::Nothing }
    }

    pub(crate) fn decide(&mut self, sight: Sight, now: Instant) -> Decision {
        let timer_fired = self.timer.is_some_and(|timer| timer <= now);
        let glances = self.glance.is_some_and(|glance| glance <= now);
        self.keep_pace(&sight, glances);
        if sight.empty {
            self.drain = Drain::Nothing;
            if timer_fired {
                // No event arrived for a whole interval.
                (self.timer, self.glance, self.pace) = (None, None, self.flush_interval);
            }
            return self.timer.map_or(Decision::Sleep, |timer| self.look(timer, now));
        }
        if timer_fired || sight.hurry {
            self.drain = Drain::Everything;
        } else if sight.is_much() || glances {
            self.drain = self.drain.max(Drain::FullBatches);
        }
        if self.drain == Drain::FullBatches && !sight.waiting.reaches(sight.batch) {
            self.drain = Drain::Nothing;
        }
        if self.drain == Drain::Nothing {
            let timer = *self.timer.get_or_insert(now + self.flush_interval);
            return self.look(timer, now);
        }
        self.timer = Some(now + self.flush_interval);
        Decision::Take
    }

    /// Halves the interval if the worker came too late, and doubles it if it came for little.
    fn keep_pace(&mut self, sight: &Sight, glances: bool) {
        if sight.waiting.reaches(sight.much.part(2)) {
            if self.glance.take().is_some() || self.timer.is_none() {
                self.pace = (self.pace / 2).max(SHORTEST.min(self.flush_interval));
            }
        } else if glances && !sight.waiting.reaches(sight.much.part(8)) {
            self.pace = (self.pace * 2).min(self.flush_interval);
        }
    }

    fn look(&mut self, timer: Instant, now: Instant) -> Decision {
        let glance = self.glance.filter(|glance| *glance > now).unwrap_or(now + self.pace);
        self.glance = Some(glance);
        Decision::LookAt(timer.min(glance))
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
            waiting: Amount::new(waiting, 0),
            batch: Amount::new(BATCH, 1 << 20),
            much: Amount::new(4 * BATCH, 4 << 20),
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
        // After an interval without an event, the next event wakes the worker.
        assert_eq!(schedule.decide(sight(0), due + INTERVAL), Decision::Sleep);
    }

    #[test]
    fn of_much_full_batches_go_and_the_rest_waits() {
        let (mut schedule, start) = schedule();
        assert_eq!(schedule.decide(sight(2 * BATCH - 1), start), Decision::LookAt(start + INTERVAL));
        for waiting in [45, 35, 25, 15] {
            assert_eq!(schedule.decide(sight(waiting), start), Decision::Take);
        }
        let rest =
            |waiting, schedule: &mut Schedule| matches!(schedule.decide(sight(waiting), start), Decision::LookAt(_));
        assert!(rest(5, &mut schedule));
        assert!(rest(15, &mut schedule), "it is not much again");
    }

    /// With this number of events per millisecond: how often the worker is woken and how often it checks, per second.
    fn traffic(schedule: &mut Schedule, events: usize, start: Instant) -> (u32, u32) {
        let (mut waiting, mut wakes, mut looks, mut next) = (0, 0, 0, start);
        for millisecond in 0..1_000 {
            let now = start + Duration::from_millis(millisecond);
            waiting += events;
            let woken = waiting >= 4 * BATCH && waiting - events < 4 * BATCH;
            if !woken && now < next {
                continue;
            }
            (wakes, looks) = (wakes + u32::from(woken), looks + 1);
            loop {
                match schedule.decide(sight(waiting), now) {
                    Decision::Take => waiting = waiting.saturating_sub(BATCH),
                    Decision::LookAt(at) => break next = at,
                    Decision::Sleep => break next = start + Duration::from_secs(9),
                }
            }
        }
        (wakes, looks)
    }

    #[test]
    fn in_steady_traffic_the_worker_looks_before_it_is_woken() {
        let (mut schedule, start) = schedule();
        let (wakes, looks) = traffic(&mut schedule, 2, start);
        assert!(wakes <= 5 && (100..=300).contains(&looks), "{wakes} wakes, {looks} looks");
        // Fewer events arrive, and it checks less often.
        let (wakes, looks) = traffic(&mut schedule, 0, start + Duration::from_secs(1));
        assert!(wakes == 0 && looks < 15, "{wakes} wakes, {looks} looks");
    }

    #[test]
    fn a_full_batch_can_be_one_in_bytes() {
        let (mut schedule, start) = schedule();
        let large = Sight { waiting: Amount::new(3, 4 << 20), ..sight(3) };
        assert_eq!(schedule.decide(large, start), Decision::Take);
        let rest = Sight { waiting: Amount::new(2, 1 << 20), ..large };
        assert_eq!(schedule.decide(rest, start), Decision::Take);
        assert!(matches!(schedule.decide(sight(1), start), Decision::LookAt(_)));
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
