//! A stored entity as JSON.

use crate::store::Stored;
use std::borrow::Cow;

/// The entity as received, on one line: line breaks between tokens are replaced, and JSON strings cannot contain any.
pub(super) fn one_line(json: &[u8]) -> Cow<'_, [u8]> {
    let is_break = |byte: &u8| matches!(byte, b'\n' | b'\r');
    if !json.iter().any(is_break) {
        return json.into();
    }
    json.iter().map(|byte| if is_break(byte) { b' ' } else { *byte }).collect()
}

/// Appends an item of an answer. The id is a string, because it is larger than the integers of JavaScript; the entity
/// is copied unchanged, so that no digit is lost.
pub(super) fn write(json: &mut String, stored: &Stored) {
    let (id, time, received) = (stored.id, stored.time.as_usec(), stored.received.as_usec());
    json.push_str(&format!(r#"{{"id":"{id}","time-usec":{time},"received-usec":{received},"entity":"#));
    json.push_str(&String::from_utf8_lossy(&one_line(&stored.json)));
    json.push('}');
}

/// A list of items.
pub(super) fn list(found: &[Stored]) -> String {
    let mut json = String::from("[");
    for (index, stored) in found.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        write(&mut json, stored);
    }
    json.push(']');
    json
}
