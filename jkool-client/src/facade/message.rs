//! The text of a record, formatted once.

use crate::emit::catch_panic::catch_panic;
use jkool_model::Text;
use std::cell::Cell;
use std::fmt::{self, Write};

/// Appended to a text whose formatting code panicked, and used instead of a value whose code panicked.
pub const PANICKED: &str = "[panicked]";

/// Appended to a text whose formatting code returned an error.
pub const FAILED: &str = jkool_model::FORMAT_FAILED;

thread_local! {
    /// A buffer for the next text, because most texts are gone by then.
    static SPARE: Cell<String> = const { Cell::new(String::new()) };
}

/// A longer buffer is not kept, so that one long text does not use memory for the rest of the thread's life.
const MAX_SPARE: usize = 4 << 10;

/// The initial capacity, enough for most texts.
const USUAL: usize = 64;

/// Formats the message of a record. Text whose formatting fails or panics ends with `[failed]` or `[panicked]`.
pub fn of(args: &fmt::Arguments<'_>) -> Text {
    if let Some(text) = args.as_str() {
        return text.into();
    }
    // There is none while the thread ends, or while a text is formatted that logs.
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

/// Takes a text that is no longer needed, to reuse its buffer.
pub fn reuse(text: Text) {
    if let Text::Owned(text) = text {
        if text.capacity() <= MAX_SPARE {
            SPARE.try_with(|spare| spare.set(text)).unwrap_or_default();
        }
    }
}
