//! A collector that ran out of file handles goes on when there are some again.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod socket;

use rustix::process::{Resource, getrlimit, setrlimit};
use socket::{Connection, ask, collector, event, post};
use std::net::TcpStream;

#[test]
fn no_more_file_handles_is_not_the_end() {
    let collector = collector();
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = Some(100);
    setrlimit(Resource::Nofile, limit).unwrap();
    // Each takes a handle here and one there, until the last one is taken here and there is none left there.
    let mut connections = Vec::new();
    while let Ok(connection) = TcpStream::connect(collector.address()) {
        connections.push(connection);
    }
    assert!(connections.len() > 10);
    drop(connections.split_off(10));
    assert_eq!(ask(&collector, post("/event", event("a"))).status, 202);
    assert_eq!(Connection::open(collector.address()).ask(post("/event", event("a"))).status, 202);
}
