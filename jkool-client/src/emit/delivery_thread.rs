//! Marks delivery threads, so that what they log is not emitted again.

use std::cell::Cell;
use std::marker::PhantomData;

thread_local! {
    static IS_DELIVERY: Cell<bool> = const { Cell::new(false) };
}

/// Whether the current thread is a delivery thread, or one that its runtime started. Logging adapters ignore records from such
/// threads: the HTTP stack writes them while it sends events.
pub(crate) fn is_current() -> bool {
    IS_DELIVERY.try_with(Cell::get).unwrap_or(false)
}

/// Marks the current thread as a delivery thread until it ends.
pub(crate) fn mark() {
    IS_DELIVERY.with(|is_delivery| is_delivery.set(true));
}

/// A guard that marks the calling thread as a delivery thread while it is held: logging adapters ignore records from this thread.
///
/// Use it in a [`Transport`](jkool_transport::Transport) with threads of its own that may log, such as those of a driver. Otherwise
/// each of their records becomes an event, which the transport sends, which causes the next record.
///
/// Without the guard such a loop ends too: after 64 consecutive sends during which events were emitted, with no event between them, the
/// next such batch is dropped and counted as [`LossReason::Recursion`](crate::LossReason::Recursion).
///
/// ```
/// use jkool_client::{DeliveryThread, is_delivery_thread};
///
/// let connection = std::thread::spawn(|| {
///     let _quiet = DeliveryThread::enter();
///     // Records that are logged here do not become events.
///     assert!(is_delivery_thread());
/// });
/// # connection.join().unwrap();
/// assert!(!is_delivery_thread());
/// ```
#[derive(Debug)]
#[must_use = "the thread is marked for as long as this is held"]
pub struct DeliveryThread {
    was: bool,
    /// Makes the guard `!Send`, because it marks the thread that it was created on.
    _thread: PhantomData<*const ()>,
}

impl DeliveryThread {
    /// Marks the calling thread until the guard is dropped.
    pub fn enter() -> Self {
        let was = IS_DELIVERY.try_with(|is_delivery| is_delivery.replace(true)).unwrap_or(true);
        Self { was, _thread: PhantomData }
    }
}

impl Drop for DeliveryThread {
    fn drop(&mut self) {
        IS_DELIVERY.try_with(|is_delivery| is_delivery.set(self.was)).unwrap_or_default();
    }
}
