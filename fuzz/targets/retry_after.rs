//! The first line is the time of day in seconds since 1970, each other line the value of a header.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::time::{Duration, UNIX_EPOCH};

/// Sun, 06 Nov 1994 08:49:37 GMT
const NOW: u64 = 784_111_777;

fuzz_target!(|input: &[u8]| {
    let mut lines = input.split(|byte| *byte == b'\n');
    let first = lines.next().and_then(|line| std::str::from_utf8(line).ok()?.parse().ok());
    let now = UNIX_EPOCH.checked_add(Duration::from_secs(first.unwrap_or(NOW))).unwrap_or(UNIX_EPOCH);
    jkool_transport::fuzzing::retry_after(&lines.collect::<Vec<_>>(), now);
});
