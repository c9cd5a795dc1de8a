//! The process in which a client was built. Only there is the thread that delivers, and only there are locks let go of: one that
//! another thread held at a fork is held for ever in the child.

use crate::queue::overflow::Admission;
use crate::report::loss::LossReason;
use crate::report::stats::{Report, Stats};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

#[derive(Debug)]
pub(crate) struct Origin {
    pid: AtomicU32,
    /// It was found out that this is a child.
    forked: AtomicBool,
    told: AtomicBool,
    /// How many events were refused for that.
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
    /// Whether this is known to be a child. To find out takes a system call: see [`look`](Self::look).
    #[inline]
    pub(crate) fn is_forked(&self) -> bool {
        self.forked.load(Ordering::Relaxed)
    }

    /// Whether this is a child.
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

    /// True once: then it is to be told.
    pub(crate) fn is_to_be_told(&self) -> bool {
        !self.told.swap(true, Ordering::Relaxed)
    }

    /// What a child knows of: of what its parent had, nothing is its own.
    pub(crate) fn stats(&self) -> Stats {
        let dropped = self.dropped.load(Ordering::Relaxed);
        let mut stats = Stats { accepted: dropped, ..Stats::default() };
        stats.dropped[LossReason::Forked as usize] = dropped;
        stats
    }

    pub(crate) fn report(&self) -> Report {
        Report { dropped: self.dropped.load(Ordering::Relaxed), ..Report::default() }
    }

    /// As after a fork.
    #[cfg(test)]
    pub(crate) fn pretend(&self) {
        self.pid.store(0, Ordering::Relaxed);
    }
}
