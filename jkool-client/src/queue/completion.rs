//! One answer that a thread or a task can wait for.

use crate::report::stats::Report;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// Filled once by the worker, waited for by whoever asked, blocking or not.
#[derive(Debug, Default)]
pub(crate) struct Completion {
    slot: Mutex<Slot>,
    filled: Condvar,
}

#[derive(Debug, Default)]
struct Slot {
    report: Option<Report>,
    waker: Option<Waker>,
}

impl Completion {
    pub(crate) fn fill(&self, report: Report) {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        slot.report.get_or_insert(report);
        let waker = slot.waker.take();
        drop(slot);
        self.filled.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Waits until it is filled, or until `deadline`.
    pub(crate) fn wait_until(&self, deadline: Instant) -> Option<Report> {
        let slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        let left = deadline.saturating_duration_since(crate::emit::clock::now());
        let waited = self.filled.wait_timeout_while(slot, left, |slot| slot.report.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.report
    }
}

/// The same wait for a task.
pub(crate) struct Completed(pub(crate) Arc<Completion>);

impl Future for Completed {
    type Output = Report;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Report> {
        let mut slot = self.0.slot.lock().unwrap_or_else(PoisonError::into_inner);
        match slot.report {
            Some(report) => Poll::Ready(report),
            None => {
                slot.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}
