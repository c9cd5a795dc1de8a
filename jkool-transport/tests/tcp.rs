//! Lines over TCP: what is written again, and TLS.
#![cfg(feature = "tcp")]
#![allow(clippy::expect_used, reason = "a test ends there, as it should")]

mod common;

use common::lines::LineServer;
use common::tls::Authority;
use common::{bodies, event, events, failure, marks};
use jkool_transport::{Disposition, ErrorKind, TcpTransport, Transport};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

#[tokio::test]
async fn what_was_written_last_is_written_again_over_a_new_connection() {
    let server = LineServer::start();
    let transport = TcpTransport::builder(server.url()).build().expect("a transport");
    assert!(transport.send(&events(3)).await.is_delivered());
    server.wait_for(3);
    server.lose_all();
    // The end of the connection may be known here before this, or after.
    let mut sent = bodies(&events(3));
    for number in 3..100 {
        let receipt = transport.send(&[event(number)]).await;
        if receipt.is_delivered() {
            sent.extend(bodies(&[event(number)]));
        }
        tokio::task::yield_now().await;
    }
    transport.close().await.expect("an orderly end");
    let lines = server.wait_for(sent.len());
    for body in sent {
        assert!(lines.contains(&body), "{body} is lost");
    }
}

#[tokio::test]
async fn an_idle_connection_that_broke_is_mended_at_the_end() {
    let server = LineServer::start();
    let transport = TcpTransport::builder(server.url()).build().expect("a transport");
    assert!(transport.send(&events(3)).await.is_delivered());
    server.wait_for(3);
    server.lose_all();
    transport.close().await.expect("an orderly end");
    assert_eq!(server.wait_for(3), bodies(&events(3)));
}

#[tokio::test]
async fn nobody_there_is_no_delivery() {
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("tcp://{}", free.local_addr().expect("an address"));
    drop(free);
    let transport = TcpTransport::builder(url).build().expect("a transport");
    let receipt = transport.send(&events(2)).await;
    assert_eq!(marks(&receipt), "rr");
    assert_eq!(failure(&transport.send(&events(1)).await).error.kind(), ErrorKind::Connect);
    transport.close().await.expect("nothing was written");
}

#[tokio::test]
async fn lines_over_tls_reach_whom_the_certificate_names() {
    let authority = Authority::new();
    let acceptor = authority.issue("localhost").acceptor(None);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let serving = async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        let mut text = String::new();
        let mut stream = acceptor.accept(stream).await.expect("a handshake");
        stream.read_to_string(&mut text).await.expect("lines");
        text
    };
    let mut server = JoinSet::new();
    server.spawn(serving);
    let url = format!("tls://localhost:{port}");
    let transport = TcpTransport::builder(&*url).ca_certificate_pem(authority.pem()).build().expect("a transport");
    assert!(transport.send(&events(2)).await.is_delivered());
    transport.close().await.expect("an orderly end");
    assert_eq!(server.join_all().await.concat(), bodies(&events(2)).join("\n") + "\n");
}

#[tokio::test]
async fn a_certificate_of_somebody_else_is_refused() {
    let acceptor = Authority::new().issue("localhost").acceptor(None);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let serving = async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        assert!(acceptor.accept(stream).await.is_err());
    };
    let mut server = JoinSet::new();
    server.spawn(serving);
    let url = format!("tls://localhost:{port}");
    let transport = TcpTransport::builder(url).ca_certificate_pem(Authority::new().pem()).build().expect("a transport");
    let failure = failure(&transport.send(&[event(1)]).await);
    assert_eq!((failure.disposition, failure.maybe_delivered), (Disposition::Misconfigured, false));
    assert_eq!(failure.error.kind(), ErrorKind::Tls);
    server.join_all().await;
}

#[test]
fn a_url_that_is_none_is_told() {
    for url in [
        "",
        "localhost:80",
        "http://x:1",
        "tcp://x",
        "tcp://:1",
        "tcp://x:99999",
        "tcp://me:secret@x:1",
        "tcp://x:1/path",
    ] {
        let error = TcpTransport::builder(url).build().expect_err(url);
        assert_eq!(error.kind(), ErrorKind::Config, "{url}");
        assert!(error.to_string().starts_with("url: ") && !error.to_string().contains("secret"), "{error}");
    }
    assert!(TcpTransport::builder("tcp://[::1]:6590/").build().is_ok());
}
