//! `jkool send` to a real mosquitto, and `jkool relay` from it: `.ci/mqtt` installs one.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::common::{TempFile, collector, eventually, jkool, run, stored};
use jkool_collector::Collector;
use jkool_model::Entity;
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

/// A process that ends with the test, also when that fails.
struct Running(Child);

impl Running {
    /// Its exit code when it is ended as a service manager does.
    fn terminate(mut self) -> Option<i32> {
        assert!(Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().unwrap().success());
        self.0.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop((self.0.kill(), self.0.wait()));
    }
}

/// A broker, and its port.
fn mosquitto() -> (Running, u16) {
    // Another process may take a port between its choice and its use.
    for _ in 0..10 {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("mosquitto");
        // Of what it acknowledges it drops what is more than a thousand messages for a client that is away, unless told otherwise.
        let settings = format!("listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n");
        let file = TempFile::new("mosquitto.conf", &settings);
        let log = TempFile::missing("mosquitto.log");
        let said = std::fs::File::create(log.path()).unwrap();
        let child = command.args(["-c", file.path()]).stdout(Stdio::null()).stderr(said).spawn();
        let mut broker = Running(child.unwrap());
        let listens = eventually("mosquitto", || {
            let gone = broker.0.try_wait().unwrap().is_some();
            (gone || std::fs::read_to_string(log.path()).unwrap().contains(" running\n")).then_some(!gone)
        });
        if listens {
            return (broker, port);
        }
    }
    panic!("no port is free");
}

fn arrived(collector: &Collector) -> BTreeSet<u32> {
    let stored = stored(collector);
    let number = |entity: &Entity| match entity {
        Entity::Event(event) => event.message.parse().ok(),
        _ => None,
    };
    stored.iter().filter_map(|stored| number(&stored.entity)).collect()
}

#[test]
#[ignore = "needs mosquitto: .ci/mqtt"]
fn a_relay_that_is_killed_is_followed_by_one_that_gets_what_was_left() {
    const COUNT: u32 = 2_000;
    let ((_broker, port), collector) = (mosquitto(), collector());
    let relay = || {
        let from = format!("mqtt://127.0.0.1:{port}/jkool/#?client_id=relay");
        let args = ["relay", "--from", &from, "--to", &collector.url(), "--max-in-flight", "50"];
        Running(jkool(&args).spawn().unwrap())
    };
    let to = format!("mqtt://127.0.0.1:{port}/jkool/orders");
    let first = relay();
    // A broker keeps nothing for who has not subscribed yet.
    eventually("a first event", || {
        let sent = run(&["send", "0", "--url", &to]);
        assert_eq!(sent.code, 0, "{}", sent.err);
        arrived(&collector).contains(&0).then_some(())
    });
    let lines: String = (1..COUNT).map(|n| format!("{{\"operation\":\"Order\",\"msg-text\":\"{n}\"}}\n")).collect();
    let file = TempFile::new("orders.jsonl", &lines);
    let mut sender = Running(jkool(&["send", "--url", &to, "--file", file.path()]).spawn().unwrap());
    eventually("some of the orders", || (arrived(&collector).len() > 100).then_some(()));
    drop(first);
    let second = relay();
    assert!(sender.0.wait().unwrap().success());
    eventually("all orders", || (arrived(&collector).len() as u32 == COUNT).then_some(()));
    assert_eq!(second.terminate(), Some(0));
}
