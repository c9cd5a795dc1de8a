//! Panics of what is not ours.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a hook; `None` when it panicked. What it panicked with is forgotten, since its drop might panic too.
pub(crate) fn catch_panic<R>(hook: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(hook)).map_err(std::mem::forget).ok()
}
