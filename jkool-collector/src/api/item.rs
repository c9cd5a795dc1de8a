//! A stored entity as JSON.

use crate::store::Stored;
use std::borrow::Cow;

/// The entity as it was received, on one line: outside of its texts a line break is mere space, and within them JSON has none.
pub(super) fn one_line(json: &[u8]) -> Cow<'_, [u8]> {
    let is_break = |byte: &u8| matches!(byte, b'\n' | b'\r');
    if !json.iter().any(is_break) {
        return json.into();
    }
    json.iter().map(|byte| if is_break(byte) { b' ' } else { *byte }).collect()
}

/// Appends an item of an answer. The id is a text, for it is larger than what JavaScript takes for a whole number; the entity
/// is not written anew, so that no digit of it is lost.
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
