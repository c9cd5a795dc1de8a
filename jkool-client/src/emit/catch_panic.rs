//! The program's own code, run where it can do no harm.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs code of the program's own (a hook, a `Display`, another logger); `None` when it panicked. What it panicked with is
/// forgotten, since its drop might panic too.
pub fn catch_panic<R>(code: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(code)).map_err(std::mem::forget).ok()
}
