//! Which threads are those of delivery.

use std::cell::Cell;

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
