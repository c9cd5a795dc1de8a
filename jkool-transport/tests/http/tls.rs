//! Who is believed, and who is not.
#![cfg(feature = "http")]

use crate::common::server::Server;
use crate::common::tls::{Authority, Identity, handshake, serve, url};
use crate::common::{event, events, everything_about, failure, is_child, marks};
use jkool_transport::{ErrorKind, HttpTransport, HttpTransportBuilder, Token, Transport, TransportError};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn builder(server: &Server, authority: &Authority) -> HttpTransportBuilder {
    let token = Token::new("canary-5ec7e7").expect("a token");
    HttpTransport::builder(url(server)).token(token).ca_certificate_pem(authority.pem())
}

/// The server is refused for this reason, each time, and never decrypts a byte of HTTP.
async fn refuses(server: Server, transport: HttpTransport, reason: &str) {
    for _ in 0..50 {
        let receipt = transport.send(&events(2)).await;
        assert_eq!(marks(&receipt), "mm");
        let failure = failure(&jkool_transport::Receipt::new(receipt.outcomes()[..1].to_vec()));
        assert_eq!(failure.error.kind(), ErrorKind::Tls);
        assert!(failure.error.to_string().contains(reason), "{}", everything_about(&failure));
    }
    assert_eq!((server.bytes(), server.requests().len(), server.connections()), (0, 0, 50));
}

#[tokio::test]
async fn an_authority_of_ones_own_is_believed() {
    let authority = Authority::new();
    let server = serve(authority.issue("127.0.0.1").acceptor(None));
    let transport = builder(&server, &authority).build().expect("a transport");
    for number in 0..3 {
        assert!(transport.send(&[event(number)]).await.is_delivered());
    }
    assert_eq!((server.requests().len(), server.connections()), (3, 1));
    assert_eq!(server.requests()[0].header("token"), Some("canary-5ec7e7"));
}

#[tokio::test]
async fn several_authorities_are_believed() {
    let authorities = [Authority::new(), Authority::new(), Authority::new()];
    let bundle = authorities[0].pem() + &authorities[1].pem();
    for authority in &authorities {
        let server = serve(authority.issue("127.0.0.1").acceptor(None));
        let transport =
            builder(&server, &authorities[2]).ca_certificate_pem(bundle.clone()).build().expect("a transport");
        assert!(transport.send(&[event(1)]).await.is_delivered());
    }
}

#[tokio::test]
async fn an_unknown_authority_is_refused() {
    let server = serve(Authority::new().issue("127.0.0.1").acceptor(None));
    let transport = builder(&server, &Authority::new()).build().expect("a transport");
    refuses(server, transport, "not signed by an authority that this machine trusts").await;
}

#[tokio::test]
async fn a_certificate_that_vouches_for_itself_is_refused() {
    let server = serve(Identity::self_signed("127.0.0.1").acceptor(None));
    let transport = builder(&server, &Authority::new()).build().expect("a transport");
    refuses(server, transport, "not signed by an authority that this machine trusts").await;
}

#[tokio::test]
async fn another_host_is_refused() {
    let authority = Authority::new();
    let server = serve(authority.issue("collector.example").acceptor(None));
    let transport = builder(&server, &authority).build().expect("a transport");
    refuses(server, transport, "not valid for this host name").await;
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let authority = Authority::new();
    let server = serve(authority.issue_expired("127.0.0.1").acceptor(None));
    let transport = builder(&server, &authority).build().expect("a transport");
    refuses(server, transport, "has expired").await;
}

#[tokio::test]
async fn a_certificate_of_the_future_is_refused() {
    let authority = Authority::new();
    let server = serve(authority.issue_early("127.0.0.1").acceptor(None));
    let transport = builder(&server, &authority).build().expect("a transport");
    refuses(server, transport, "not valid yet").await;
}

/// A server that was good once is looked at again on each connection.
#[tokio::test]
async fn trust_does_not_outlive_the_connection() {
    let authority = Authority::new();
    let acceptors = [authority.issue("127.0.0.1").acceptor(None), Identity::self_signed("127.0.0.1").acceptor(None)];
    let count = Arc::new(AtomicUsize::new(0));
    let server = Server::with(move |stream| {
        let acceptor = acceptors[count.fetch_add(1, Ordering::SeqCst) % 2].clone();
        handshake(acceptor, stream)
    });
    let transport = builder(&server, &authority).build().expect("a transport");
    let reply =
        crate::common::server::Reply::RawThenClose(crate::common::server::answer(202, "Connection: close\r\n", b""));
    server.script(vec![reply; 5]);
    for number in 0..5 {
        assert_eq!(marks(&transport.send(&[event(number)]).await), ".");
        assert_eq!(marks(&transport.send(&[event(number)]).await), "m");
    }
    assert_eq!(server.requests().len(), 5);
}

#[tokio::test]
async fn a_server_may_ask_for_a_certificate() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let server = serve(authority.issue("127.0.0.1").acceptor(Some(&clients)));
    let identity = clients.issue("client");
    let with = |identity: &Identity| {
        builder(&server, &authority)
            .client_identity_pem(identity.pem(), identity.key_pem())
            .build()
            .expect("a transport")
    };
    assert!(with(&identity).send(&[event(1)]).await.is_delivered());
    assert_eq!(server.requests().len(), 1);

    let bytes = server.bytes();
    let without = builder(&server, &authority).build().expect("a transport");
    let cases = [
        (without, "requires a client certificate"),
        (with(&Authority::new().issue("client")), "rejected the client certificate"),
        (with(&clients.issue_expired("client")), "rejected the client certificate"),
    ];
    for (transport, reason) in cases {
        let receipt = transport.send(&[event(1)]).await;
        assert_eq!(marks(&receipt), "m", "{reason}");
        let failure = failure(&receipt);
        assert_eq!(failure.error.kind(), ErrorKind::Tls);
        assert!(failure.error.to_string().contains(reason), "{}", everything_about(&failure));
    }
    assert_eq!((server.bytes(), server.requests().len()), (bytes, 1));
}

/// What a server does with the first bytes of a handshake.
fn after_hello(answer: &'static [u8]) -> Server {
    Server::with(move |mut stream: TcpStream| async move {
        stream.read_buf(&mut Vec::new()).await?;
        stream.write_all(answer).await?;
        stream.shutdown().await?;
        while stream.read(&mut [0; 1024]).await? > 0 {}
        Err::<TcpStream, _>(io::ErrorKind::Other.into())
    })
}

#[tokio::test]
async fn a_handshake_that_is_cut_is_tried_again() {
    let reset = Server::with(|mut stream: TcpStream| async move {
        stream.read_buf(&mut Vec::new()).await?;
        stream.set_zero_linger()?;
        Err::<TcpStream, _>(io::ErrorKind::Other.into())
    });
    // The last one is the alert "internal error": the server's own trouble.
    for server in [after_hello(b""), after_hello(b"\x16\x03\x03\x00"), reset, after_hello(&[21, 3, 3, 0, 2, 2, 80])] {
        let transport = builder(&server, &Authority::new()).build().expect("a transport");
        let receipt = transport.send(&[event(1)]).await;
        assert_eq!(marks(&receipt), "r", "{}", everything_about(&failure(&receipt)));
        assert_eq!(failure(&receipt).error.kind(), ErrorKind::Connect);
    }
}

#[tokio::test]
async fn a_server_of_another_kind_is_a_wrong_setting() {
    for (answer, reason) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "does not speak TLS"),
        // The alerts "protocol version" and "handshake failure": what a server of old says to TLS 1.2.
        (&[21, 3, 1, 0, 2, 2, 70], "supports no version of TLS or HTTP"),
        (&[21, 3, 1, 0, 2, 2, 40], "supports no version of TLS or HTTP"),
        (&[21, 3, 3, 0, 2, 2, 112], "does not serve this host name"),
    ] {
        let server = after_hello(answer);
        let transport = builder(&server, &Authority::new()).build().expect("a transport");
        let receipt = transport.send(&[event(1)]).await;
        assert_eq!(marks(&receipt), "m", "{}", everything_about(&failure(&receipt)));
        let error = failure(&receipt).error;
        assert!(error.kind() == ErrorKind::Tls && error.to_string().contains(reason), "{error:?}");
    }
}

/// A container without the package of authorities.
#[tokio::test]
async fn a_machine_without_authorities_says_so_and_takes_ones_own() {
    let name = "tls::a_machine_without_authorities_says_so_and_takes_ones_own";
    if !is_child(name, &[("SSL_CERT_FILE", "/no/such/file"), ("SSL_CERT_DIR", "/no/such/folder")]) {
        return;
    }
    let build = |url: &str| -> Result<HttpTransport, TransportError> { HttpTransport::builder(url).build() };
    let error = build("https://127.0.0.1").expect_err("nobody to trust");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("no certificate authority"), "{error}");
    for plain in ["http://127.0.0.1", "http://collector.example"] {
        build(plain).expect("no TLS, no authorities");
    }
    let authority = Authority::new();
    let server = serve(authority.issue("127.0.0.1").acceptor(None));
    let transport = builder(&server, &authority).build().expect("a transport");
    assert!(transport.send(&[event(1)]).await.is_delivered());
}
