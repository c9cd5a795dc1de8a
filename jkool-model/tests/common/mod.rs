//! What several tests share: the recorded lines of other clients, and what the wire notes say those lines mean.
#![allow(dead_code, reason = "each test takes its part of it")]

pub(crate) mod laws;
pub(crate) mod lines;
pub(crate) mod normal;

use serde::Serialize;
use serde_json::Value as Json;

/// What a value looks like on the wire. It goes by the text, as a number's digits do.
pub(crate) fn wire(value: &impl Serialize) -> Json {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}
