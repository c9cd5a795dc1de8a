//! The program's own code, run where it can do no harm.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What stands in the place of a text or value whose own code panicked.
pub(crate) const PANICKED: &str = "[panicked]";

/// Runs code of the program's own (a `Display`, a `Serialize`, another logger); `None` when it panics. Nothing of ours is
/// half changed then: it only hands something back.
pub(crate) fn caught<T>(code: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(code)).ok()
}
