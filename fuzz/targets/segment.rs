//! The reader of the spool's segments, of any bytes and of segments that were damaged.
#![no_main]

#[allow(dead_code)]
#[rustfmt::skip] // its tests are in another place, seen from here
#[path = "../../jkool-client/src/spool/segment.rs"]
mod segment;

#[path = "../../jkool-client/src/spool/segment/laws.rs"]
mod laws;

use segment::*;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    laws::any_bytes(input);
    laws::damaged(input);
});
