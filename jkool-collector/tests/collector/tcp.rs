//! Entities over plain TCP: one JSON document a line, and no answers.

use crate::socket::{Connection, ask, event, eventually, operations, post, request};
use jkool_collector::{Collector, StartError};
use serde_json::json;

fn collector() -> Collector {
    Collector::builder().listen("127.0.0.1:0").listen_tcp("127.0.0.1:0").start().unwrap()
}

fn open(collector: &Collector) -> Connection {
    Connection::open(collector.tcp_address().unwrap())
}

#[test]
fn each_line_is_stored_as_soon_as_it_is_there() {
    let collector = collector();
    let mut connection = open(&collector);
    connection.send("\u{feff}{\"operation\":\"a\"}\r\n\n[{\"operation\":\"b\"}]\n{\"operation\":");
    eventually("two are there", || collector.counts().stored == 2);
    connection.send("\"c\"}\n{\"operation\":\"d\"}");
    eventually("three are there", || collector.counts().stored == 3);
    // The last one needs no end of line.
    connection.send_no_more();
    assert!(connection.is_closed());
    assert_eq!(operations(&collector), ["a", "b", "c", "d"]);
}

#[test]
fn bad_lines_are_counted_and_named() {
    let collector = collector();
    let mut connection = open(&collector);
    connection.send(format!("{}\nnonsense\n", event("a")));
    eventually("it is counted", || collector.counts().refused == 1);
    connection.send(format!("{}\n{{\"operation\": nope}}\n", event("b")));
    connection.send_no_more();
    assert!(connection.is_closed());
    assert_eq!(operations(&collector), ["a", "b"]);
    let notices = collector.notices();
    assert_eq!(collector.counts().refused, 2);
    assert!(
        notices[0].starts_with("127.0.0.1:") && notices[0].ends_with(", line 2, column 2: expected ident"),
        "{notices:?}"
    );
    assert!(notices[1].ends_with(", line 4, column 16: expected ident"), "{notices:?}");
    let stats = ask(&collector, request("GET", "/api/stats", &[], "")).json();
    assert_eq!((&stats["received"]["stored"], &stats["received"]["refused"]), (&json!(2), &json!(2)));
    assert_eq!(stats["notices"], json!(notices));
}

#[test]
fn a_line_that_is_too_long_is_left_out() {
    let collector = collector();
    let mut connection = open(&collector);
    let long = format!("{{\"operation\":\"long\",\"msg-text\":\"{}\"}}", "x".repeat(3 << 20));
    connection.send(format!("{}\n{long}\n{}\n{long}", event("a"), event("b")));
    connection.send_no_more();
    assert!(connection.is_closed());
    assert_eq!(operations(&collector), ["a", "b"]);
    assert_eq!(collector.counts().refused, 2);
    assert!(collector.notices()[0].ends_with("a line is longer than 1048576 bytes"));
}

#[test]
fn what_a_browser_can_be_made_to_send_is_not_taken() {
    let collector = collector();
    for bytes in [post("/", format!("{}\n", event("evil"))), b"\x16\x03\x01{}\n{}\n".to_vec()] {
        let mut connection = open(&collector);
        connection.try_send(bytes);
        assert!(connection.is_closed());
    }
    assert!(operations(&collector).is_empty());
    assert_eq!(collector.counts().refused, 2);
}

#[test]
fn it_is_for_this_machine_alone() {
    let builder = || Collector::builder().listen("127.0.0.1:0").token("canary-01");
    let error = builder().listen_tcp("0.0.0.0:0").start().unwrap_err();
    assert!(matches!(error, StartError::NeedsLoopback(_)), "{error:?}");
    assert!(builder().listen_tcp("127.0.0.1:0").start().is_ok());
}

#[test]
fn what_came_before_the_end_is_kept() {
    let collector = collector();
    let store = collector.store().clone();
    let mut connection = open(&collector);
    connection.send(format!("{}\n", event("a")));
    eventually("it is there", || collector.counts().stored == 1);
    collector.shutdown();
    assert!(connection.is_closed());
    assert_eq!(store.read_now(|reader| reader.sizes()).unwrap().events, 1);
}
