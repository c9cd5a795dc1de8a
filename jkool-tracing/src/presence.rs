//! Whether threads are in a span, and for how long. It is shared by the data of the span and by the threads that were
//! in it, so that they need not look the span up in the subscriber each time they enter or leave it.

use crate::trace::TraceContext;
use quanta::Instant;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Measures how long threads are in a span, by the processor's counter if it is steady, which takes less than half the
/// time of the system's clock.
pub(crate) fn now() -> Instant {
    Instant::now()
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
    pub(crate) fn enter(&self, now: Option<Instant>) -> bool {
        let mut state = self.state();
        if let Some(now) = now.filter(|_| !state.has_ended) {
            state.busy.enter(now);
        }
        !state.has_ended
    }

    /// A thread leaves the span.
    pub(crate) fn leave(&self, now: Option<Instant>) {
        if let Some(now) = now {
            self.state().busy.leave(now);
        }
    }

    /// The span ends. Returns how long threads were in it. `now` is called if a thread is still in it.
    pub(crate) fn end(&self, now: impl FnOnce() -> Instant) -> Duration {
        let mut state = self.state();
        state.has_ended = true;
        state.busy.total(now)
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
    total: Duration,
    /// The number of threads in it, and since when there is at least one.
    inside: usize,
    since: Option<Instant>,
}

impl Busy {
    fn enter(&mut self, now: Instant) {
        self.inside += 1;
        if self.inside == 1 {
            self.since = Some(now);
        }
    }

    fn leave(&mut self, now: Instant) {
        self.inside = self.inside.saturating_sub(1);
        if self.inside == 0 {
            if let Some(since) = self.since.take() {
                self.total += now.saturating_duration_since(since);
            }
        }
    }

    /// The total, at the end.
    fn total(&mut self, now: impl FnOnce() -> Instant) -> Duration {
        if self.inside > 0 {
            self.inside = 1;
            self.leave(now());
        }
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::{Busy, Presence};
    use crate::trace::TraceContext;
    use quanta::Instant;
    use std::time::Duration;

    #[test]
    fn time_in_which_several_threads_are_inside_counts_once() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut busy = Busy::default();
        busy.enter(at(0));
        busy.enter(at(10));
        busy.leave(at(20));
        busy.leave(at(30));
        busy.leave(at(35));
        busy.enter(at(40));
        assert_eq!(busy.total(|| at(45)), Duration::from_millis(35));
        assert_eq!(busy.total(|| at(90)), Duration::from_millis(35));
    }

    #[test]
    fn who_comes_after_the_end_is_told() {
        let start = Instant::now();
        let context = TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
        let presence = Presence::new(context);
        assert!(presence.enter(Some(start)) && presence.enter(None));
        assert_eq!(presence.end(|| start + Duration::from_secs(1)), Duration::from_secs(1));
        assert!(!presence.enter(Some(start)));
    }
}
