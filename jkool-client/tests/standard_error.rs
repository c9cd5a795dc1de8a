//! What is said on standard error, by a process of its own.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{PATIENCE, client};
use jkool_client::transport::MemoryTransport;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, UNIX_EPOCH};

/// Set for the process that this one starts: what it is to do.
const CHILD: &str = "JKOOL_TEST_STANDARD_ERROR";

/// What a pipe takes that nobody reads.
const PIPE: usize = 64 << 10;

/// No test of its own: what the others run in a process of its own.
#[test]
fn the_child() {
    let Ok(what) = std::env::var(CHILD) else { return };
    let memory = MemoryTransport::new();
    let client = client(&memory).notices(true).build().unwrap();
    if what == "full" {
        std::io::stderr().write_all(&vec![b'x'; PIPE]).unwrap();
        // Refused, and told of.
        client.event("op").end_time(UNIX_EPOCH).start_time(UNIX_EPOCH + PATIENCE).emit();
        client.event("op").emit();
        assert!(client.flush(PATIENCE).is_delivered());
        client.event("op").emit();
    }
    assert!(client.shutdown(PATIENCE).is_delivered());
    if what == "late" {
        for _ in 0..7 {
            client.event("op").emit();
        }
    }
    drop(client);
}

fn child(what: &str) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "the_child", "--nocapture"]).env(CHILD, what);
    child.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "another process has no clock of ours")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "another process says nothing when it ends")]
fn ends_well(child: &mut Child) {
    let deadline = now() + 2 * PATIENCE;
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if now() > deadline => {
                child.kill().unwrap();
                panic!("it hangs");
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    assert!(status.success(), "{status}");
}

#[test]
fn a_pipe_that_nobody_reads_holds_up_nothing() {
    ends_well(&mut child("full"));
}

#[test]
fn what_is_lost_after_the_end_is_told_when_the_last_clone_goes() {
    let mut child = child("late");
    ends_well(&mut child);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    let line = "jkool: events were lost after the end: 7 accepted: 0 delivered, 0 in memory, 7 dropped";
    assert!(said.contains(line), "{said}");
}
