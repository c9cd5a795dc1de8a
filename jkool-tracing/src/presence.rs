//! Whether threads are in a span, and for how long. It is shared by the data of the span and by the threads that were
//! in it, so that they need not look the span up in the subscriber each time they enter or leave it.

use crate::trace::TraceContext;
use quanta::Clock;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Measures how long threads are in a span, by the processor's counter if it is steady, which takes less than half the
/// time of the system's clock. The first access compares the two, which takes some milliseconds.
static CLOCK: LazyLock<Clock> = LazyLock::new(Clock::new);

/// A reading of the counter, or a difference of two, in its own unit: only the total of a span is converted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticks(u64);

/// The current reading.
pub(crate) fn now() -> Ticks {
    Ticks(CLOCK.raw())
}

impl Ticks {
    /// Zero if the counters of two cores differ, and `earlier` is later.
    fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }

    fn duration(self) -> Duration {
        CLOCK.delta(0, self.0)
    }
}

/// What one layer and the threads that were in a span share.
#[derive(Debug)]
pub(crate) struct Presence(Mutex<State>);

#[derive(Debug)]
struct State {
    context: TraceContext,
    busy: Busy,
    has_ended: bool,
}

impl Presence {
    /// For a span that no thread has entered.
    pub(crate) fn new(context: TraceContext) -> Self {
        Self(Mutex::new(State { context, busy: Busy::default(), has_ended: false }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread enters the span; without a time if it is not needed. Returns false if the span has ended, and its id
    /// belongs to another span now.
    pub(crate) fn enter(&self, now: Option<Ticks>) -> bool {
        let mut state = self.state();
        if let Some(now) = now.filter(|_| !state.has_ended) {
            state.busy.enter(now);
        }
        !state.has_ended
    }

    /// A thread leaves the span.
    pub(crate) fn leave(&self, now: Option<Ticks>) {
        if let Some(now) = now {
            self.state().busy.leave(now);
        }
    }

    /// For a new span, whose memory was that of one that has ended.
    pub(crate) fn renew(&mut self, context: TraceContext) {
        *self = Self::new(context);
    }

    /// The span ends. Returns how long threads were in it. `now` is called if a thread is still in it.
    pub(crate) fn end(&self, now: impl FnOnce() -> Ticks) -> Duration {
        let mut state = self.state();
        state.has_ended = true;
        state.busy.total(now).duration()
    }

    /// The trace context of the span.
    pub(crate) fn context(&self) -> TraceContext {
        self.state().context
    }

    /// The span was moved to another trace.
    pub(crate) fn set_context(&self, context: TraceContext) {
        self.state().context = context;
    }
}

/// How long a span was entered. Times in which several threads are in it count once.
#[derive(Debug, Default)]
struct Busy {
    total: Ticks,
    /// The number of threads in it, and since when there is at least one.
    inside: usize,
    since: Option<Ticks>,
}

impl Busy {
    fn enter(&mut self, now: Ticks) {
        self.inside += 1;
        if self.inside == 1 {
            self.since = Some(now);
        }
    }

    fn leave(&mut self, now: Ticks) {
        self.inside = self.inside.saturating_sub(1);
        if self.inside == 0 {
            if let Some(since) = self.since.take() {
                self.total.0 += now.since(since).0;
            }
        }
    }

    /// The total, at the end.
    fn total(&mut self, now: impl FnOnce() -> Ticks) -> Ticks {
        if self.inside > 0 {
            self.inside = 1;
            self.leave(now());
        }
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::{Busy, Presence, Ticks, now};
    use crate::trace::TraceContext;

    #[test]
    fn time_in_which_several_threads_are_inside_counts_once() {
        let at = |ticks: u64| Ticks(1_000 + ticks);
        let mut busy = Busy::default();
        busy.enter(at(0));
        busy.enter(at(10));
        busy.leave(at(20));
        busy.leave(at(30));
        busy.leave(at(35));
        busy.enter(at(40));
        assert_eq!(busy.total(|| at(45)), Ticks(35));
        assert_eq!(busy.total(|| at(90)), Ticks(35));
    }

    #[test]
    fn who_comes_after_the_end_is_told() {
        let start = now();
        let context = TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
        let presence = Presence::new(context);
        assert!(presence.enter(Some(start)) && presence.enter(None));
        let later = Ticks(start.0 + 1_000);
        assert_eq!(presence.end(|| later), later.since(start).duration());
        assert!(!presence.enter(Some(start)));
    }
}
