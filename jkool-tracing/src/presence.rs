//! Whether threads are in a span, and for how long they were. It is shared by what is kept of the span and by the threads that were in
//! it, so that these need not ask the subscriber for the span each time that they enter and leave it.

use crate::trace::TraceContext;
use quanta::Instant;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// For measuring how long threads are in a span: by the processor's own counter where that is steady, which takes less than half of the
/// time that the system's clock does.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// What one layer and the threads that were in a span share of it.
#[derive(Debug)]
pub(crate) struct Presence(Mutex<State>);

#[derive(Debug)]
struct State {
    context: TraceContext,
    busy: Busy,
    has_ended: bool,
}

impl Presence {
    /// Of a span that nobody is in yet.
    pub(crate) fn new(context: TraceContext) -> Self {
        Self(Mutex::new(State { context, busy: Busy::default(), has_ended: false }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread goes in; with no time when that is of no interest. False if the span has ended: what has its id now is another.
    pub(crate) fn enter(&self, now: Option<Instant>) -> bool {
        let mut state = self.state();
        if let Some(now) = now.filter(|_| !state.has_ended) {
            state.busy.enter(now);
        }
        !state.has_ended
    }

    /// A thread goes out.
    pub(crate) fn leave(&self, now: Option<Instant>) {
        if let Some(now) = now {
            self.state().busy.leave(now);
        }
    }

    /// Nobody goes in any more. How long somebody was in it. `now` is asked if somebody still is.
    pub(crate) fn end(&self, now: impl FnOnce() -> Instant) -> Duration {
        let mut state = self.state();
        state.has_ended = true;
        state.busy.total(now)
    }

    /// Where the span is in its trace.
    pub(crate) fn context(&self) -> TraceContext {
        self.state().context
    }

    /// It has turned out to belong to another trace.
    pub(crate) fn set_context(&self, context: TraceContext) {
        self.state().context = context;
    }
}

/// How long a span was entered. Several threads may be in it at the same time, which counts once.
#[derive(Debug, Default)]
struct Busy {
    total: Duration,
    /// How many threads are in it, and since when there are any.
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

    /// All of it, at the end.
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
