//! A result that a thread or a task can wait for.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// Completed once by the worker; callers wait for it, blocking or not.
#[derive(Debug)]
pub(crate) struct Completion<T> {
    slot: Mutex<Slot<T>>,
    filled: Condvar,
}

#[derive(Debug)]
struct Slot<T> {
    answer: Option<T>,
    waker: Option<Waker>,
}

impl<T> Default for Completion<T> {
    fn default() -> Self {
        Self { slot: Mutex::new(Slot { answer: None, waker: None }), filled: Condvar::new() }
    }
}

impl<T: Copy> Completion<T> {
    /// Completes it, unless it is already complete.
    pub(crate) fn fill(&self, answer: T) {
        let mut slot = self.lock();
        slot.answer.get_or_insert(answer);
        let waker = slot.waker.take();
        drop(slot);
        self.filled.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Slot<T>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The result, if complete.
    pub(crate) fn get(&self) -> Option<T> {
        self.lock().answer
    }

    /// Waits until it is complete, or until `deadline`.
    pub(crate) fn wait_until(&self, deadline: Instant) -> Option<T> {
        let slot = self.lock();
        let left = deadline.saturating_duration_since(crate::emit::clock::now());
        let waited = self.filled.wait_timeout_while(slot, left, |slot| slot.answer.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.answer
    }

    /// The same wait for a task.
    pub(crate) fn poll(&self, context: &mut Context<'_>) -> Poll<T> {
        let mut slot = self.lock();
        match slot.answer {
            Some(answer) => Poll::Ready(answer),
            None => {
                slot.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// The same wait as a future.
pub(crate) struct Completed<T>(pub(crate) Arc<Completion<T>>);

impl<T: Copy> Future for Completed<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        self.0.poll(context)
    }
}
