//! Direct to the host or by reqwest: what is sent is the same, and so is what an answer or a fault is taken for.
#![cfg(feature = "http")]

use crate::common::server::{Reply, Server, answer};
use crate::common::{LONG, event, events, marks};
use jkool_transport::{HttpTransport, HttpTransportBuilder, Outcome, Token, Transport};
use std::time::Duration;

/// A server, and a transport of each kind to it. Reqwest takes the server for a proxy that stands before it.
fn lines(configure: impl Fn(HttpTransportBuilder) -> HttpTransportBuilder) -> [(Server, HttpTransport); 2] {
    [false, true].map(|by_reqwest| {
        let server = Server::start();
        let builder = configure(HttpTransport::builder(server.url()));
        let builder = if by_reqwest { builder.proxy(server.url()) } else { builder };
        (server, builder.build().expect("a transport"))
    })
}

#[tokio::test]
async fn requests_are_the_same() {
    let token = Token::new("canary-5ec7e7").expect("a token");
    let mut seen = Vec::new();
    for (server, transport) in lines(|builder| builder.token(token.clone()).batches(2)) {
        assert!(transport.send(&events(3)).await.is_delivered());
        transport.set_token(&Token::new("canary-0a1b2c").expect("a token")).expect("this machine");
        assert!(transport.send(&[event(4)]).await.is_delivered());
        let requests = server.requests().into_iter().map(|request| {
            let host = server.addr().to_string();
            let mut headers = request.headers.clone();
            headers.retain(|(_, value)| *value != host);
            assert_eq!(headers.len() + 1, request.headers.len(), "the host is a header");
            headers.sort();
            (request.method.clone(), headers, request.text())
        });
        seen.push(requests.collect::<Vec<_>>());
    }
    assert_eq!(seen[0].len(), 3);
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn answers_and_faults_are_the_same() {
    let raw = |text: &str| Reply::RawThenClose(text.into());
    for reply in [
        Reply::Status(202),
        Reply::Status(205),
        Reply::Status(308),
        Reply::Status(401),
        Reply::Status(413),
        Reply::Status(422),
        Reply::Headers(503, "Retry-After: 7\r\n".into()),
        Reply::Body(200, b"<success>false</success>".into()),
        Reply::Body(200, vec![b' '; 64 * 1024 + 1]),
        Reply::Endless,
        Reply::Close,
        Reply::Reset,
        Reply::Stall,
        Reply::Half { reset: false },
        Reply::Half { reset: true },
        Reply::Early(answer(401, "Connection: close\r\n", b"")),
        raw("HTTP/1.1 2"),
        raw("HTTP/1.1 202 Accepted\r\nContent-Length: 6\r\n\r\nst"),
        raw("HTTP/1.1 400 Bad\r\nContent-Length: 6\r\n\r\nst"),
        raw("HTTP/1.1 202 Accepted\r\nContent-Length: six\r\n\r\n"),
        raw("HTTP/1.0 200 OK\r\n\r\nstored"),
        raw("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"),
        raw("SSH-2.0-OpenSSH\r\n"),
    ] {
        let mut seen = Vec::new();
        for (server, transport) in lines(|builder| builder.timeout(Duration::from_millis(500))) {
            server.script([reply.clone()]);
            let receipt = tokio::time::timeout(LONG, transport.send(&[event(1)])).await.expect("an end");
            let text = match receipt.outcomes() {
                [Outcome::Failed(failure)] => format!("{:?} {}", failure.error.kind(), failure.error),
                _ => String::new(),
            };
            assert!(transport.send(&[event(2)]).await.is_delivered(), "after {reply:?}");
            seen.push((marks(&receipt), text, server.requests().len(), server.connections()));
        }
        assert_eq!(seen[0], seen[1], "{reply:?}");
    }
}
