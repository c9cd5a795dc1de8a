//! Connections: kept, cut, refused, redirected, silent and endless.
#![cfg(feature = "http")]

use crate::common::server::{Reply, Server, answer};
use crate::common::{LONG, event, events, failure, marks};
use jkool_transport::{ErrorKind, HttpTransport, HttpTransportBuilder, Kind, Payload, Token, Transport};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

fn builder(url: impl Into<String>) -> HttpTransportBuilder {
    HttpTransport::builder(url).token(Token::new("canary-5ec7e7").expect("a token"))
}

fn start() -> (Server, HttpTransport) {
    let server = Server::start();
    let transport = builder(server.url()).build().expect("a transport");
    (server, transport)
}

#[tokio::test]
async fn one_connection_serves_one_send_after_the_other() {
    for reply in
        [Reply::Status(202), Reply::Status(204), Reply::Body(200, b"stored".into()), Reply::Body(503, vec![b'x'; 9000])]
    {
        let (server, transport) = start();
        server.script(vec![reply.clone(); 50]);
        for number in 0..50 {
            transport.send(&[event(number)]).await;
        }
        assert_eq!((server.requests().len(), server.connections()), (50, 1), "{reply:?}");
    }
}

#[tokio::test]
async fn as_many_connections_as_sends_at_once_and_all_are_used_again() {
    const AT_ONCE: usize = 128;
    let (server, transport) = start();
    let transport = Arc::new(transport);
    for _ in 0..2 {
        // No request is answered before all are there: each needs a connection of its own.
        let all = Arc::new(Barrier::new(AT_ONCE));
        server.script((0..AT_ONCE).map(|_| Reply::Together(Arc::clone(&all))));
        let mut sends = JoinSet::new();
        for number in 0..AT_ONCE {
            let transport = Arc::clone(&transport);
            sends.spawn(async move { transport.send(&[event(number)]).await });
        }
        let receipts = tokio::time::timeout(LONG, sends.join_all()).await.expect("all at once");
        assert!(receipts.iter().all(|receipt| receipt.is_delivered()));
    }
    assert_eq!((server.requests().len(), server.connections()), (2 * AT_ONCE, AT_ONCE));
}

#[tokio::test]
async fn a_server_that_closes_after_each_answer_gets_everything_once() {
    let (server, transport) = start();
    server.script(vec![Reply::RawThenClose(answer(202, "Connection: close\r\n", b"")); 20]);
    for number in 0..20 {
        assert!(transport.send(&[event(number)]).await.is_delivered());
    }
    let texts: Vec<_> = server.requests().iter().map(|request| request.text()).collect();
    assert_eq!(texts, crate::common::bodies(&events(20)));
}

/// The server closes without a word about it, while the connection waits for the next request. To write into it is no
/// delivery; each payload is delivered or known to be in doubt.
#[tokio::test]
async fn a_kept_connection_that_is_gone_loses_nothing() {
    let (server, transport) = start();
    server.script(vec![Reply::RawThenClose(answer(202, "", b"")); 20]);
    for number in 0..20 {
        let marks = marks(&transport.send(&[event(number)]).await);
        let arrived =
            server.requests().iter().filter(|request| request.text().contains(&format!("op-{number}\""))).count();
        assert!(arrived == 1 && marks == "." || arrived <= 1 && marks == "r?", "{arrived} {marks}");
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let (server, transport) = start();
    let other = Server::start();
    for status in [301, 302, 303, 307, 308] {
        for to in [other.url() + "/event", server.url() + "/elsewhere", "/elsewhere".into()] {
            let before = server.requests().len();
            server.script([Reply::Headers(status, format!("Location: {to}\r\n"))]);
            let receipt = transport.send(&[event(1)]).await;
            assert_eq!(marks(&receipt), "m", "{status} {to}");
            assert!(failure(&receipt).error.to_string().contains("redirects are not followed"));
            assert_eq!(server.requests().len(), before + 1, "{status} {to}");
        }
    }
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn a_refused_connection_surely_delivers_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let receipt = builder(url).build().expect("a transport").send(&events(2)).await;
    assert_eq!(marks(&receipt), "rr");
    let failure = failure(&jkool_transport::Receipt::new(receipt.outcomes()[..1].to_vec()));
    assert_eq!(failure.error.kind(), ErrorKind::Connect);
    assert_eq!(failure.error.to_string(), "the connection was refused");
}

/// RFC 6761: no name under `.invalid` ever resolves.
#[tokio::test]
async fn a_name_that_does_not_resolve_surely_delivers_nothing() {
    let transport = builder("https://collector.invalid").no_proxy().build().expect("a transport");
    let receipt = tokio::time::timeout(LONG, transport.send(&[event(1)])).await.expect("an answer");
    assert_eq!(marks(&receipt), "r");
    let error = failure(&receipt).error;
    assert!(matches!(error.kind(), ErrorKind::Connect | ErrorKind::Timeout), "{error:?}");
}

/// A listener that nobody accepts from: the handshake of TLS, which belongs to connecting, never comes.
#[tokio::test]
async fn a_connection_that_takes_too_long_surely_delivers_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("https://{}", listener.local_addr().expect("an address"));
    let transport = builder(url).connect_timeout(Duration::from_millis(50)).build().expect("a transport");
    let receipt = tokio::time::timeout(LONG, transport.send(&[event(1)])).await.expect("an answer");
    assert_eq!(marks(&receipt), "r");
    let error = failure(&receipt).error;
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Timeout, "no connection within the timeout"));
}

#[tokio::test]
async fn no_answer_in_time_is_doubt() {
    let server = Server::start();
    let transport = builder(server.url()).timeout(Duration::from_millis(50)).build().expect("a transport");
    for reply in [Reply::Stall, Reply::Raw(b"HTTP/1.1 2".into()), Reply::Raw(b"HTTP/1.1 202 Accepted\r\n".into())] {
        server.script([reply.clone()]);
        let receipt = tokio::time::timeout(LONG, transport.send(&[event(1)])).await.expect("an answer");
        assert_eq!(marks(&receipt), "r?", "{reply:?}");
        let error = failure(&receipt).error;
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Timeout, "no response within the timeout"));
    }
    assert_eq!(server.connections(), 3, "a connection in an unknown state is not used again");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_doubt() {
    for reply in [
        Reply::Close,
        Reply::Reset,
        Reply::RawThenClose(b"HTTP/1.1 2".into()),
        Reply::RawThenClose(b"HTTP/1.1 202 Accepted\r\nContent-Le".into()),
        Reply::RawThenClose(b"SSH-2.0-OpenSSH\r\n".into()),
        Reply::RawThenClose(b"HTTP/1.1 202 Accepted\r\nContent-Length: six\r\n\r\n".into()),
    ] {
        let (server, transport) = start();
        server.script([reply.clone()]);
        let receipt = transport.send(&[event(1)]).await;
        assert_eq!(marks(&receipt), "r?", "{reply:?}");
        assert_eq!(failure(&receipt).error.kind(), ErrorKind::Interrupted, "{reply:?}");
        assert!(transport.send(&[event(1)]).await.is_delivered(), "after {reply:?}");
        let [first, second] = &server.requests()[..] else { panic!("two requests: nothing is repeated by itself") };
        assert_eq!(first.body, second.body, "a retry sends the same bytes");
        assert_ne!(first.connection, second.connection);
    }
}

/// The server has done what its head says: to send the event again, however the answer goes on, would have it stored twice.
#[tokio::test]
async fn a_success_counts_from_its_head_on() {
    let head = |headers: &str| format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{headers}\r\n");
    let many = (0..150).map(|number| format!("X-{number}: x\r\n")).collect::<String>();
    for answer in [
        head("Content-Length: 6\r\n") + "st",
        head("Transfer-Encoding: chunked\r\n") + "6\r\nsto",
        head("Transfer-Encoding: chunked\r\n") + "6\r\nstored\r\n",
        head("Transfer-Encoding: chunked\r\n") + "no size\r\n",
        head("Content-Length: 100000\r\n") + &"x".repeat(100_000),
        head("X-Folded: one\r\n  two\r\nContent-Length: 0\r\n"),
        head("X-Spaced : x\r\nContent-Length: 0\r\n"),
        head("not a header\r\nContent-Length: 0\r\n"),
        head(&many) + "more",
    ] {
        let (server, transport) = start();
        server.script([Reply::RawThenClose(answer.clone().into())]);
        assert_eq!(marks(&transport.send(&[event(1)]).await), ".", "{answer:.100}");
        assert_eq!(marks(&transport.send(&[event(2)]).await), ".", "after {answer:.100}");
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn a_success_that_never_ends_counts_when_time_is_up() {
    let (server, transport) = (Server::start(), Duration::from_millis(50));
    let transport = builder(server.url()).timeout(transport).build().expect("a transport");
    server.script([Reply::Raw(b"HTTP/1.1 202 Accepted\r\nContent-Length: 6\r\n\r\nst".into())]);
    assert_eq!(marks(&transport.send(&[event(1)]).await), ".");
    assert_eq!(marks(&transport.send(&[event(2)]).await), ".");
    assert_eq!(server.connections(), 2, "a connection in an unknown state is not used again");
}

/// What is cut off may still say no.
#[tokio::test]
async fn a_success_that_says_no_and_breaks_off_is_none() {
    let (server, transport) = start();
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n<success>false</success><reason>".to_vec();
    server.script([Reply::RawThenClose(answer)]);
    assert_eq!(marks(&transport.send(&[event(1)]).await), "m");
}

/// What else a status says is said without its body.
#[tokio::test]
async fn a_status_that_is_no_success_needs_no_body() {
    for (status, expected) in
        [("400 Bad", "x"), ("401 No", "m"), ("413 Large", "l"), ("503 Busy", "r"), ("500 Oh", "r?")]
    {
        let (server, transport) = start();
        server.script([Reply::RawThenClose(format!("HTTP/1.1 {status}\r\nContent-Length: 6\r\n\r\nst").into())]);
        assert_eq!(marks(&transport.send(&[event(1)]).await), expected, "{status}");
        assert!(transport.send(&[event(1)]).await.is_delivered());
    }
}

#[tokio::test]
async fn of_an_answer_64_kib_are_read_and_no_more() {
    let (server, transport) = start();
    let success = "<success>true</success>";
    server.script([Reply::Body(200, [success.repeat(2849).as_bytes(), &[b' '; 9]].concat())]);
    assert!(transport.send(&[event(1)]).await.is_delivered());
    assert_eq!(server.connections(), 1);
    for reply in [Reply::Body(200, vec![b' '; 64 * 1024 + 1]), Reply::Endless, Reply::Endless] {
        server.script([reply.clone()]);
        let receipt = tokio::time::timeout(LONG, transport.send(&[event(1)])).await.expect("an answer");
        assert_eq!(marks(&receipt), ".", "{reply:?}");
    }
    assert!(transport.send(&[event(1)]).await.is_delivered());
    let connections: Vec<_> = server.requests().iter().map(|request| request.connection).collect();
    let [.., first, second, last] = connections[..] else { panic!("a connection each") };
    assert!(first < second && second < last, "what was not read to its end is not used again");
}

#[tokio::test]
async fn an_endless_head_is_doubt() {
    let (server, transport) = start();
    for head in [
        format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(1 << 20)),
        format!("HTTP/1.1 200 OK\r\n{}", "X: x\r\n".repeat(100_000)),
    ] {
        server.script([Reply::RawThenClose(head.into())]);
        let receipt = tokio::time::timeout(LONG, transport.send(&[event(1)])).await.expect("an answer");
        assert_eq!(marks(&receipt), "r?");
    }
    assert!(transport.send(&[event(1)]).await.is_delivered());
}

/// A server that has seen enough answers before the whole body is there.
#[tokio::test]
async fn an_early_answer_counts() {
    let (server, transport) = start();
    let large = Payload::new(Kind::Event, vec![b'x'; 16 << 20]);
    for (status, expected) in [(413, "l"), (401, "m"), (503, "r")] {
        server.script([Reply::Early(answer(status, "Connection: close\r\n", b""))]);
        let receipt =
            tokio::time::timeout(LONG, transport.send(std::slice::from_ref(&large))).await.expect("an answer");
        assert_eq!(marks(&receipt), expected, "{status}");
        assert!(transport.send(&[event(1)]).await.is_delivered(), "after {status}");
    }
}

#[tokio::test]
async fn what_is_under_way_at_the_close_is_finished() {
    let (server, transport) = start();
    let transport = Arc::new(transport);
    let both = Arc::new(Barrier::new(2));
    server.script([Reply::Together(Arc::clone(&both))]);
    let mut sends = JoinSet::new();
    let sender = Arc::clone(&transport);
    sends.spawn(async move { sender.send(&[event(1)]).await });
    let arrived = async {
        while server.requests().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, arrived).await.expect("a request");
    transport.close().await.expect("an orderly end");
    both.wait().await;
    assert!(sends.join_all().await.iter().all(|receipt| receipt.is_delivered()));
    assert_eq!(failure(&transport.send(&[event(2)]).await).error.kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn idle_connections_end_with_the_transport() {
    let ended = Arc::new(tokio::sync::Notify::new());
    let notify = Arc::clone(&ended);
    // The wrapper is handed each connection before it is read from, and here it is the whole server.
    let server = Server::with(move |mut stream| {
        let notify = Arc::clone(&notify);
        async move {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let mut read = Vec::new();
            while !read.ends_with(b"}") {
                stream.read_buf(&mut read).await?;
            }
            stream.write_all(&answer(202, "", b"")).await?;
            assert_eq!(stream.read(&mut [0; 16]).await?, 0);
            notify.notify_one();
            Ok(stream)
        }
    });
    let transport = builder(server.url()).build().expect("a transport");
    assert!(transport.send(&[event(1)]).await.is_delivered());
    transport.close().await.expect("an orderly end");
    tokio::time::timeout(LONG, ended.notified()).await.expect("the connection ends");
}
