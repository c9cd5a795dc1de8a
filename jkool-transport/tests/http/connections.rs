//! Connections that go straight to the host: when one is used again, and when it ends.
#![cfg(feature = "http")]

use crate::common::server::{Reply, Server, answer};
use crate::common::tls::{Authority, handshake};
use crate::common::{LONG, event, events, marks};
use jkool_transport::{HttpTransport, Kind, Payload, Transport};
use std::net::TcpListener;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Barrier, mpsc};
use tokio::task::JoinSet;

fn start() -> (Server, Arc<HttpTransport>) {
    let server = Server::start();
    let transport = HttpTransport::builder(server.url()).build().expect("a transport");
    (server, Arc::new(transport))
}

/// Sends that wait for each other, each over a connection of its own.
async fn at_once(server: &Server, transport: &Arc<HttpTransport>, count: usize) {
    let all = Arc::new(Barrier::new(count));
    server.script((0..count).map(|_| Reply::Together(Arc::clone(&all))));
    let mut sends = JoinSet::new();
    for number in 0..count {
        let transport = Arc::clone(transport);
        sends.spawn(async move { transport.send(&[event(number)]).await });
    }
    let receipts = tokio::time::timeout(LONG, sends.join_all()).await.expect("all at once");
    assert!(receipts.iter().all(|receipt| receipt.is_delivered()));
}

/// The server closes each connection behind its answer. Once this side knows, nothing is written there any more.
#[tokio::test]
async fn a_connection_that_ended_while_it_waited_is_not_used() {
    let (server, transport) = start();
    server.otherwise(Reply::RawThenClose(answer(202, "", b"")));
    for number in 0..20 {
        assert_eq!(marks(&transport.send(&[event(number)]).await), ".");
        server.ended(number + 1).await;
    }
    let texts: Vec<_> = server.requests().iter().map(|request| request.text()).collect();
    assert_eq!((texts, server.connections()), (crate::common::bodies(&events(20)), 20));
}

/// Directly, and with the server taken for a proxy.
fn both_ways() -> [(Server, HttpTransport); 2] {
    [false, true].map(|by_proxy| {
        let server = Server::start();
        let builder = HttpTransport::builder(server.url());
        let builder = if by_proxy { builder.proxy(server.url()) } else { builder };
        (server, builder.build().expect("a transport"))
    })
}

/// In steady traffic too it is opened anew now and then, and the name looked up.
#[tokio::test]
async fn a_connection_in_use_is_renewed_every_five_minutes() {
    for (server, transport) in both_ways() {
        for minute in 0..13 {
            assert_eq!(marks(&transport.send(&[event(minute)]).await), ".");
            tokio::time::pause();
            tokio::time::advance(Duration::from_secs(60)).await;
            tokio::time::resume();
        }
        assert_eq!((server.requests().len(), server.connections()), (13, 3), "{transport:?}");
        server.ended(2).await;
    }
}

#[tokio::test]
async fn a_connection_is_renewed_after_ten_thousand_requests() {
    for (server, transport) in both_ways() {
        for number in 0..10_001 {
            assert_eq!(marks(&transport.send(&[event(number)]).await), ".");
        }
        assert_eq!((server.requests().len(), server.connections()), (10_001, 2), "{transport:?}");
        server.ended(1).await;
    }
}

/// A restart ends all connections at once.
#[tokio::test]
async fn any_number_that_ended_is_passed_over() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let again = listener.try_clone().expect("the same port");
    let server = Server::over(listener, |stream| async { Ok(stream) });
    let transport = Arc::new(HttpTransport::builder(server.url()).build().expect("a transport"));
    at_once(&server, &transport, 16).await;
    drop(server);
    let server = Server::over(again, |stream| async { Ok(stream) });
    // This side is to know.
    tokio::task::yield_now().await;
    for number in 0..2 {
        assert_eq!(marks(&transport.send(&[event(number)]).await), ".");
    }
    assert_eq!((server.requests().len(), server.connections()), (2, 1), "one new connection is enough");
}

/// A server may say that it has waited for too long, before it closes.
#[tokio::test]
async fn a_connection_with_an_answer_that_nobody_asked_for_is_not_used() {
    let (server, transport) = start();
    let late = answer(408, "Connection: close\r\n", b"");
    server.script([
        Reply::Raw([answer(202, "", b""), late.clone()].concat()),
        Reply::RawThenClose([answer(202, "", b"stored"), late].concat()),
    ]);
    for number in 0..3 {
        assert_eq!(marks(&transport.send(&[event(number)]).await), ".");
        server.ended(number.min(2)).await;
    }
    assert_eq!((server.requests().len(), server.connections()), (3, 3));
}

#[tokio::test]
async fn what_has_waited_for_too_long_is_not_used() {
    let (server, transport) = start();
    at_once(&server, &transport, 3).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(89)).await;
    tokio::time::resume();
    assert!(transport.send(&[event(1)]).await.is_delivered());
    assert_eq!(server.connections(), 3);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(2)).await;
    tokio::time::resume();
    assert!(transport.send(&[event(2)]).await.is_delivered());
    assert_eq!(server.connections(), 3, "the one that was used meanwhile");
    server.ended(2).await;
}

#[tokio::test]
async fn a_send_that_is_dropped_takes_its_connection_along() {
    let (server, transport) = start();
    server.script([Reply::Stall]);
    let batch = events(1);
    let mut send = transport.send(&batch);
    let arrived = std::future::poll_fn(|context| {
        assert!(send.as_mut().poll(context).is_pending());
        context.waker().wake_by_ref();
        if server.requests().is_empty() { Poll::Pending } else { Poll::Ready(()) }
    });
    tokio::time::timeout(LONG, arrived).await.expect("a request");
    drop(send);
    server.ended(1).await;
    assert!(transport.send(&[event(2)]).await.is_delivered());
    assert_eq!(server.connections(), 2);
}

/// The server says yes to what it has yet to read; it gets all of it.
#[tokio::test]
async fn a_success_that_comes_early_cuts_nothing() {
    let (server, transport) = start();
    let large = Payload::new(Kind::Event, vec![b'x'; 16 << 20]);
    server.script([Reply::Early(answer(202, "", b""))]);
    assert!(transport.send(std::slice::from_ref(&large)).await.is_delivered());
    transport.close().await.expect("an orderly end");
    server.ended(1).await;
    assert!(server.bytes() > 16 << 20, "{}", server.bytes());
}

/// A runtime takes its connections along.
#[test]
fn the_runtime_of_a_connection_may_end_before_the_transport() {
    let (server, transport) = start();
    for number in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        for _ in 0..2 {
            assert_eq!(marks(&runtime.block_on(transport.send(&[event(number)]))), ".");
        }
        assert_eq!(server.connections(), number + 1);
    }
}

#[tokio::test]
async fn a_server_is_told_when_a_connection_is_not_needed_any_more() {
    let authority = Authority::new();
    let acceptor = authority.issue("127.0.0.1").acceptor(None);
    let (end, mut ends) = mpsc::unbounded_channel();
    // The whole server is here: it answers once, and says how the connection ended.
    let server = Server::with(move |stream| {
        let (acceptor, end) = (acceptor.clone(), end.clone());
        async move {
            let mut stream = handshake(acceptor, stream).await?;
            let mut read = Vec::new();
            while !read.ends_with(b"}") {
                stream.read_buf(&mut read).await?;
            }
            stream.write_all(&answer(202, "", b"")).await?;
            end.send(stream.read(&mut [0; 16]).await.map_err(|error| error.kind())).ok();
            Ok(stream)
        }
    });
    let url = crate::common::tls::url(&server);
    let transport = HttpTransport::builder(url).ca_certificate_pem(authority.pem()).build().expect("a transport");
    assert!(transport.send(&[event(1)]).await.is_delivered());
    transport.close().await.expect("an orderly end");
    // A line that is cut would be an error here.
    assert_eq!(tokio::time::timeout(LONG, ends.recv()).await.expect("an end"), Some(Ok(0)));
}

#[tokio::test]
async fn an_address_of_the_sixth_version_is_a_host() {
    let Ok(listener) = TcpListener::bind("[::1]:0") else { return };
    let authority = Authority::new();
    let acceptor = authority.issue("::1").acceptor(None);
    let secure = Server::over(listener, move |stream| handshake(acceptor.clone(), stream));
    let plain = Server::over(TcpListener::bind("[::1]:0").expect("a free port"), |stream| async { Ok(stream) });
    for (server, url) in [(&secure, format!("https://{}", secure.addr())), (&plain, format!("http://{}", plain.addr()))]
    {
        let transport = HttpTransport::builder(&url).ca_certificate_pem(authority.pem()).build().expect("a transport");
        assert_eq!(marks(&transport.send(&[event(1)]).await), ".", "{url}");
        let host = server.requests().pop().expect("a request").header("host").map(str::to_owned);
        assert_eq!(host.as_deref(), url.split_once("://").map(|(_, host)| host));
    }
}
