//! The client against a server that answers as it should not: statuses, odd answers and broken ones.
#![cfg(feature = "http")]

use crate::child::printed_by_child;
use crate::common::server::{Reply, Request, Server, answer};
use crate::common::{Oracle, PATIENCE, TOKEN, arrive, client, until};
use jkool_client::{Client, Condition, LossReason};
use std::io::Write;
use std::sync::mpsc;
use std::time::Duration;

/// A client with one request under way at a time, so that the server's script is followed step by step.
fn one_by_one(server: &Server) -> Client {
    client(server.url()).in_flight(1).build().unwrap()
}

fn numbers(count: usize) -> Vec<usize> {
    (0..count).collect()
}

#[test]
fn a_server_in_trouble_gets_everything_in_order_when_it_is_well_again() {
    for (status, in_doubt) in [(408, 0), (425, 0), (429, 0), (503, 0), (500, 3), (502, 3), (504, 3), (507, 3), (599, 3)]
    {
        let (server, mut oracle) = (Server::start(), Oracle::default());
        server.script([Reply::Status(status), Reply::Status(status), Reply::Status(202), Reply::Status(status)]);
        let client = one_by_one(&server);
        oracle.emit(&client, 5);
        arrive(&client);
        let found = oracle.check_all_taken(&client, &server);
        assert_eq!(found.taken, numbers(5), "{status}");
        assert_eq!((found.repeats, client.stats().maybe_duplicated()), (in_doubt, in_doubt), "{status}");
        assert_eq!((server.requests().len(), server.connections()), (8, 1), "{status}");
    }
}

#[test]
fn nothing_is_sent_before_the_time_that_the_server_asked_for() {
    let lines = "Retry-After: 1\r\n";
    let started = [429, 503].map(|status| {
        let (server, mut oracle) = (Server::start(), Oracle::default());
        server.script([Reply::Headers(status, lines.into())]);
        let client = one_by_one(&server);
        oracle.emit(&client, 3);
        let _report = client.flush(Duration::ZERO);
        (server, oracle, client)
    });
    for (server, oracle, client) in started {
        arrive(&client);
        assert_eq!(oracle.check_all_taken(&client, &server).taken, numbers(3));
        let at: Vec<_> = server.requests().iter().map(|request| request.at).collect();
        assert_eq!(at.len(), 4);
        assert!(at[1].duration_since(at[0]) >= Duration::from_secs(1), "{:?}", at[1].duration_since(at[0]));
        assert_eq!(client.stats().maybe_duplicated(), 0);
    }
}

fn sorted(mut numbers: Vec<usize>) -> Vec<usize> {
    numbers.sort_unstable();
    numbers
}

#[test]
fn what_a_person_must_mend_keeps_everything_and_is_probed_with_one_event_at_a_time() {
    let no = Reply::Body(200, b"<success>false</success>".into());
    let statuses = [401, 402, 403, 404, 405, 406, 407, 410, 415, 426, 501, 505].map(Reply::Status);
    for reply in statuses.into_iter().chain([no]) {
        let (server, mut oracle) = (Server::start(), Oracle::default());
        server.otherwise(reply.clone());
        let client = client(server.url()).http(|http| http.batches(16)).in_flight(1).build().unwrap();
        oracle.emit(&client, 10);
        until(&client, || {
            matches!(client.health().condition, Condition::Paused { .. }) && server.requests().len() >= 12
        });
        oracle.emit(&client, 10);
        oracle.check(&client, &server);
        let stats = client.stats();
        assert_eq!((stats.in_memory(), stats.dropped_total()), (20, 0), "{reply:?}");
        for request in server.requests().iter().skip(3) {
            let lines = request.text().lines().count();
            // It is not for the events that a proxy wants to know who asks.
            assert!(lines == 1 || matches!(reply, Reply::Status(407)), "{lines} events, {reply:?}");
        }
        server.otherwise(Reply::Status(202));
        arrive(&client);
        let found = oracle.check_all_taken(&client, &server);
        assert_eq!((sorted(found.taken), client.stats().maybe_duplicated()), (numbers(20), 0), "{reply:?}");
    }
}

#[test]
fn a_refused_token_loses_nothing_of_many_requests_at_once() {
    let (server, mut oracle) = (Server::start(), Oracle::default());
    server.otherwise(Reply::Status(401));
    let client = client(server.url()).in_flight(8).build().unwrap();
    oracle.emit(&client, 300);
    until(&client, || server.requests().len() >= 12);
    assert!(oracle.check(&client, &server).taken.is_empty());
    server.otherwise(Reply::Status(202));
    arrive(&client);
    assert_eq!(oracle.check_all_taken(&client, &server).repeats, 0);
}

#[test]
fn a_server_that_refuses_everything_loses_nothing_and_is_told_of() {
    for (status, batches) in [(400, 1), (400, 16), (413, 1), (413, 16), (422, 16)] {
        let (server, mut oracle) = (Server::start(), Oracle::default());
        let client = client(server.url()).http(move |http| http.batches(batches)).in_flight(4).build().unwrap();
        oracle.emit(&client, 10);
        arrive(&client);
        server.otherwise(Reply::Status(status));
        oracle.emit(&client, 200);
        until(&client, || matches!(client.health().condition, Condition::Refused { .. }));
        let stats = client.stats();
        assert_eq!((stats.in_memory(), stats.dropped_total()), (200, 0), "{status}");
        server.otherwise(Reply::Status(202));
        arrive(&client);
        oracle.check_all_taken(&client, &server);
        assert!(matches!(client.health().condition, Condition::Running));
    }
}

fn holds(request: &Request, word: &[u8]) -> bool {
    request.body.windows(word.len()).any(|window| window == word)
}

#[test]
fn an_event_that_is_refused_is_dropped_and_takes_no_other_along() {
    let scripts: [fn(&Request) -> Reply; 4] = [
        |request| Reply::Status(if holds(request, b"poison") { 400 } else { 202 }),
        |request| Reply::Status(if holds(request, b"poison") { 409 } else { 202 }),
        |request| Reply::Status(if holds(request, b"poison") { 418 } else { 202 }),
        |request| Reply::Status(if holds(request, b"poison") { 422 } else { 202 }),
    ];
    for (script, status) in scripts.into_iter().zip([400, 409, 418, 422]) {
        let (server, mut oracle) = (Server::start(), Oracle::default());
        server.otherwise(Reply::By(script));
        let client = client(server.url()).build().unwrap();
        oracle.emit(&client, 50);
        oracle.emit_text(&client, "poison");
        oracle.emit(&client, 49);
        oracle.emit_until(&client, |stats| stats.dropped_total() > 0);
        assert_eq!(client.flush(PATIENCE).pending(), 0);
        oracle.check(&client, &server);
        assert_eq!(oracle.refused(status, &server.requests()), [50]);
        assert_eq!(client.stats().dropped(LossReason::Rejected), 1);
        // Once, and again when something got through.
        let tries = server.requests().iter().filter(|request| holds(request, b"poison")).count();
        assert!((4..20).contains(&tries), "{tries} tries");
    }
}

/// What a server, or a firewall before it, does over one event, and whether that is a verdict in the end.
type OverPoison = (fn(&Request) -> Reply, bool);

const OVER_POISON: [OverPoison; 10] = [
    (|request| if holds(request, b"poison") { Reply::Status(302) } else { Reply::Status(202) }, false),
    (|request| if holds(request, b"poison") { Reply::Status(401) } else { Reply::Status(202) }, false),
    (|request| if holds(request, b"poison") { Reply::Status(403) } else { Reply::Status(202) }, false),
    (|request| if holds(request, b"poison") { Reply::Status(404) } else { Reply::Status(202) }, false),
    (|request| if holds(request, b"poison") { Reply::Status(406) } else { Reply::Status(202) }, false),
    (|request| if holds(request, b"poison") { Reply::Status(500) } else { Reply::Status(202) }, true),
    (|request| if holds(request, b"poison") { Reply::Status(502) } else { Reply::Status(202) }, true),
    (|request| if holds(request, b"poison") { Reply::Status(503) } else { Reply::Status(202) }, true),
    (|request| if holds(request, b"poison") { Reply::Reset } else { Reply::Status(202) }, true),
    (|request| if holds(request, b"poison") { Reply::Stall } else { Reply::Status(202) }, true),
];

#[test]
fn an_event_over_which_the_server_fails_in_any_way_holds_up_no_other() {
    for (place, (script, ends)) in OVER_POISON.into_iter().enumerate() {
        for (max_batch, in_flight) in [(1, 1), (16, 1), (16, 4)] {
            let (server, mut oracle) = (Server::start(), Oracle::default());
            server.otherwise(Reply::By(script));
            let timeout = Duration::from_millis(100);
            let client = client(server.url())
                .http(move |http| http.batches(max_batch).timeout(timeout))
                .in_flight(in_flight)
                .shutdown_timeout(Duration::ZERO)
                .build()
                .unwrap();
            oracle.emit(&client, 50);
            oracle.emit_text(&client, "poison");
            oracle.emit(&client, 49);
            oracle.emit_until(&client, |stats| stats.delivered() >= 99 && stats.dropped_total() >= u64::from(ends));
            until(&client, || client.stats().in_memory() <= u64::from(!ends));
            let found = oracle.check(&client, &server);
            assert!(!found.taken.contains(&50));
            let stats = client.stats();
            assert_eq!(
                (stats.dropped(LossReason::Rejected), stats.in_memory()),
                (u64::from(ends), u64::from(!ends)),
                "{place}"
            );
        }
    }
}

#[test]
fn one_bad_event_in_a_batch_is_found_by_halving() {
    let (server, mut oracle) = (Server::start(), Oracle::default());
    let fair = Reply::By(|request| Reply::Status(if holds(request, b"poison") { 400 } else { 202 }));
    // What a failure in between puts back must not be overtaken by the other halves.
    server.script([fair.clone(), Reply::Status(503), fair.clone(), Reply::Status(503)]);
    server.otherwise(fair);
    let client =
        client(server.url()).http(|http| http.batches(512)).flush_interval(PATIENCE).in_flight(1).build().unwrap();
    oracle.emit(&client, 300);
    oracle.emit_text(&client, "poison");
    oracle.emit(&client, 211);
    until(&client, || client.stats().delivered() == 511);
    let found = oracle.check(&client, &server);
    assert_eq!(found.taken, (0..512).filter(|number| *number != 300).collect::<Vec<_>>(), "in order");
    // The whole, two halves at each of nine steps, two failures, and the event once more for whatever got through.
    assert!(server.requests().len() <= 40, "{}", server.requests().len());
    oracle.emit_until(&client, |stats| stats.dropped_total() > 0);
    assert_eq!(client.flush(PATIENCE).pending(), 0);
    assert_eq!(oracle.refused(400, &server.requests()), [300]);
}

/// The service fails over it in a way that looks like trouble of its own.
fn fails_over_poison(request: &Request) -> Reply {
    Reply::Status(if holds(request, b"poison") { 500 } else { 202 })
}

#[test]
fn an_event_over_which_the_server_fails_every_time_holds_up_no_other_for_ever() {
    for (max_batch, in_flight) in [(1, Some(1)), (1, None), (16, Some(1)), (16, None)] {
        let (server, mut oracle) = (Server::start(), Oracle::default());
        server.otherwise(Reply::By(fails_over_poison));
        let (letters, refused) = mpsc::channel();
        let mut builder = client(server.url())
            .http(move |http| http.batches(max_batch))
            .on_dead_letter(move |letter| drop(letters.send(letter)));
        if let Some(in_flight) = in_flight {
            builder = builder.in_flight(in_flight);
        }
        let client = builder.build().unwrap();
        oracle.emit(&client, 50);
        oracle.emit_text(&client, "poison");
        oracle.emit(&client, 49);
        oracle.emit_until(&client, |stats| stats.dropped_total() > 0);
        assert_eq!(client.flush(PATIENCE).pending(), 0, "{max_batch} {in_flight:?}");
        let found = oracle.check(&client, &server);
        assert!(!found.taken.contains(&50));
        assert_eq!(client.stats().dropped(LossReason::Rejected), 1);
        // In the batch until it is suspected, at each halving, and then alone until there is proof.
        let tries = server.requests().iter().filter(|request| holds(request, b"poison")).count();
        let halvings = max_batch.ilog2() as usize;
        // What others that are under way show may come too late to count.
        let most = 20 + halvings + if in_flight.is_none() { 20 } else { 0 };
        assert!((6..=most).contains(&tries), "{tries} tries: {max_batch} {in_flight:?}");
        let letters: Vec<_> = refused.try_iter().collect();
        let [letter] = letters.as_slice() else { panic!("{} dead letters", letters.len()) };
        assert_eq!(letter.reason, LossReason::Rejected);
        assert!(std::str::from_utf8(letter.payload.body()).unwrap().contains("poison"));
        assert_eq!(letter.error.to_string(), "the server answered 500 Internal Server Error");
    }
}

#[test]
fn a_server_that_fails_over_everything_for_long_loses_nothing() {
    for (max_batch, in_flight) in [(1, 1), (1, 32), (16, 1), (16, 32)] {
        let (server, mut oracle) = (Server::start(), Oracle::default());
        server.otherwise(Reply::Status(500));
        let client =
            client(server.url()).http(move |http| http.batches(max_batch)).in_flight(in_flight).build().unwrap();
        oracle.emit(&client, 100);
        until(&client, || server.requests().len() >= 60);
        oracle.emit(&client, 100);
        let tries = server.requests().len();
        server.otherwise(Reply::Status(202));
        arrive(&client);
        oracle.check_all_taken(&client, &server);
        let made_up = server.requests().len() - tries;
        assert!(made_up <= 200_usize.div_ceil(max_batch) + tries, "{made_up} requests after {tries} tries");
    }
}

#[test]
fn an_event_that_is_too_large_is_cut_between_two_characters_and_marked() {
    let (server, mut oracle) = (Server::start(), Oracle::default());
    server.otherwise(Reply::By(|request| Reply::Status(if request.body.len() > 4000 { 413 } else { 202 })));
    let client = one_by_one(&server);
    // No half of it begins at a character.
    let text = format!("x{}", "\u{20ac}".repeat(4001));
    oracle.emit(&client, 3);
    oracle.emit_text(&client, text.clone());
    // They show that it is for its size.
    oracle.emit(&client, 40);
    arrive(&client);
    assert_eq!(sorted(oracle.check_all_taken(&client, &server).taken), numbers(44));
    let message = oracle.message(3, &server.requests());
    let (kept, cut) = message.strip_suffix(" bytes]").unwrap().rsplit_once("...[truncated ").unwrap();
    assert!(text.starts_with(kept) && kept.len() > 1000);
    assert_eq!(kept.len() + cut.parse::<usize>().unwrap(), text.len());
    for number in (0..44).filter(|number| *number != 3) {
        assert_eq!(oracle.message(number, &server.requests()), format!("message {number}"));
    }
}

#[test]
fn an_event_that_stays_too_large_is_dropped_and_takes_no_other_along() {
    for batch in [1, 16] {
        let (server, mut oracle) = (Server::start(), Oracle::default());
        server.otherwise(Reply::By(|request| Reply::Status(if holds(request, b"large") { 413 } else { 202 })));
        let client = client(server.url()).http(move |http| http.batches(batch)).in_flight(1).build().unwrap();
        oracle.emit(&client, 5);
        oracle.emit_text(&client, "large ".repeat(1000));
        oracle.emit(&client, 5);
        oracle.emit_until(&client, |stats| stats.dropped_total() > 0);
        assert_eq!(client.flush(PATIENCE).pending(), 0);
        assert!(!oracle.check(&client, &server).taken.contains(&5));
        assert_eq!(oracle.refused(413, &server.requests()), [5]);
        assert_eq!(client.stats().dropped(LossReason::TooLarge), 1);
    }
}

#[test]
fn no_redirect_is_followed_and_nothing_is_lost_by_one() {
    let other = Server::start();
    for status in [301, 302, 303, 307, 308] {
        for to in [other.url() + "/event", "/elsewhere".to_owned()] {
            let (server, mut oracle) = (Server::start(), Oracle::default());
            server.otherwise(Reply::Headers(status, format!("Location: {to}\r\n")));
            let client = one_by_one(&server);
            oracle.emit(&client, 5);
            until(&client, || server.requests().len() >= 3);
            assert!(oracle.check(&client, &server).taken.is_empty());
            assert_eq!((client.stats().in_memory(), client.stats().dropped_total()), (5, 0));
            server.otherwise(Reply::Status(202));
            arrive(&client);
            // Every request was for `/event` of this server: the oracle looks at that.
            assert_eq!(sorted(oracle.check_all_taken(&client, &server).taken), numbers(5), "{status} {to}");
            assert_eq!(client.stats().maybe_duplicated(), 0);
        }
    }
    assert_eq!(other.connections(), 0);
}

/// An answer that leaves the delivery in doubt: the event comes again, the same bytes, and all arrive in order.
fn comes_again(reply: Reply) {
    let (server, mut oracle) = (Server::start(), Oracle::default());
    server.script([Reply::Status(202), reply.clone(), reply.clone()]);
    let client = one_by_one(&server);
    oracle.emit(&client, 4);
    arrive(&client);
    let found = oracle.check_all_taken(&client, &server);
    assert_eq!(found.taken, numbers(4), "{reply:?}");
    assert_eq!((found.repeats, client.stats().maybe_duplicated()), (2, 2), "{reply:?}");
    assert_eq!(server.requests().len(), 6, "{reply:?}");
}

#[test]
fn a_head_without_an_end_is_given_up_and_the_event_comes_again() {
    comes_again(Reply::RawThenClose(format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(1 << 20)).into()));
}

#[test]
fn an_answer_that_breaks_off_in_its_head_is_no_success_and_the_event_comes_again() {
    for bytes in [
        &b"H"[..],
        b"HTTP/1.1 2",
        b"HTTP/1.1 202 Accepted\r\nContent-Le",
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 6\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nContent-Length: six\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n",
    ] {
        comes_again(Reply::RawThenClose(bytes.into()));
    }
}

#[test]
fn a_compressed_answer_is_not_unpacked() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    // Unpacked it would be longer than an answer can be, and say no.
    packer.write_all(b"<success>false</success>").unwrap();
    packer.write_all(&vec![b' '; 1 << 20]).unwrap();
    let bomb = packer.finish().unwrap();
    assert!(bomb.len() < 64 * 1024);
    let (server, mut oracle) = (Server::start(), Oracle::default());
    server.script(vec![Reply::Raw(answer(200, "Content-Encoding: gzip\r\n", &bomb)); 5]);
    let client = one_by_one(&server);
    oracle.emit(&client, 5);
    arrive(&client);
    let found = oracle.check_all_taken(&client, &server);
    assert_eq!((found.taken, found.repeats, client.stats().maybe_duplicated()), (numbers(5), 0, 0));
    assert!(server.requests().iter().all(|request| request.header("accept-encoding").is_none()));
}

#[test]
fn an_unusual_success_is_one_and_each_event_goes_exactly_once() {
    let raw = |bytes: &[u8]| Reply::Raw(bytes.into());
    let close = |bytes: &[u8]| Reply::RawThenClose(bytes.into());
    for reply in [
        Reply::Status(200),
        Reply::Status(204),
        Reply::Status(205),
        Reply::Body(200, b"<success>true</success>".into()),
        raw(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"),
        raw(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 None\r\n\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nstored\r\n0\r\n\r\n"),
        raw(b"HTTP/1.1 202\r\nContent-Length: 0\r\n\r\n"),
        raw(b"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nstored"),
        raw(b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 6\r\n\r\nstored"),
        close(b"HTTP/1.0 200 OK\r\n\r\nstored"),
        close(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nstored"),
        // The server has done what the head says, however the answer goes on.
        close(b"HTTP/1.1 202 Accepted\r\nContent-Length: 6\r\n\r\n"),
        close(b"HTTP/1.1 202 Accepted\r\nContent-Length: 6\r\n\r\nstore"),
        close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nstored\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nX-Folded: one\r\n two\r\nContent-Length: 0\r\n\r\n"),
        Reply::Headers(200, (0..150).map(|number| format!("X-{number}: x\r\n")).collect()),
        Reply::Body(200, vec![b' '; 100_000]),
        Reply::Endless,
    ] {
        let (server, mut oracle) = (Server::start(), Oracle::default());
        server.otherwise(reply.clone());
        let client = one_by_one(&server);
        oracle.emit(&client, 6);
        arrive(&client);
        let found = oracle.check_all_taken(&client, &server);
        assert_eq!(found.taken, numbers(6), "{reply:?}");
        assert_eq!((server.requests().len(), client.stats().maybe_duplicated()), (6, 0), "{reply:?}");
    }
}

/// Were the second answer taken for that to the next request, an event that was refused would count as delivered.
#[test]
fn an_answer_that_nobody_asked_for_is_not_taken_for_the_next_one() {
    let (server, mut oracle) = (Server::start(), Oracle::default());
    let two = [answer(202, "", b""), answer(202, "", b"")].concat();
    server.script((0..10).flat_map(|_| [Reply::Raw(two.clone()), Reply::Status(503)]));
    let client = one_by_one(&server);
    oracle.emit(&client, 12);
    arrive(&client);
    assert_eq!(oracle.check_all_taken(&client, &server).taken, numbers(12));
}

#[test]
fn an_answer_before_the_body_is_read_counts_and_nothing_is_lost() {
    let (server, mut oracle) = (Server::start(), Oracle::default());
    let early = |status| Reply::Early(answer(status, "Connection: close\r\n", b""));
    server.script([early(503), early(401), early(413), early(503)]);
    let client = one_by_one(&server);
    oracle.emit_text(&client, "x".repeat(8 << 20));
    oracle.emit(&client, 5);
    arrive(&client);
    assert_eq!(sorted(oracle.check_all_taken(&client, &server).taken), numbers(6));
    assert_eq!(oracle.message(0, &server.requests()).len(), 8 << 20, "one answer is no proof that it is too large");
    assert_eq!((server.requests().len(), client.stats().maybe_duplicated()), (10, 0));
}

#[test]
fn one_answer_in_ten_is_a_503_and_everything_arrives_once() {
    let (server, mut oracle) = (Server::start(), Oracle::default());
    server.script((1..=2000).map(|number| Reply::Status(if number % 10 == 0 { 503 } else { 202 })));
    let client = client(server.url()).in_flight(32).build().unwrap();
    oracle.emit(&client, 1000);
    arrive(&client);
    let found = oracle.check_all_taken(&client, &server);
    assert_eq!((found.repeats, client.stats().maybe_duplicated()), (0, 0));
    assert_eq!(server.requests().len(), 1111);
}

/// What the client prints by itself and by `Debug`, through every kind of trouble.
#[test]
fn the_token_is_never_printed() {
    if let Some(printed) = printed_by_child("http::the_token_is_never_printed") {
        assert!(!printed.contains(TOKEN) && !printed.contains("canary"), "{printed}");
        for word in ["jkool: ", "401", "400", "works again", "events were lost", "ClientBuilder {", "Client {"] {
            assert!(printed.contains(word), "nothing of {word}: {printed}");
        }
        return;
    }
    let (server, mut oracle) = (Server::start(), Oracle::default());
    let echoes = [400, 401, 401, 401, 401, 401, 503, 302, 500, 413].map(Reply::Echo);
    server.script(echoes.into_iter().chain([Reply::Echo(200), Reply::Reset, Reply::RawThenClose(TOKEN.into())]));
    server.otherwise(Reply::By(|request| if holds(request, b"poison") { Reply::Echo(400) } else { Reply::Echo(200) }));
    let builder = client(server.url()).notices(true).in_flight(1).shutdown_timeout(Duration::ZERO);
    println!("{builder:?} {builder:#?}");
    let client = builder.build().unwrap();
    oracle.emit(&client, 6);
    let report = client.flush(PATIENCE);
    oracle.emit_text(&client, "poison");
    oracle.emit_until(&client, |stats| stats.dropped_total() > 0);
    println!("{client:?} {client:#?} {report:?} {report} {:?}", client.stats());
    assert_eq!(report.pending(), 0);
    assert!(server.requests().iter().all(|request| request.header("token") == Some(TOKEN)));
    server.otherwise(Reply::Stall);
    oracle.emit(&client, 1);
    println!("{:?} {:?}", client.shutdown(Duration::from_millis(20)), client);
}
