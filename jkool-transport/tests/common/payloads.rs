//! Payloads for tests, and receipts in short.
#![allow(dead_code, unreachable_pub, reason = "each test file is a crate that uses its part of this")]

use jkool_transport::{Disposition, Failure, Kind, Outcome, Payload, Receipt};
use std::time::Duration;

/// Longer than any test takes: for waits that must not end.
pub const LONG: Duration = Duration::from_secs(120);

pub const RETRY: Disposition = Disposition::Retry { after: None };

/// A small event with a number in it, so that each differs.
pub fn event(number: usize) -> Payload {
    Payload::new(Kind::Event, format!(r#"{{"operation":"op-{number}"}}"#))
}

pub fn events(count: usize) -> Vec<Payload> {
    (0..count).map(event).collect()
}

pub fn bodies(payloads: &[Payload]) -> Vec<String> {
    payloads.iter().map(|payload| String::from_utf8_lossy(payload.body()).into_owned()).collect()
}

/// The only outcome of a batch of one, when it failed.
pub fn failure(receipt: &Receipt) -> Failure {
    match receipt.outcomes() {
        [Outcome::Failed(failure)] => failure.clone(),
        other => panic!("one failure expected: {other:?}"),
    }
}

/// An outcome in short: `.` delivered, `r` retry, `m` misconfigured, `l` too large, `x` rejected; with `?` behind it
/// when in doubt.
pub fn marks(receipt: &Receipt) -> String {
    let mark = |outcome: &Outcome| match outcome {
        Outcome::Delivered => ".",
        Outcome::Failed(failure) => match (failure.disposition, failure.maybe_delivered) {
            (Disposition::Retry { .. }, false) => "r",
            (Disposition::Retry { .. }, true) => "r?",
            (Disposition::Misconfigured, false) => "m",
            (Disposition::Misconfigured, true) => "m?",
            (Disposition::TooLarge, false) => "l",
            (Disposition::TooLarge, true) => "l?",
            (Disposition::Rejected, false) => "x",
            (Disposition::Rejected, true) => "x?",
            other => panic!("a new disposition: {other:?}"),
        },
        other => panic!("a new outcome: {other:?}"),
    };
    receipt.outcomes().iter().map(mark).collect()
}
