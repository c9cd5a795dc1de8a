//! What the tests share.
#![allow(dead_code, unreachable_pub, unused_imports, reason = "each test file is a crate that uses its part of this")]

pub mod folder;
pub mod lines;
pub mod payloads;
pub mod server;
#[cfg(feature = "http")]
pub mod tls;

use jkool_transport::Failure;
pub use payloads::{LONG, RETRY, bodies, event, events, failure, marks};

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
