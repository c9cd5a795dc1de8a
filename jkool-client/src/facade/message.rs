//! The text of a record, formatted once.

use crate::emit::catch_panic::catch_panic;
use jkool_model::Text;
use std::cell::Cell;
use std::fmt::{self, Write};

/// What stands behind a text whose own code panicked, and in the place of a value whose code did.
pub const PANICKED: &str = "[panicked]";

/// What stands behind a text whose own code said that it failed.
pub const FAILED: &str = jkool_model::FORMAT_FAILED;

thread_local! {
    /// Room for the next text, since most are gone by then.
    static SPARE: Cell<String> = const { Cell::new(String::new()) };
}

/// One text of many kilobytes does not keep so much for the rest of the thread's life.
const MAX_SPARE: usize = 4 << 10;

/// Room for most texts, so that a fresh one does not grow piece by piece.
const USUAL: usize = 64;

/// What the record says. Behind what fails or panics while it is formatted stands `[failed]` or `[panicked]`.
pub fn of(args: &fmt::Arguments<'_>) -> Text {
    if let Some(text) = args.as_str() {
        return text.into();
    }
    // None at the thread's end, or while a text that logs is formatted.
    let mut text = SPARE.try_with(Cell::take).unwrap_or_default();
    text.clear();
    text.reserve(USUAL);
    match catch_panic(|| text.write_fmt(*args)) {
        Some(Ok(())) => {}
        Some(Err(_)) => text.push_str(FAILED),
        None => text.push_str(PANICKED),
    }
    text.into()
}

/// Takes back a text that is no longer needed.
pub fn reuse(text: Text) {
    if let Text::Owned(text) = text {
        if text.capacity() <= MAX_SPARE {
            SPARE.try_with(|spare| spare.set(text)).unwrap_or_default();
        }
    }
}
