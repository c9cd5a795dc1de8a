//! What the callers spend in their calls.

use jkool_benches::usage::cpu_of_thread;
use std::iter::Sum;
use std::time::{Duration, Instant};

/// Of one caller, or of all together.
#[derive(Default)]
pub(super) struct Calls {
    /// Until the calls have returned.
    pub(super) waited: Duration,
    /// Of the callers' own threads.
    pub(super) cpu: Duration,
}

impl Calls {
    /// Those that the calling thread makes.
    pub(super) fn of(calls: impl FnOnce()) -> Self {
        let (cpu, start) = (cpu_of_thread(), Instant::now());
        calls();
        Self { waited: start.elapsed(), cpu: cpu_of_thread() - cpu }
    }
}

impl Sum for Calls {
    fn sum<I: Iterator<Item = Self>>(callers: I) -> Self {
        callers.fold(Self::default(), |all, one| Self { waited: all.waited + one.waited, cpu: all.cpu + one.cpu })
    }
}
