//! The process in which a client was built. Only this process has the delivery thread, and only here are locks
//! released: a lock that another thread held during a fork stays locked in the child forever.

use crate::queue::overflow::Admission;
use crate::report::loss::LossReason;
use crate::report::stats::{Report, Stats};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

#[derive(Debug)]
pub(crate) struct Origin {
    pid: AtomicU32,
    /// This is known to be a child.
    forked: AtomicBool,
    told: AtomicBool,
    /// The number of events refused for this reason.
    dropped: AtomicU64,
}

impl Default for Origin {
    fn default() -> Self {
        Self {
            pid: AtomicU32::new(std::process::id()),
            forked: AtomicBool::new(false),
            told: AtomicBool::new(false),
            dropped: AtomicU64::new(0),
        }
    }
}

impl Origin {
    /// Whether this is known to be a child. The check costs a system call: see [`look`](Self::look).
    #[inline]
    pub(crate) fn is_forked(&self) -> bool {
        self.forked.load(Ordering::Relaxed)
    }

    /// Checks whether this is a child.
    pub(crate) fn look(&self) -> bool {
        if !self.is_forked() && std::process::id() != self.pid.load(Ordering::Relaxed) {
            self.forked.store(true, Ordering::Relaxed);
        }
        self.is_forked()
    }

    /// Refuses an event, without a lock.
    #[cold]
    pub(crate) fn refuse(&self) -> Admission {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        Admission::Dropped(LossReason::Forked)
    }

    /// True once, to report it.
    pub(crate) fn is_to_be_told(&self) -> bool {
        !self.told.swap(true, Ordering::Relaxed)
    }

    /// The statistics of a child: the events of its parent are not its own.
    pub(crate) fn stats(&self) -> Stats {
        let dropped = self.dropped.load(Ordering::Relaxed);
        let mut stats = Stats { accepted: dropped, ..Stats::default() };
        stats.dropped[LossReason::Forked as usize] = dropped;
        stats
    }

    pub(crate) fn report(&self) -> Report {
        Report { dropped: self.dropped.load(Ordering::Relaxed), ..Report::default() }
    }

    /// Simulates a fork.
    #[cfg(test)]
    pub(crate) fn pretend(&self) {
        self.pid.store(0, Ordering::Relaxed);
    }
}
