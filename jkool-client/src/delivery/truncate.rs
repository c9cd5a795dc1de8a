//! Truncates an event that is too large for the server.

use crate::emit::encode;
use jkool_model::Event;
use jkool_transport::{Kind, Payload};

/// A text shorter than this is not the reason that an event is too large.
const SHORTEST: usize = 256;

/// Returns the event with the longer of its message and exception cut to half, at a character boundary, and marked. `None` if
/// that does not help.
pub(crate) fn truncate(payload: &Payload) -> Option<Payload> {
    if !matches!(payload.kind(), Kind::Event | Kind::Log) {
        return None;
    }
    let mut event: Event = serde_json::from_slice(payload.body()).ok()?;
    let text = if event.message.len() >= event.exception.len() { &mut event.message } else { &mut event.exception };
    *text = halve(text)?.into();
    Some(encode::payload(&event.into()))
}

fn halve(text: &str) -> Option<String> {
    let (kept, cut_before) = split_mark(text);
    if kept.len() < SHORTEST {
        return None;
    }
    let mut end = kept.len() / 2;
    while !kept.is_char_boundary(end) {
        end -= 1;
    }
    Some(format!("{}...[truncated {} bytes]", &kept[..end], cut_before + kept.len() - end))
}

/// Splits a text from the mark of an earlier truncation, and returns how much was cut before.
fn split_mark(text: &str) -> (&str, usize) {
    let mark = text.strip_suffix(" bytes]").and_then(|rest| rest.rsplit_once("...[truncated "));
    match mark.and_then(|(kept, cut)| Some((kept, cut.parse().ok()?))) {
        Some(found) => found,
        None => (text, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::{halve, truncate};
    use crate::emit::encode::payload;
    use jkool_model::Event;

    #[test]
    fn a_message_is_cut_on_a_character_and_says_how_much_is_gone() {
        let text = "é".repeat(1000);
        let once = halve(&text).unwrap();
        assert_eq!(once, format!("{}...[truncated 1000 bytes]", "é".repeat(500)));
        assert_eq!(halve(&once).unwrap(), format!("{}...[truncated 1500 bytes]", "é".repeat(250)));
        assert_eq!(halve(&"é".repeat(301)).unwrap(), format!("{}...[truncated 302 bytes]", "é".repeat(150)));
        assert_eq!(halve("short"), None);
    }

    #[test]
    fn only_the_text_of_a_truncated_event_changes() {
        let source = "APPL=a".parse().unwrap();
        let whole = Event::builder().message("x".repeat(100_000)).source(source).build().unwrap();
        let mut short: Event =
            serde_json::from_slice(truncate(&payload(&whole.clone().into())).unwrap().body()).unwrap();
        assert!(short.message.ends_with("...[truncated 50000 bytes]"));
        short.message.clone_from(&whole.message);
        assert_eq!(short, whole);
    }
}
