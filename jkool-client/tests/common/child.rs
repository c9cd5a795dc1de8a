//! What a client prints, seen from outside.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses its part, and a test may panic"
)]

/// Runs the test of this name once more, in a process of its own, and gives back all that it prints there: none in that
/// process.
pub fn printed_by_child(test: &str) -> Option<String> {
    const MARK: &str = "JKOOL_TEST_CHILD";
    if std::env::var_os(MARK).is_some() {
        return None;
    }
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    let output = command.args([test, "--exact", "--nocapture"]).env(MARK, "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    Some(text.into_owned())
}
