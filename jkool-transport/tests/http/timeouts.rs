//! Every phase of a request has its limit in time, and what passes it is told from what may have arrived.
#![cfg(feature = "http")]

use crate::common::server::{Reply, Server};
use crate::common::{LONG, event, events, failure, marks};
use jkool_transport::{ErrorKind, HttpTransport, HttpTransportBuilder, Kind, Payload, Transport};
use std::net::TcpListener;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const SHORT: Duration = Duration::from_millis(50);

/// Says in time that the time-out has passed, and in which words.
async fn is_late(builder: HttpTransportBuilder, payload: Payload, expected: &str, words: &str) {
    let transport = builder.build().expect("a transport");
    let receipt = tokio::time::timeout(LONG, transport.send(&[payload])).await.expect("an end");
    assert_eq!(marks(&receipt), expected);
    let error = failure(&receipt).error;
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Timeout, words));
}

/// A listener that nobody accepts from: the system makes connections, and takes what fits into its buffers.
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("an address").to_string();
    (listener, addr)
}

/// When its queue is full, the system does not answer who wants to connect.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn until_there_is_a_connection() {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let listener = socket.listen(1).expect("a listener");
    let addr = listener.local_addr().expect("an address");
    let mut connections = Vec::new();
    while let Ok(connection) = tokio::time::timeout(SHORT, TcpStream::connect(addr)).await {
        connections.push(connection);
    }
    let builder = || HttpTransport::builder(format!("http://{addr}"));
    is_late(builder().connect_timeout(SHORT), event(1), "r", "no connection within the timeout").await;
    is_late(builder().timeout(SHORT), event(1), "r", "no connection within the timeout").await;
}

#[tokio::test]
async fn until_the_connection_is_secure() {
    let (_listener, addr) = silent();
    let builder = || HttpTransport::builder(format!("https://{addr}"));
    is_late(builder().connect_timeout(SHORT), event(1), "r", "no connection within the timeout").await;
    is_late(builder().timeout(SHORT), event(1), "r", "no connection within the timeout").await;
}

/// The proxy says nothing, and so nothing of the request was sent to it.
#[tokio::test]
async fn until_there_is_a_tunnel() {
    let (_listener, addr) = silent();
    let builder = || HttpTransport::builder("https://collector.invalid").proxy(format!("http://{addr}"));
    is_late(builder().connect_timeout(SHORT), event(1), "r", "no connection within the timeout").await;
    is_late(builder().timeout(SHORT), event(1), "r", "no connection within the timeout").await;
}

/// The proxy takes the request, or some of it, and does not answer.
#[tokio::test]
async fn until_the_proxy_answers() {
    let (_listener, addr) = silent();
    let url = format!("http://{addr}");
    for size in [16, 64 << 20] {
        // So long that there is a connection by then on any machine.
        let builder = HttpTransport::builder(&url).proxy(&url).timeout(10 * SHORT);
        let payload = Payload::new(Kind::Event, vec![b'x'; size]);
        is_late(builder, payload, "r?", "no response within the timeout").await;
    }
}

#[tokio::test]
async fn while_the_request_is_written() {
    let (_listener, addr) = silent();
    let large = Payload::new(Kind::Event, vec![b'x'; 64 << 20]);
    let builder = HttpTransport::builder(format!("http://{addr}")).timeout(SHORT);
    is_late(builder, large, "r?", "no response within the timeout").await;
}

#[tokio::test]
async fn until_the_head_of_the_answer_is_complete() {
    for reply in [Reply::Stall, Reply::Drip] {
        let server = Server::start();
        server.script([reply]);
        let builder = HttpTransport::builder(server.url()).timeout(SHORT);
        is_late(builder, event(1), "r?", "no response within the timeout").await;
        server.ended(1).await;
    }
}

#[tokio::test]
async fn while_the_answer_is_a_flood_of_hints() {
    let server = Server::with(|mut stream: TcpStream| async move {
        stream.read_exact(&mut [0; 64]).await?;
        let hint = format!("HTTP/1.1 103 Early Hints\r\nLink: {}\r\n\r\n", "x".repeat(8000));
        while stream.write_all(hint.as_bytes()).await.is_ok() {}
        Ok(stream)
    });
    let builder = HttpTransport::builder(server.url()).timeout(SHORT);
    is_late(builder, event(1), "r?", "no response within the timeout").await;
}

/// An answer that is there ends the wait, even if the server takes its time with the request.
#[tokio::test]
async fn a_success_counts_although_the_request_is_never_read() {
    let server = Server::with(|mut stream: TcpStream| async move {
        stream.read_exact(&mut [0; 64]).await?;
        stream.write_all(&crate::common::server::answer(202, "", b"")).await?;
        std::future::pending::<()>().await;
        Ok(stream)
    });
    let large = Payload::new(Kind::Event, vec![b'x'; 64 << 20]);
    let transport = HttpTransport::builder(server.url()).timeout(SHORT).build().expect("a transport");
    let receipt = tokio::time::timeout(LONG, transport.send(std::slice::from_ref(&large))).await.expect("an end");
    assert_eq!(marks(&receipt), ".", "{receipt:?}");
}

/// Each request has all of the time.
#[tokio::test]
async fn a_connection_that_is_kept_brings_no_deadline_along() {
    let server = Server::start();
    let transport = HttpTransport::builder(server.url()).timeout(Duration::from_secs(60)).build().expect("a transport");
    for number in 0..4 {
        assert!(transport.send(&events(2)).await.is_delivered(), "{number}");
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(50)).await;
        tokio::time::resume();
    }
    assert_eq!(server.connections(), 1);
}

/// Sends so many megabytes to a server that takes 16 of them, more than any buffer on the way holds, in nearly the time-out.
/// By reqwest it is taken for a proxy.
async fn over_a_slow_line(megabytes: usize, by_reqwest: bool) -> jkool_transport::Receipt {
    let timeout = Duration::from_secs(30);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let builder = HttpTransport::builder(url.clone()).timeout(timeout);
    let builder = if by_reqwest { builder.proxy(url) } else { builder };
    let transport = builder.build().expect("a transport");
    let large = Payload::new(Kind::Event, vec![b'x'; megabytes << 20]);
    // In the same runtime, for that has the clock.
    let serve = async {
        let (mut stream, _) = listener.accept().await?;
        let mut chunk = vec![0; 16 << 20];
        for _ in 0..megabytes / 16 {
            stream.read_exact(&mut chunk).await?;
            tokio::time::pause();
            tokio::time::advance(timeout.mul_f64(0.95)).await;
            tokio::time::resume();
        }
        stream.write_all(&crate::common::server::answer(202, "Connection: close\r\n", b"")).await?;
        std::future::pending::<std::io::Result<()>>().await
    };
    let serve = async {
        serve.await.ok();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        receipt = transport.send(std::slice::from_ref(&large)) => receipt,
        () = serve => unreachable!("it never ends"),
    }
}

#[tokio::test]
async fn a_slow_line_has_more_time_while_bytes_move() {
    for by_reqwest in [false, true] {
        let receipt = over_a_slow_line(64, by_reqwest).await;
        assert_eq!(marks(&receipt), ".", "by reqwest: {by_reqwest}: {receipt:?}");
    }
}

// Each in a runtime of its own, whose clock may stand still in the end.

#[tokio::test]
async fn a_line_that_is_too_slow_is_given_up() {
    let receipt = over_a_slow_line(192, false).await;
    assert_eq!(failure(&receipt).error.kind(), ErrorKind::Timeout, "{receipt:?}");
}

#[tokio::test]
async fn a_line_that_is_too_slow_is_given_up_through_a_proxy() {
    let receipt = over_a_slow_line(192, true).await;
    assert_eq!(failure(&receipt).error.kind(), ErrorKind::Timeout, "{receipt:?}");
}
