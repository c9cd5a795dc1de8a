//! A lock that cannot be taken twice by logging.
//!
//! An allocator or a waker may log, and both may run while a thread holds a lock of the queue. What is logged then is
//! counted and dropped, because queueing it would need the lock that is held.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

thread_local! {
    /// The number of these locks that this thread holds.
    static HELD: Cell<u32> = const { Cell::new(0) };
}

/// Whether this thread holds such a lock.
#[inline]
pub(crate) fn is_held() -> bool {
    HELD.try_with(|held| held.get() > 0).unwrap_or(false)
}

/// Counts a held lock until it is dropped.
struct Mark;

impl Mark {
    #[inline]
    fn new() -> Self {
        change(1);
        Self
    }
}

impl Drop for Mark {
    #[inline]
    fn drop(&mut self) {
        change(-1);
    }
}

#[inline]
fn change(by: i32) {
    // A thread that is ending has no counter any more.
    HELD.try_with(|held| held.set(held.get().wrapping_add_signed(by))).unwrap_or_default();
}

/// The state behind it is always consistent, so poisoning is ignored.
#[derive(Debug, Default)]
pub(crate) struct Lock<T>(Mutex<T>);

/// The guard of a [`Lock`].
pub(crate) struct Held<'l, T> {
    guard: MutexGuard<'l, T>,
    mark: Mark,
}

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    #[inline]
    pub(crate) fn lock(&self) -> Held<'_, T> {
        let mark = Mark::new();
        Held { guard: self.0.lock().unwrap_or_else(PoisonError::into_inner), mark }
    }

    /// `None` while another thread holds it.
    #[inline]
    pub(crate) fn try_lock(&self) -> Option<Held<'_, T>> {
        let mark = Mark::new();
        let guard = match self.0.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(Held { guard, mark })
    }
}

impl<T> Held<'_, T> {
    /// Releases the lock and waits while `condition` is true, for at most `timeout`. Returns whether it was still true.
    pub(crate) fn wait_while(
        self,
        told: &Condvar,
        timeout: Duration,
        condition: impl FnMut(&mut T) -> bool,
    ) -> (Self, bool) {
        let Self { guard, mark } = self;
        let waited = told.wait_timeout_while(guard, timeout, condition);
        let (guard, result) = waited.unwrap_or_else(PoisonError::into_inner);
        (Self { guard, mark }, result.timed_out())
    }
}

impl<T> Deref for Held<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for Held<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

#[cfg(test)]
mod tests {
    use super::{Lock, is_held};
    use std::sync::Condvar;
    use std::time::Duration;

    #[test]
    fn a_thread_knows_whether_it_holds_one() {
        let (one, other) = (Lock::new(1), Lock::new(2));
        assert!(!is_held());
        let (first, second) = (one.lock(), other.lock());
        assert!(one.try_lock().is_none());
        drop(first);
        assert!(is_held());
        assert!(!std::thread::scope(|scope| scope.spawn(is_held).join().unwrap()));
        let (second, held_still) = second.wait_while(&Condvar::new(), Duration::ZERO, |_| true);
        assert!(held_still && is_held());
        drop(second);
        assert!(!is_held());
        assert_eq!(*one.try_lock().unwrap() + *other.lock(), 3);
        assert!(!is_held());
    }
}
