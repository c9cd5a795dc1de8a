//! Which threads are those of delivery.

use std::cell::Cell;
use std::marker::PhantomData;

thread_local! {
    static IS_DELIVERY: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is a delivery thread, or one that its runtime started. A logger drops what comes from there: it is
/// the HTTP stack talking about sending events.
pub(crate) fn is_current() -> bool {
    IS_DELIVERY.try_with(Cell::get).unwrap_or(false)
}

/// From now on this thread is one.
pub(crate) fn mark() {
    IS_DELIVERY.with(|is_delivery| is_delivery.set(true));
}

/// Marks the calling thread as one of delivery, for as long as it is held: what logging adapters get there makes no event. For a
/// [`Transport`](jkool_transport::Transport) with threads of its own that may log, such as those of a driver: each record of theirs
/// would be an event, which they would have to send, about which they would log.
///
/// Without it such a loop ends all the same: after 64 sends in a row during which events came, and none between them, the next such
/// batch is dropped and counted as [`LossReason::Recursion`](crate::LossReason::Recursion).
///
/// ```
/// use jkool_client::{DeliveryThread, is_delivery_thread};
///
/// let connection = std::thread::spawn(|| {
///     let _quiet = DeliveryThread::enter();
///     // What logs here does not come back as an event.
///     assert!(is_delivery_thread());
/// });
/// # connection.join().unwrap();
/// assert!(!is_delivery_thread());
/// ```
#[derive(Debug)]
#[must_use = "the thread is marked for as long as this is held"]
pub struct DeliveryThread {
    was: bool,
    /// It stays on its thread.
    _thread: PhantomData<*const ()>,
}

impl DeliveryThread {
    /// Marks the calling thread.
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
