//! The two events that everybody sends: a full one (15 fields, a correlator, a snapshot of 5 properties; about 830 B of JSON)
//! and a small one (what TNT4PY sends for a plain log call; about 100 B).

mod derived;
mod encoders;
mod hand;
mod jkool;
mod uuid;

pub use derived::{FullEvent, full, small};
pub use encoders::{ENCODERS, Encoder, Sample};
pub use hand::full_by_hand;
pub use jkool::{emit, event};

use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

pub const SOURCE: &str = "APPL=orders#SERVER=host100#NETADDR=11.0.0.2#DATACENTER=DC1#GEOADDR=52.52437,13.41053";
pub const USER: &str = "svc-orders";
pub const LOCATION: &str = "src/orders.rs:118";

pub fn now_us() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
}

/// How a record becomes JSON: appends to the buffer, from the message, the serial number and the time in microseconds.
pub type Encode = fn(&mut Vec<u8>, &str, u64, u64);

/// The message of event `i`. The sink counts its middle words: they are in every event once.
pub fn write_message(message: &mut String, i: u64) {
    message.clear();
    write!(message, "order {} processed in {} ms", i, i & 63).expect("memory");
}

/// All that event `i` takes: formats the message into `message`, reads the clock, appends the JSON.
pub fn append(out: &mut Vec<u8>, message: &mut String, i: u64, encode: Encode) {
    write_message(message, i);
    encode(out, message, i, now_us());
}
