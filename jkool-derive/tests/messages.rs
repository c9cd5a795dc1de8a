//! Where a struct can't be a snapshot, the compiler says so at the field, and says what to write.
//! `TRYBUILD=overwrite cargo test -p jkool-derive --test messages` writes the expected messages anew.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and says what it skips")]

/// Whose words stand around ours in the messages about types: each version of the compiler has its own.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn mistakes_are_told_at_their_place() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/messages/pass_*.rs");
    cases.compile_fail("tests/messages/fail_*.rs");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = std::process::Command::new(rustc).arg("--version").output().unwrap().stdout;
    if version.starts_with(COMPILER.as_bytes()) {
        cases.compile_fail("tests/messages/compiler_*.rs");
    } else {
        println!("SKIPPED: the messages of types are those of {COMPILER}x");
    }
}
