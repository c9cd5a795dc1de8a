//! Runs code of the program and catches its panics.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs code of the program (a hook, a `Display`, another logger); `None` if it panicked. The panic's payload is
/// leaked, because its drop might panic too.
pub fn catch_panic<R>(code: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(code)).map_err(std::mem::forget).ok()
}
