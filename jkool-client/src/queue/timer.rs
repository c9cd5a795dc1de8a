//! One thread that keeps the deadlines of all waiting tasks: there is no timer that works on every executor, and the
//! worker may be blocked.

use crate::emit::{clock, thread};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
pub(crate) struct Timer {
    state: Mutex<State>,
    earlier: Condvar,
}

#[derive(Debug, Default)]
struct State {
    running: bool,
    /// When it checks next.
    next: Option<Instant>,
}

/// The maximum interval at which it checks for waiters, so that it does not outlive the last one for long.
const LOOK: Duration = Duration::from_secs(1);

impl Timer {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a deadline. `answer` is called then, and at later deadlines, which it returns, until there are no
    /// waiters. If the thread cannot be started, the worker answers as well as it can.
    pub(crate) fn keep(
        self: &Arc<Self>,
        deadline: Instant,
        answer: impl Fn(Instant) -> Option<Instant> + Send + 'static,
    ) {
        let mut state = self.lock();
        if !state.running {
            let timer = Arc::clone(self);
            state.running = thread::spawn("jkool-timer", move || timer.run(answer)).is_ok();
        } else if state.next.is_none_or(|next| deadline < next) {
            state.next = Some(deadline);
            self.earlier.notify_one();
        }
    }

    fn run(&self, answer: impl Fn(Instant) -> Option<Instant>) {
        let mut state = self.lock();
        loop {
            // Under the lock: a new waiter is either seen here, or sees that the thread is ending.
            let now = clock::now();
            let Some(next) = answer(now) else {
                *state = State::default();
                return;
            };
            let next = next.min(now + LOOK);
            state.next = Some(next);
            let unchanged = |state: &mut State| state.next == Some(next);
            let left = next.saturating_duration_since(now);
            (state, _) =
                self.earlier.wait_timeout_while(state, left, unchanged).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
