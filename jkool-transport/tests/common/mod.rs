//! What the tests share.
#![allow(dead_code, unreachable_pub, reason = "each test file is a crate that uses its part of this")]

pub mod folder;
pub mod lines;
pub mod server;
#[cfg(feature = "http")]
pub mod tls;

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

/// Every text that an error and its causes can show.
pub fn everything_about(failure: &Failure) -> String {
    let mut text = format!("{failure:?} {failure:#?}");
    let mut next: Option<&dyn std::error::Error> = Some(&failure.error);
    while let Some(error) = next {
        text += &format!(" {error} {error:?}");
        next = error.source();
    }
    text
}

/// Runs the test of this name once more, in a process of its own with these variables, since a test must not change its
/// own. True in that process; false in the first one, when the other has passed.
pub fn is_child(test: &str, variables: &[(&str, &str)]) -> bool {
    const MARK: &str = "JKOOL_TEST_CHILD";
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let program = std::env::current_exe().expect("the test program");
    let mut command = std::process::Command::new(program);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command.args([test, "--exact", "--nocapture"]).env(MARK, "1").envs(variables.iter().copied());
    let output = command.output().expect("a process");
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    false
}
