//! A slow, huge, endless or malformed request harms nobody else.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod socket;

use jkool_collector::{Collector, CollectorBuilder};
use socket::{Connection, ask, collector, event, eventually, post, request, stored};
use std::net::TcpStream;
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(50);

fn builder() -> CollectorBuilder {
    Collector::builder().listen("127.0.0.1:0")
}

fn is_well(collector: &Collector) {
    assert_eq!(ask(collector, post("/event", event("good"))).status, 202);
}

/// Both ends are in this process.
#[cfg(unix)]
fn allow_files(count: u64) {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.current.max(Some(limit.maximum.unwrap_or(count).min(count)));
    setrlimit(Resource::Nofile, limit).unwrap();
}

#[cfg(not(unix))]
fn allow_files(_: u64) {}

#[test]
fn a_thousand_connections_at_once_are_all_served() {
    allow_files(4_000);
    let collector = collector();
    let mut connections: Vec<_> = (0..1_000).map(|_| Connection::open(collector.address())).collect();
    for connection in &mut connections {
        connection.send(post("/event", event("a")));
    }
    assert!(connections.iter_mut().all(|connection| connection.answer().status == 202));
    // Open and silent they are in nobody's way.
    is_well(&collector);
    assert_eq!(stored(&collector).len(), 1_001);
    assert!(collector.counts().open >= 1_000, "{:?}", collector.counts());
    drop(connections);
    eventually("all are closed", || collector.counts().open == 0);
}

#[test]
fn one_connection_too_many_is_told_so_at_once() {
    let collector = builder().max_connections(2).start().unwrap();
    let mut open: Vec<_> = (0..2).map(|_| Connection::open(collector.address())).collect();
    assert!(open.iter_mut().all(|connection| connection.ask(post("/event", event("a"))).status == 202));
    let answer = ask(&collector, post("/event", event("b")));
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
    assert_eq!(answer.json()["error"], "too many connections");
    assert_eq!(open[0].ask(post("/event", event("a"))).status, 202);
    drop(open);
    eventually("there is room again", || ask(&collector, post("/event", event("b"))).status == 202);
    assert!(collector.counts().turned_away >= 1);
}

#[test]
fn a_head_that_never_ends_is_not_waited_for() {
    let collector = builder().head_timeout(SHORT).start().unwrap();
    let mut silent = Connection::open(collector.address());
    let mut slow = Connection::open(collector.address());
    slow.send("POST /event HTTP/1.1\r\nHost: loc");
    let mut dripping = Connection::open(collector.address());
    dripping.send("POST /event HTTP/1.1\r\n");
    // However many bytes come, it is the whole that must be there in time.
    eventually("it is closed", || !dripping.try_send("a: b\r\n"));
    assert!(slow.is_closed());
    // Who has begun nothing has more time.
    assert_eq!(silent.ask(post("/event", event("a"))).status, 202);
    is_well(&collector);
}

#[test]
fn a_body_that_stops_coming_is_not_waited_for() {
    let collector = builder().body_timeout(SHORT).start().unwrap();
    let mut slow = Connection::open(collector.address());
    slow.send("POST /event HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{\"oper");
    let answer = slow.answer();
    assert_eq!((answer.status, answer.json()["error"].as_str()), (408, Some("the body stopped coming")));
    assert!(slow.is_closed());
    is_well(&collector);
    assert_eq!(stored(&collector).len(), 1);
}

#[test]
fn a_silent_connection_is_closed_some_time() {
    let collector = builder().head_timeout(Duration::MAX).idle_timeout(SHORT).start().unwrap();
    let mut silent = Connection::open(collector.address());
    assert!(silent.is_closed());
    let mut silent = Connection::open(collector.address());
    assert_eq!(silent.ask(post("/event", event("a"))).status, 202);
    assert!(silent.is_closed());
}

#[test]
fn an_answer_that_is_not_read_is_not_waited_for() {
    let collector = builder().idle_timeout(SHORT).start().unwrap();
    let mut deaf = Connection::open_narrow(collector.address());
    // Their answers are more than fits between the two.
    let all = request("GET", "/api/openapi.json", &[], "").repeat(10);
    eventually("it is closed", || !deaf.try_send(&all));
    is_well(&collector);
}

#[test]
fn a_hundred_megabytes_are_refused_and_the_answer_arrives() {
    let collector = collector();
    let megabyte = vec![b' '; 1 << 20];
    for head in ["Content-Length: 104857600", "Transfer-Encoding: chunked"] {
        let mut huge = Connection::open(collector.address());
        huge.send(format!("POST /event HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n"));
        for _ in 0..100 {
            if head.starts_with('T') && !huge.try_send("100000\r\n") {
                break;
            }
            if !huge.try_send(&megabyte) || (head.starts_with('T') && !huge.try_send("\r\n")) {
                break;
            }
        }
        let answer = huge.answer();
        assert_eq!((answer.status, answer.header("connection")), (413, Some("close")), "{head}");
    }
    is_well(&collector);
}

#[test]
fn what_is_no_http_is_turned_away() {
    let collector = collector();
    let long = format!("GET / HTTP/1.1\r\nHost: localhost\r\nx: {}\r\n\r\n", "y".repeat(100_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(1_000));
    for garbage in [
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03".as_slice(),
        b"\0\0\0\0\r\n\r\n",
        b"{\"operation\":\"a\"}\n",
        b"POST /event HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /event HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"POST /event HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        long.as_bytes(),
        many.as_bytes(),
    ] {
        let mut connection = Connection::open(collector.address());
        connection.try_send(garbage);
        let status = connection.try_answer().map(|answer| answer.status);
        assert!(status.is_none_or(|status| (400..500).contains(&status)), "{status:?}");
        assert!(connection.is_closed());
    }
    is_well(&collector);
    assert_eq!(stored(&collector).len(), 1);
}

#[test]
fn who_goes_away_in_the_middle_is_forgotten() {
    let collector = collector();
    for part in [
        "",
        "POST",
        "POST /event HTTP/1.1\r\nContent-Length: 10\r\n\r\n",
        "POST /event HTTP/1.1\r\nContent-Length: 10\r\n\r\n{",
    ] {
        let mut connection = Connection::open(collector.address());
        connection.send(part);
        drop(connection);
        let mut connection = Connection::open(collector.address());
        connection.send(part);
        connection.send_no_more();
        while connection.try_answer().is_some() {}
    }
    eventually("all are closed", || collector.counts().open == 0);
    is_well(&collector);
}

#[test]
fn it_ends_even_if_clients_do_not() {
    let collector = collector();
    let address = collector.address();
    let mut idle = Connection::open(address);
    assert_eq!(idle.ask(post("/event", event("a"))).status, 202);
    let mut stuck = Connection::open(address);
    stuck.send("POST /event HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{\"oper");
    let mut watching = Connection::open(address);
    watching.send(request("GET", "/api/tail", &[], ""));
    collector.shutdown();
    assert!(idle.is_closed() && stuck.is_closed());
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn it_starts_and_ends_inside_of_any_runtime() {
    for mut runtime in [tokio::runtime::Builder::new_current_thread(), tokio::runtime::Builder::new_multi_thread()] {
        runtime.build().unwrap().block_on(async {
            let collector = collector();
            is_well(&collector);
            drop(collector);
        });
    }
}

#[test]
fn an_address_that_somebody_has_is_named() {
    let first = collector();
    let address = first.address().to_string();
    let error = Collector::builder().listen(&address).start().unwrap_err();
    assert!(error.to_string().starts_with(&format!("can't listen on {address}: ")), "{error}");
    drop(first);
    Collector::builder().listen(&address).start().unwrap();
    let error = Collector::builder().listen("no port").start().unwrap_err();
    assert!(error.to_string().starts_with("can't listen on no port: "), "{error}");
}
