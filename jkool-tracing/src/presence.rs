//! Whether threads are in a span, and for how long. It is shared by the data of the span and by the threads that were
//! in it, so that they need not look the span up in the subscriber each time they enter or leave it.

use crate::trace::TraceContext;
use quanta::Clock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
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
///
/// Entering and leaving write `inside` once and take no lock, because an uncontended one would take longer than all the rest.
/// The order of all changes is that of the changes of `inside`.
#[derive(Debug)]
pub(crate) struct Presence {
    /// Rarely read, and changed only if the span is moved to another trace.
    context: Mutex<TraceContext>,
    /// The number of threads in the span, and [`ENDED`].
    inside: AtomicU32,
    /// The ticks in which at least one thread was in it, up to `since`. Written by a thread that is alone in the span.
    total: AtomicU64,
    /// Since when there is at least one. Written by the first thread when it has entered, and by one that is alone in it.
    since: AtomicU64,
}

/// The bit of a span that has ended.
const ENDED: u32 = 1 << 31;

impl Presence {
    /// For a span that no thread has entered.
    pub(crate) fn new(context: TraceContext) -> Self {
        let (inside, total, since) = (AtomicU32::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Self { context: Mutex::new(context), inside, total, since }
    }

    /// A thread enters the span; without a time if it is not needed. Returns false if the span has ended, and its id
    /// belongs to another span now.
    pub(crate) fn enter(&self, now: Option<Ticks>) -> bool {
        let Some(now) = now else { return self.inside.load(Ordering::Acquire) & ENDED == 0 };
        let one_more = |inside: u32| (inside & ENDED == 0).then(|| inside + 1);
        let entered = self.inside.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more);
        if entered == Ok(0) {
            // Nobody reads it before this thread leaves: until then no other one is alone in the span.
            self.since.store(now.0, Ordering::Relaxed);
        }
        entered.is_ok()
    }

    /// A thread leaves the span.
    pub(crate) fn leave(&self, now: Option<Ticks>) {
        let Some(now) = now else { return };
        let one_less = |inside: u32| {
            if inside & !ENDED == 1 {
                // Only this thread is inside. If another one enters before the number is changed, the time up to now is
                // counted all the same, and that one goes on from here.
                self.total.store(self.total_at(now).0, Ordering::Relaxed);
                self.since.store(now.0, Ordering::Relaxed);
            }
            (inside & !ENDED != 0).then(|| inside - 1)
        };
        // An error means that no thread was in it.
        self.inside.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_less).unwrap_or_default();
    }

    /// The total if a thread is in the span until now.
    fn total_at(&self, now: Ticks) -> Ticks {
        let since = Ticks(self.since.load(Ordering::Relaxed));
        Ticks(self.total.load(Ordering::Relaxed) + now.since(since).0)
    }

    /// The span ends. Returns how long threads were in it; times in which several are in it count once. `now` is called if a
    /// thread is still in it.
    pub(crate) fn end(&self, now: impl FnOnce() -> Ticks) -> Duration {
        let inside = self.inside.fetch_or(ENDED, Ordering::AcqRel) & !ENDED;
        let total = if inside > 0 { self.total_at(now()) } else { Ticks(self.total.load(Ordering::Relaxed)) };
        total.duration()
    }

    /// For a new span, whose memory was that of one that has ended.
    pub(crate) fn renew(&mut self, context: TraceContext) {
        *self = Self::new(context);
    }

    /// The trace context of the span.
    pub(crate) fn context(&self) -> TraceContext {
        *self.locked()
    }

    /// The span was moved to another trace.
    pub(crate) fn set_context(&self, context: TraceContext) {
        *self.locked() = context;
    }

    fn locked(&self) -> MutexGuard<'_, TraceContext> {
        self.context.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Presence, Ticks, now};
    use crate::trace::TraceContext;

    fn presence() -> Presence {
        Presence::new(TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap())
    }

    #[test]
    fn time_in_which_several_threads_are_inside_counts_once() {
        let at = |ticks: u64| Ticks(1_000_000_000 + ticks * 1_000_000);
        let busy = presence();
        assert!(busy.enter(Some(at(0))) && busy.enter(Some(at(10))));
        [20, 30, 35].into_iter().for_each(|ticks| busy.leave(Some(at(ticks))));
        assert!(busy.enter(Some(at(40))));
        assert_eq!(busy.end(|| at(45)), at(35).since(at(0)).duration());
        busy.leave(Some(at(45)));
        assert_eq!(busy.end(|| unreachable!("nobody is inside")), at(35).since(at(0)).duration());
    }

    #[test]
    fn who_comes_after_the_end_is_told() {
        let (start, presence) = (now(), presence());
        assert!(presence.enter(Some(start)) && presence.enter(None));
        let later = Ticks(start.0 + 1_000_000);
        assert_eq!(presence.end(|| later), later.since(start).duration());
        assert!(!presence.enter(Some(start)) && !presence.enter(None));
    }

    /// Calls that come and go, each for a while.
    fn come_and_go(presence: &Presence, threads: usize) {
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    for _ in 0..20_000 {
                        assert!(presence.enter(Some(now())));
                        presence.leave(Some(now()));
                    }
                });
            }
        });
    }

    #[test]
    fn threads_that_come_and_go_leave_an_exact_total() {
        let (shared, start) = (presence(), now());
        come_and_go(&shared, 4);
        let all = now().since(start).duration();
        assert!(shared.end(|| unreachable!("nobody is inside")) <= all);

        let (shared, start) = (presence(), now());
        assert!(shared.enter(Some(start)));
        come_and_go(&shared, 3);
        let end = now();
        shared.leave(Some(end));
        assert_eq!(shared.end(|| unreachable!("nobody is inside")), end.since(start).duration());
    }
}
