//! One thread that keeps the deadlines of all tasks that wait: a task has no clock that works on any executor, and the worker may
//! be held up.

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
    /// When it looks next.
    next: Option<Instant>,
}

/// So soon at least it looks whether anybody waits still, or it would outlive the last who did.
const LOOK: Duration = Duration::from_secs(1);

impl Timer {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody waits until `deadline`. `answer` is called then and whenever else somebody is to be answered, and says when the next
    /// one is; until nobody waits. Without a thread the worker does what it can.
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
            // Under the lock: who begins to wait is known before this is asked, or finds that it does not run any more.
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
