//! The client against connections that are refused, silent, cut, or gone; and what flush and shutdown say meanwhile. What
//! a port does that nobody listens at, or whose queue is full, is tried as Linux does it.
#![cfg(all(feature = "http", target_os = "linux"))]

use crate::common::server::{Reply, Server, answer};
use crate::common::{MARGIN, Oracle, PATIENCE, Port, TOKEN, arrive, client, now, until};
use jkool_client::{Client, LossReason, Report};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;

fn numbers(count: usize) -> Vec<usize> {
    (0..count).collect()
}

fn counts(report: Report) -> (u64, u64, u64) {
    (report.delivered(), report.dropped(), report.pending())
}

#[test]
fn a_server_that_is_not_there_yet_is_waited_for() {
    let (port, mut oracle) = (Port::new(), Oracle::default());
    let client = client(port.url()).in_flight(1).build().unwrap();
    oracle.emit(&client, 20);
    assert_eq!(counts(client.flush(Duration::from_millis(100))), (0, 0, 20));
    // A refused connection leaves no doubt.
    assert_eq!((client.stats().in_memory(), client.stats().maybe_duplicated()), (20, 0));
    let server = port.serve();
    arrive(&client);
    let found = oracle.check_all_taken(&client, &server);
    assert_eq!((found.taken, server.requests().len(), client.stats().maybe_duplicated()), (numbers(20), 20, 0));
}

/// RFC 6761: no name under `.invalid` ever resolves. The look-up itself may hang, and holds up nothing.
#[test]
fn a_name_that_does_not_resolve_keeps_everything_and_holds_up_nobody() {
    let mut oracle = Oracle::default();
    let client = client("https://collector.invalid").http(|http| http.no_proxy()).build().unwrap();
    oracle.emit(&client, 10);
    let start = now();
    assert_eq!(counts(client.flush(Duration::from_millis(50))), (0, 0, 10));
    oracle.check_records(&client, &[]);
    assert_eq!((client.stats().in_memory(), client.stats().maybe_duplicated()), (10, 0));
    assert_eq!(counts(client.shutdown(Duration::from_millis(20))), (0, 10, 0));
    assert!(start.elapsed() < Duration::from_millis(70) + MARGIN, "{:?}", start.elapsed());
    oracle.check_records(&client, &[]);
    assert_eq!(client.stats().dropped(LossReason::Shutdown), 10);
}

/// Linux drops the first packet of a connection that the listener's queue has no room for, as a firewall does.
#[test]
fn a_connection_that_is_never_made_leaves_no_doubt_and_is_tried_until_it_is() {
    let (port, mut oracle) = (Port::new(), Oracle::default());
    let listener = port.listen(0);
    let _filler = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let connecting = Duration::from_millis(20);
    let client = client(port.url()).http(move |http| http.connect_timeout(connecting)).build().unwrap();
    oracle.emit(&client, 10);
    assert_eq!(counts(client.flush(Duration::from_millis(150))), (0, 0, 10));
    oracle.check_records(&client, &[]);
    assert_eq!(client.stats().maybe_duplicated(), 0);
    let server = Server::over(listener, |stream| async move { Ok(stream) });
    arrive(&client);
    let found = oracle.check_all_taken(&client, &server);
    assert_eq!((found.repeats, client.stats().maybe_duplicated()), (0, 0));
}

/// The peer is gone, half open, or never done: only the deadline of the request ends it.
#[test]
fn an_answer_that_does_not_come_in_time_is_doubt_and_the_event_comes_again() {
    for reply in [
        Reply::Stall,
        Reply::Drip,
        Reply::Raw(b"HTTP/1.1 2".into()),
        Reply::Raw(b"HTTP/1.1 100 Continue\r\n\r\n".into()),
        Reply::Raw(b"HTTP/1.1 202 Accepted\r\nContent-Length: 6\r\n".into()),
    ] {
        let (server, mut oracle) = (Server::start(), Oracle::default());
        server.script([reply.clone(), Reply::Status(202), reply.clone()]);
        let time = Duration::from_millis(150);
        let client = client(server.url()).in_flight(1).http(move |http| http.timeout(time)).build().unwrap();
        oracle.emit(&client, 4);
        arrive(&client);
        let found = oracle.check_all_taken(&client, &server);
        // On a busy machine a good answer may be late, too.
        assert_eq!(found.taken, numbers(4), "{reply:?}");
        assert!(found.repeats >= 2 && client.stats().maybe_duplicated() >= 2, "{reply:?} {found:?}");
        let connections: Vec<_> = server.requests().iter().map(|request| request.connection).collect();
        assert_ne!(connections[0], connections[1], "{reply:?} on a connection that is used again");
    }
}

#[test]
fn a_connection_that_breaks_in_the_request_counts_for_nothing() {
    for reset in [false, true] {
        let (server, mut oracle) = (Server::start(), Oracle::default());
        server.script([Reply::Half { reset }, Reply::Half { reset }]);
        let client = client(server.url()).in_flight(1).build().unwrap();
        oracle.emit_text(&client, "x".repeat(8 << 20));
        oracle.emit(&client, 3);
        arrive(&client);
        let found = oracle.check_all_taken(&client, &server);
        assert_eq!((found.taken, found.repeats), (numbers(4), 0), "reset: {reset}");
        assert_eq!((server.requests().len(), client.stats().dropped_total()), (6, 0), "reset: {reset}");
        assert_eq!(oracle.message(0, &server.requests()).len(), 8 << 20, "whole");
    }
}

#[test]
fn a_connection_that_breaks_before_the_answer_shows_a_duplicate_of_the_same_bytes() {
    for reply in [Reply::Reset, Reply::Close] {
        let (server, mut oracle) = (Server::start(), Oracle::default());
        server.script([Reply::Status(202), reply.clone(), reply.clone(), Reply::Status(202), reply.clone()]);
        let client = client(server.url()).in_flight(1).build().unwrap();
        oracle.emit(&client, 5);
        arrive(&client);
        let found = oracle.check_all_taken(&client, &server);
        assert_eq!((found.taken, found.repeats), (numbers(5), 3), "{reply:?}");
        assert_eq!((server.requests().len(), client.stats().maybe_duplicated()), (8, 3), "{reply:?}");
    }
}

#[test]
fn many_connections_that_break_lose_nothing() {
    let (server, mut oracle) = (Server::start(), Oracle::default());
    let reply = |number| match number % 7 {
        2 => Reply::Reset,
        4 => Reply::Close,
        6 => Reply::RawThenClose(b"HTTP/1.1 202 Acc".into()),
        _ => Reply::Status(202),
    };
    server.script((0..300).map(reply));
    let client = client(server.url()).in_flight(8).build().unwrap();
    oracle.emit(&client, 200);
    arrive(&client);
    let found = oracle.check_all_taken(&client, &server);
    assert!(found.repeats >= 60, "{found:?}");
}

#[test]
fn a_server_that_closes_after_each_answer_gets_everything_exactly_once() {
    for in_flight in [1, 8] {
        let (server, mut oracle) = (Server::start(), Oracle::default());
        server.otherwise(Reply::RawThenClose(answer(202, "Connection: close\r\n", b"")));
        let client = client(server.url()).in_flight(in_flight).build().unwrap();
        oracle.emit(&client, 50);
        arrive(&client);
        let found = oracle.check_all_taken(&client, &server);
        assert_eq!((found.repeats, client.stats().maybe_duplicated()), (0, 0));
        assert_eq!((server.requests().len(), server.connections()), (50, 50));
    }
}

/// It says nothing about it, so the next request may be written to a connection that is gone. To have written it is no
/// delivery.
#[test]
fn a_kept_connection_that_is_closed_after_some_requests_loses_nothing() {
    for requests in [1, 10] {
        for at_once in [1, 30] {
            let (server, mut oracle) = (Server::start(), Oracle::default());
            let last = || Reply::RawThenClose(answer(202, "", b""));
            server.script((1..=200).map(|number| if number % requests == 0 { last() } else { Reply::Status(202) }));
            let client = client(server.url()).in_flight(1).build().unwrap();
            for _ in 0..30 / at_once {
                oracle.emit(&client, at_once);
                arrive(&client);
            }
            let found = oracle.check_all_taken(&client, &server);
            assert_eq!((found.taken, found.repeats), (numbers(30), 0));
            // What was written in vain never reached the server, which the client can't know.
            assert_eq!(server.requests().len(), 30);
        }
    }
}

#[test]
fn a_connection_that_is_closed_before_its_first_request_loses_nothing() {
    let count = AtomicUsize::new(0);
    let count = Arc::new(count);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server::over(listener, move |stream: TcpStream| {
        let good = count.fetch_add(1, Ordering::SeqCst) % 4 == 3;
        async move { if good { Ok(stream) } else { Err(io::ErrorKind::Other.into()) } }
    });
    server.otherwise(Reply::RawThenClose(answer(202, "Connection: close\r\n", b"")));
    let mut oracle = Oracle::default();
    let client = client(server.url()).in_flight(1).build().unwrap();
    oracle.emit(&client, 10);
    arrive(&client);
    let mut found = oracle.check_all_taken(&client, &server);
    // One that fails three times may be why, and lets others go first.
    found.taken.sort_unstable();
    assert_eq!((found.taken, server.requests().len(), server.connections()), (numbers(10), 10, 40));
}

#[test]
fn a_server_that_restarts_gets_what_came_meanwhile_and_the_token_again() {
    let (port, mut oracle) = (Port::new(), Oracle::default());
    let client = client(port.url()).in_flight(4).build().unwrap();
    let mut requests = Vec::new();
    for _ in 0..3 {
        let server = port.serve();
        oracle.emit(&client, 20);
        arrive(&client);
        oracle.emit(&client, 50);
        until(&client, || server.requests().len() > 20);
        // Some of these are under way.
        requests.extend(server.stop());
        oracle.emit(&client, 20);
        let _report = client.flush(Duration::from_millis(20));
        assert!(client.stats().in_memory() >= 20, "{}", client.stats());
    }
    let server = port.serve();
    arrive(&client);
    assert!(!server.requests().is_empty());
    requests.extend(server.stop());
    // The oracle has looked at the token of each.
    assert_eq!(oracle.check_records(&client, &requests).taken.len(), 270);
    assert_eq!((client.stats().delivered(), client.stats().in_memory()), (270, 0));
}

/// Servers to which nothing can be delivered, each with what keeps it going.
fn black_holes() -> Vec<(&'static str, String, Option<Server>, Option<Port>)> {
    let with = |name, reply| {
        let server = Server::start();
        server.otherwise(reply);
        (name, server.url(), Some(server), None)
    };
    let port = Port::new();
    vec![
        with("silent", Reply::Stall),
        with("endless", Reply::Drip),
        with("busy", Reply::Status(503)),
        with("busy for long", Reply::Headers(503, "Retry-After: 300\r\n".into())),
        with("broken", Reply::Reset),
        with("refusing", Reply::Status(401)),
        ("absent", port.url(), None, Some(port)),
    ]
}

fn check(oracle: &Oracle, client: &Client, server: Option<&Server>) {
    match server {
        Some(server) => assert_eq!(oracle.check(client, server).taken, [0; 0]),
        None => assert_eq!(oracle.check_records(client, &[]).taken, [0; 0]),
    }
}

#[test]
fn a_flush_returns_by_its_deadline_and_its_report_is_true() {
    let started: Vec<_> = black_holes()
        .into_iter()
        .map(|(name, url, server, port)| {
            // All at the same time, since each waits.
            std::thread::spawn(move || {
                let mut oracle = Oracle::default();
                let client = client(url).in_flight(4).build().unwrap();
                for (events, millis) in [(10, 0), (20, 10), (30, 1000)] {
                    oracle.emit(&client, 10);
                    let (start, deadline) = (now(), Duration::from_millis(millis));
                    let report = client.flush(deadline);
                    let took = start.elapsed();
                    assert!(took >= deadline && took < deadline + MARGIN, "{name}: {took:?}");
                    assert_eq!(counts(report), (0, 0, events), "{name}");
                    assert_eq!(client.stats().in_memory(), events, "{name}");
                    check(&oracle, &client, server.as_ref());
                }
                let _report = client.shutdown(Duration::ZERO);
                drop(port);
            })
        })
        .collect();
    for thread in started {
        thread.join().unwrap();
    }
}

#[test]
fn a_shutdown_returns_by_its_deadline_and_counts_the_rest() {
    for millis in [0, 20] {
        for (name, url, server, _port) in black_holes() {
            let mut oracle = Oracle::default();
            let client = client(url).in_flight(4).build().unwrap();
            oracle.emit(&client, 10);
            let (start, deadline) = (now(), Duration::from_millis(millis));
            let report = client.shutdown(deadline);
            assert!(start.elapsed() < deadline + MARGIN, "{name}: {:?}", start.elapsed());
            assert_eq!(counts(report), (0, 10, 0), "{name}");
            let stats = client.stats();
            assert_eq!((stats.dropped(LossReason::Shutdown), stats.in_memory()), (10, 0), "{name}: {stats}");
            check(&oracle, &client, server.as_ref());
        }
    }
}

#[test]
fn a_server_that_falls_silent_has_taken_what_it_answered_and_no_more() {
    let (server, mut oracle) = (Server::start(), Oracle::default());
    server.script([Reply::Status(202), Reply::Status(202), Reply::Status(202)]);
    server.otherwise(Reply::Stall);
    let client = client(server.url()).in_flight(1).build().unwrap();
    oracle.emit(&client, 10);
    // With one under way at a time, the fourth request comes when the third answer is booked.
    until(&client, || server.requests().len() == 4);
    assert_eq!(counts(client.flush(Duration::from_millis(20))), (0, 0, 7));
    assert_eq!(oracle.check(&client, &server).taken, [0, 1, 2]);
    assert_eq!(counts(client.shutdown(Duration::from_millis(20))), (0, 7, 0));
    assert_eq!(oracle.check(&client, &server).taken, [0, 1, 2]);
    let stats = client.stats();
    assert_eq!((stats.delivered(), stats.dropped(LossReason::Shutdown), stats.in_memory()), (3, 7, 0));
}

#[test]
fn the_last_client_that_is_dropped_waits_only_as_long_as_it_may() {
    let server = Server::start();
    server.otherwise(Reply::Stall);
    let client = client(server.url()).shutdown_timeout(Duration::from_millis(20)).build().unwrap();
    Oracle::default().emit(&client, 10);
    until(&client, || !server.requests().is_empty());
    let start = now();
    drop(client);
    assert!(start.elapsed() < Duration::from_millis(20) + MARGIN, "{:?}", start.elapsed());
    assert!(server.requests().iter().all(|request| request.header("token") == Some(TOKEN)));
}

/// Whether a socket to this port waits for us to close it.
fn is_half_closed(port: u16) -> bool {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let half_closed = format!(":{port:04X} 08 ");
    table.lines().any(|line| line.contains(&half_closed))
}

/// A program that has nothing to send keeps no dead socket: its delivery thread waits, and hears of it.
#[test]
fn a_connection_that_the_server_has_closed_is_not_kept_by_an_idle_program() {
    let (port, mut oracle) = (Port::new(), Oracle::default());
    let server = port.serve();
    let client = client(port.url()).build().unwrap();
    oracle.emit(&client, 10);
    arrive(&client);
    let number = server.addr().port();
    drop(server);
    let start = now();
    while is_half_closed(number) {
        assert!(start.elapsed() < PATIENCE, "it stays");
        std::thread::yield_now();
    }
    assert_eq!(counts(client.flush(PATIENCE)), (0, 0, 0));
}
