//! What is said on standard error, by a process of its own.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{PATIENCE, client};
use jkool_client::transport::MemoryTransport;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::UNIX_EPOCH;

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
    if what == "early" {
        drop(jkool_client::Guard::new(client.clone(), PATIENCE));
        client.event("op").emit();
        client.event("op").emit();
        // A logger is for ever, and so is its client.
        return std::mem::forget(client);
    }
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

/// What it has said by its end. Nothing of that is read before.
fn ends_well(mut child: Child) -> String {
    let pid = Pid::from_child(&child);
    let (ended, end) = channel();
    std::thread::spawn(move || {
        let status = child.wait().unwrap();
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        ended.send((status, said)).unwrap_or_default();
    });
    let Ok((status, said)) = end.recv_timeout(2 * PATIENCE) else {
        kill_process(pid, Signal::KILL).unwrap();
        panic!("it hangs");
    };
    assert!(status.success(), "{status} {said}");
    said
}

#[test]
fn a_pipe_that_nobody_reads_holds_up_nothing() {
    ends_well(child("full"));
}

#[test]
fn what_is_lost_after_the_end_is_told_when_the_last_clone_goes() {
    let said = ends_well(child("late"));
    let line = "jkool: events were lost after shutdown: 7 accepted: 0 delivered, 0 in memory, 7 dropped";
    assert!(said.contains(line), "{said}");
}

#[test]
fn a_guard_that_is_dropped_at_once_is_told_of() {
    let said = ends_well(child("early"));
    assert_eq!(said.matches("the guard was dropped before anything was logged").count(), 1, "{said}");
}
