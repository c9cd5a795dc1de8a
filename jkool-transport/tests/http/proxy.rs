//! Through a proxy or past it.
#![cfg(feature = "http")]

use crate::common::server::{Reply, Request, Server};
use crate::common::tls::{Authority, serve, url};
use crate::common::{event, everything_about, failure, is_child, marks};
use jkool_transport::{ErrorKind, HttpTransport, HttpTransportBuilder, Token, Transport};
use std::net::TcpListener;

/// "user:passw0rd" in base64.
const BASIC: &str = "Basic dXNlcjpwYXNzdzByZA==";

fn builder(url: impl Into<String>) -> HttpTransportBuilder {
    HttpTransport::builder(url).token(Token::new("canary-5ec7e7").expect("a token"))
}

fn with_password(proxy: &Server) -> String {
    format!("http://user:passw0rd@{}", proxy.addr())
}

#[tokio::test]
async fn plain_requests_go_to_the_proxy_in_full() {
    let (proxy, server) = (Server::start(), Server::start());
    let transport = builder(server.url() + "/in").proxy(with_password(&proxy)).build().expect("a transport");
    assert!(transport.send(&[event(1)]).await.is_delivered());
    let request = proxy.requests().remove(0);
    assert_eq!((request.method.as_str(), &request.target), ("POST", &format!("{}/in/event", server.url())));
    assert_eq!(request.header("proxy-authorization"), Some(BASIC));
    assert_eq!(request.header("host"), Some(server.addr().to_string().as_str()));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn secure_requests_go_through_a_tunnel() {
    let authority = Authority::new();
    let (proxy, server) = (Server::start(), serve(authority.issue("127.0.0.1").acceptor(None)));
    proxy.script([Reply::Tunnel(server.addr())]);
    let transport = builder(url(&server)).proxy(with_password(&proxy)).ca_certificate_pem(authority.pem());
    let transport = transport.build().expect("a transport");
    for number in 0..3 {
        assert!(transport.send(&[event(number)]).await.is_delivered());
    }
    let [connect]: [Request; 1] = proxy.requests().try_into().expect("one tunnel for all");
    assert_eq!((connect.method.as_str(), &connect.target), ("CONNECT", &server.addr().to_string()));
    assert!(!format!("{:?}", connect.headers).contains("canary-5ec7e7"), "the token is not for the proxy");
    assert_eq!(
        connect
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("proxy-authorization"))
            .map(|(_, value)| value.as_str()),
        Some(BASIC)
    );
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    assert!(
        requests.iter().all(|request| request.header("proxy-authorization").is_none()),
        "the password is not for the server"
    );
    assert!(requests.iter().all(|request| request.header("token") == Some("canary-5ec7e7")));
}

#[tokio::test]
async fn a_proxy_that_does_not_help() {
    let authority = Authority::new();
    let server = serve(authority.issue("127.0.0.1").acceptor(None));
    for (reply, expected, kind) in [
        (Reply::Status(407), "m", ErrorKind::Connect),
        (Reply::Status(403), "r", ErrorKind::Connect),
        (Reply::Status(502), "r", ErrorKind::Connect),
        (Reply::Close, "r", ErrorKind::Connect),
        (Reply::Reset, "r", ErrorKind::Connect),
        // A tunnel into nothing: it ends before the server has said a word.
        (Reply::RawThenClose(b"HTTP/1.1 200 OK\r\n\r\n".into()), "r", ErrorKind::Connect),
    ] {
        let proxy = Server::start();
        proxy.script([reply.clone()]);
        let transport = builder(url(&server)).proxy(with_password(&proxy)).ca_certificate_pem(authority.pem());
        let receipt = transport.build().expect("a transport").send(&[event(1)]).await;
        let failure = failure(&receipt);
        let everything = everything_about(&failure);
        assert_eq!(marks(&receipt), expected, "{reply:?}: {everything}");
        assert_eq!(failure.error.kind(), kind, "{everything}");
        assert!(!everything.contains("passw0rd") && !everything.contains("canary-5ec7e7"), "{everything}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_plain_proxy_that_does_not_help() {
    let proxy = Server::start();
    let transport = builder("http://127.0.0.1:9").proxy(proxy.url()).build().expect("a transport");
    for (status, expected) in [(407, "m"), (502, "r?"), (503, "r"), (504, "r?")] {
        proxy.script([Reply::Status(status)]);
        assert_eq!(marks(&transport.send(&[event(1)]).await), expected, "{status}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_down_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let proxy = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let server = Server::start();
    let transport = builder(server.url()).proxy(proxy).build().expect("a transport");
    assert_eq!(marks(&transport.send(&[event(1)]).await), "r");
    assert_eq!(server.connections(), 0, "nothing goes around the proxy");
}

/// The variables of the environment, read in a process of their own.
#[tokio::test]
async fn the_environment_names_a_proxy_for_other_machines_only() {
    let proxy = Server::start();
    let name = "proxy::the_environment_names_a_proxy_for_other_machines_only";
    let variables =
        [("HTTP_PROXY", proxy.url()), ("HTTPS_PROXY", proxy.url()), ("NO_PROXY", "direct.invalid".to_owned())];
    if !is_child(name, &variables.each_ref().map(|(name, value)| (*name, value.as_str()))) {
        let seen: Vec<_> =
            proxy.requests().into_iter().map(|request| format!("{} {}", request.method, request.target)).collect();
        assert_eq!(seen, ["POST http://collector.invalid/event", "CONNECT collector.invalid:443"]);
        return;
    }
    let here = Server::start();
    for url in [here.url(), format!("http://localhost:{}", here.addr().port())] {
        let transport = builder(url).build().expect("a transport");
        assert!(transport.send(&[event(1)]).await.is_delivered());
    }
    assert_eq!(here.requests().len(), 2);

    let send =
        async |builder: HttpTransportBuilder| marks(&builder.build().expect("a transport").send(&[event(1)]).await);
    let plain = || HttpTransport::builder("http://collector.invalid");
    assert_eq!(send(plain()).await, ".", "the proxy's answer");
    assert_eq!(send(plain().no_proxy()).await, "r", "no such name");
    assert_eq!(send(HttpTransport::builder("http://direct.invalid")).await, "r", "no such name");
    let authority = Authority::new();
    let secure = builder("https://collector.invalid").ca_certificate_pem(authority.pem());
    assert_eq!(send(secure).await, "r", "no tunnel");
    drop(proxy);
}
