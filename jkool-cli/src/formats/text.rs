//! Plain text: extracts severity and time from a line, and a stack trace as the exception.

use super::record::is_trace;
use super::{severity, time};
use jkool_client::model::{Event, Severity};

/// Any text is an event.
pub(super) fn parse(text: &str, year: i64) -> Event {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let mut event = Event::default();
    event.time = time::leading(first).or_else(|| time::leading_bsd(first, year)).map(|(time, _)| time);
    let has_trace = is_trace(first) || rest.lines().any(is_trace);
    event.severity = match severity::in_text(first) {
        Some(severity) => severity,
        None if has_trace => Severity::Error,
        None => Severity::Info,
    };
    if has_trace && !rest.is_empty() {
        (event.message, event.exception) = (first.to_owned().into(), rest.to_owned().into());
    } else {
        event.message = text.to_owned().into();
    }
    event
}
