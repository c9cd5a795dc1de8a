//! A process at its limits: when there can be no thread, or no file for its runtime, `build` says so.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{PATIENCE, assert_balanced, client};
use jkool_client::BuildError;
use jkool_client::transport::MemoryTransport;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::process::Command;

/// Set for the process that this one starts: what it is to run out of.
const CHILD: &str = "JKOOL_TEST_LIMIT";

fn with_limit<T>(resource: Resource, limit: u64, body: impl FnOnce() -> T) -> T {
    let before = getrlimit(resource);
    setrlimit(resource, Rlimit { current: Some(limit), maximum: before.maximum }).unwrap();
    let result = body();
    setrlimit(resource, before).unwrap();
    result
}

/// The bytes of address space in use.
fn address_space() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")).unwrap();
    size.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() << 10
}

/// Runs alone in a process of its own, for limits hold for a whole process.
fn run_out_of(resource: Resource, limit: u64) {
    let memory = MemoryTransport::new();
    let builder = client(&memory);
    let error = with_limit(resource, limit, || builder.build()).unwrap_err();
    assert!(matches!(&error, BuildError::Thread(_)), "{error:?}");
    // It was no more than that.
    let client = client(&memory).build().unwrap();
    client.event("op").emit();
    assert!(client.shutdown(PATIENCE).is_delivered());
    assert_balanced(&client.stats());
    assert_eq!((client.stats().accepted(), memory.len()), (1, 1));
}

/// No test of its own: what the others run in a process of its own.
#[test]
fn the_child() {
    match std::env::var(CHILD).as_deref() {
        // Less than a thread's stack.
        Ok("memory") => run_out_of(Resource::As, address_space() + (1 << 20)),
        Ok("files") => run_out_of(Resource::Nofile, 0),
        _ => {}
    }
}

fn in_a_child(limit: &str) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", "the_child", "--nocapture"]).env(CHILD, limit).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn without_memory_for_a_thread() {
    in_a_child("memory");
}

#[test]
fn without_a_file_for_its_runtime() {
    in_a_child("files");
}
