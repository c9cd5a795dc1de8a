//! The client against servers that it must not believe: nothing is sent to them, nothing lost, and nothing weakened by
//! trying again.
#![cfg(feature = "http")]

use crate::common::server::{Reply, Server, answer};
use crate::common::tls::{Authority, Identity, handshake, serve, url};
use crate::common::{Oracle, arrive, client, now, until};
use jkool_client::{Client, Condition, RetryPolicy};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

/// How often a bad server is tried before it becomes a good one.
const TRIES: usize = 50;

fn believing(authority: &Authority, server: &Server) -> Client {
    let pem = authority.pem();
    client(url(server)).http(move |http| http.ca_certificate_pem(pem)).in_flight(1).build().unwrap()
}

/// As long as the server is bad, nothing is sent and all is kept, however often it is tried; then all arrives in order.
fn never_believed(authority: &Authority, server: &Server, mend: impl FnOnce()) {
    let mut oracle = Oracle::default();
    let client = believing(authority, server);
    oracle.emit(&client, 10);
    until(&client, || server.connections() > TRIES);
    assert_eq!((server.bytes(), server.requests().len()), (0, 0), "a byte of HTTP");
    assert_eq!((client.stats().in_memory(), client.stats().maybe_duplicated()), (10, 0));
    oracle.check(&client, server);
    mend();
    arrive(&client);
    let found = oracle.check_all_taken(&client, server);
    assert_eq!((found.taken, client.stats().maybe_duplicated()), ((0..10).collect(), 0));
    assert_eq!(server.requests().len(), 10);
}

/// A server that shows `bad` until it is mended.
fn bad_certificate(authority: &Authority, bad: &Identity) {
    let (bad, good) = (bad.acceptor(None), authority.issue("127.0.0.1").acceptor(None));
    let mended = Arc::new(AtomicBool::new(false));
    let is_mended = Arc::clone(&mended);
    let acceptor = move || -> TlsAcceptor { if is_mended.load(Ordering::SeqCst) { good.clone() } else { bad.clone() } };
    let server = Server::with(move |stream| handshake(acceptor(), stream));
    never_believed(authority, &server, || mended.store(true, Ordering::SeqCst));
}

#[test]
fn a_certificate_for_another_host_is_never_believed() {
    let authority = Authority::new();
    bad_certificate(&authority, &authority.issue("collector.example"));
}

#[test]
fn a_certificate_that_vouches_for_itself_is_never_believed() {
    bad_certificate(&Authority::new(), &Identity::self_signed("127.0.0.1"));
}

#[test]
fn a_certificate_of_an_unknown_authority_is_never_believed() {
    bad_certificate(&Authority::new(), &Authority::new().issue("127.0.0.1"));
}

#[test]
fn a_certificate_that_has_expired_is_never_believed() {
    let authority = Authority::new();
    bad_certificate(&authority, &authority.issue_expired("127.0.0.1"));
}

#[test]
fn a_certificate_of_the_future_is_never_believed() {
    let authority = Authority::new();
    bad_certificate(&authority, &authority.issue_early("127.0.0.1"));
}

/// A handshake that the server ends after the client's first words, by `answer` or a reset.
fn cut_handshake(answer: Option<&'static [u8]>) {
    let authority = Authority::new();
    let good = authority.issue("127.0.0.1").acceptor(None);
    let mended = Arc::new(AtomicBool::new(false));
    let is_mended = Arc::clone(&mended);
    let server = Server::with(move |mut stream: TcpStream| {
        let (good, is_mended) = (good.clone(), is_mended.load(Ordering::SeqCst));
        async move {
            if is_mended {
                return handshake(good, stream).await;
            }
            stream.read_buf(&mut Vec::new()).await?;
            match answer {
                None => stream.set_zero_linger()?,
                Some(answer) => {
                    stream.write_all(answer).await?;
                    stream.shutdown().await?;
                    while stream.read(&mut [0; 1024]).await? > 0 {}
                }
            }
            Err(io::ErrorKind::Other.into())
        }
    });
    never_believed(&authority, &server, || mended.store(true, Ordering::SeqCst));
}

#[test]
fn a_handshake_that_is_cut_is_tried_again() {
    cut_handshake(Some(b""));
}

#[test]
fn a_handshake_that_is_cut_in_a_record_is_tried_again() {
    cut_handshake(Some(b"\x16\x03\x03\x00"));
}

#[test]
fn a_handshake_that_is_reset_is_tried_again() {
    cut_handshake(None);
}

/// The alert "protocol version": what a server that knows only TLS 1.0 says.
#[test]
fn a_server_of_old_is_never_believed() {
    cut_handshake(Some(&[21, 3, 1, 0, 2, 2, 70]));
}

#[test]
fn a_server_that_does_not_speak_tls_gets_no_byte_of_http() {
    cut_handshake(Some(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
}

/// Each connection is looked at anew: what one certificate has earned, the next one has not.
#[test]
fn a_good_certificate_does_not_vouch_for_a_bad_one() {
    let authority = Authority::new();
    let acceptors = [authority.issue("127.0.0.1").acceptor(None), Identity::self_signed("127.0.0.1").acceptor(None)];
    let count = Arc::new(AtomicUsize::new(0));
    let server = Server::with(move |stream| {
        let acceptor = acceptors[count.fetch_add(1, Ordering::SeqCst) % 2].clone();
        handshake(acceptor, stream)
    });
    server.otherwise(Reply::RawThenClose(answer(202, "Connection: close\r\n", b"")));
    let (client, mut oracle) = (believing(&authority, &server), Oracle::default());
    oracle.emit(&client, 10);
    arrive(&client);
    let found = oracle.check_all_taken(&client, &server);
    assert_eq!((found.taken, found.repeats), ((0..10).collect(), 0));
    assert_eq!((server.requests().len(), server.connections()), (10, 19));
}

/// A handshake that never goes on belongs to connecting: nothing was sent, and no deadline is missed.
#[test]
fn a_server_that_never_shakes_hands_leaves_no_doubt() {
    let authority = Authority::new();
    let server = Server::with(|mut stream: TcpStream| async move {
        while stream.read(&mut [0; 1024]).await? > 0 {}
        Err::<TcpStream, _>(io::ErrorKind::Other.into())
    });
    let (pem, time) = (authority.pem(), Duration::from_millis(20));
    let client = client(url(&server))
        .http(move |http| http.ca_certificate_pem(pem).connect_timeout(time))
        .in_flight(1)
        .build()
        .unwrap();
    let mut oracle = Oracle::default();
    oracle.emit(&client, 5);
    until(&client, || server.connections() >= 3);
    let report = client.shutdown(Duration::from_millis(20));
    assert_eq!((report.delivered(), report.dropped(), report.pending()), (0, 5, 0));
    oracle.check(&client, &server);
    assert_eq!((server.bytes(), client.stats().maybe_duplicated()), (0, 0));
}

#[test]
fn a_server_that_is_believed_and_breaks_off_gets_the_same_bytes_again() {
    let authority = Authority::new();
    let server = serve(authority.issue("127.0.0.1").acceptor(None));
    server.script([Reply::Reset, Reply::Close, Reply::RawThenClose(b"HTTP/1.1 202 Acc".into())]);
    let (client, mut oracle) = (believing(&authority, &server), Oracle::default());
    oracle.emit(&client, 5);
    arrive(&client);
    let found = oracle.check_all_taken(&client, &server);
    assert_eq!((found.repeats, client.stats().maybe_duplicated()), (3, 3));
}

/// The certificate is no longer good, and somebody renews it while nothing gets through.
#[test]
fn a_renewed_client_certificate_is_tried_at_once() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let server = serve(authority.issue("127.0.0.1").acceptor(Some(&clients)));
    let path = |name: &str| std::env::temp_dir().join(format!("jkool-tls-{}-{name}", std::process::id()));
    let (chain, key) = (path("chain"), path("key"));
    let write = |identity: &Identity| {
        std::fs::write(&chain, identity.pem()).unwrap();
        std::fs::write(&key, identity.key_pem()).unwrap();
    };
    write(&clients.issue_expired("client"));
    let (pem, files) = (authority.pem(), (chain.clone(), key.clone()));
    let mut oracle = Oracle::default();
    // The next try by itself comes too late.
    let probe = 2 * crate::common::PATIENCE;
    let retry =
        RetryPolicy::default().initial(Duration::from_millis(1)).max(Duration::from_millis(20)).probe(probe, probe);
    let client = client(url(&server))
        .http(move |http| http.ca_certificate_pem(pem).client_identity_files(files.0, files.1))
        .retry(retry)
        .build()
        .unwrap();
    oracle.emit(&client, 10);
    until(&client, || matches!(client.health().condition, Condition::Paused { .. }));
    write(&clients.issue("client"));
    let start = now();
    while client.stats().delivered() < 10 {
        assert!(start.elapsed() < crate::common::PATIENCE, "{}", client.stats());
        std::thread::yield_now();
    }
    oracle.check_all_taken(&client, &server);
    std::fs::remove_file(chain).unwrap();
    std::fs::remove_file(key).unwrap();
}
