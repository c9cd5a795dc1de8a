//! The token is where it belongs and nowhere else.
#![cfg(feature = "http")]

use crate::common::server::{Reply, Server};
use crate::common::{event, events, everything_about, failure};
use jkool_transport::{HttpTransport, Outcome, Token, Transport};
use std::time::Duration;

const CANARY: &str = "cAnArY-7f3a91d2";

/// As it is, in hexadecimal, in base64 and in bytes as `Debug` shows them.
fn forms() -> Vec<String> {
    vec![
        CANARY.to_owned(),
        CANARY.to_lowercase(),
        CANARY.bytes().map(|byte| format!("{byte:02x}")).collect(),
        // The middle of it, whatever stands around it.
        "Y0FuQXJZLTdmM2E5MWQy".to_owned(),
        format!("{:?}", CANARY.as_bytes()).trim_matches(['[', ']']).to_owned(),
    ]
}

fn check(text: &str) {
    for form in forms() {
        assert!(!text.contains(&form), "{form} in {text}");
    }
}

#[tokio::test]
async fn the_token_is_never_shown() {
    let server = Server::start();
    let url = format!("{}/path?key={CANARY}", server.url());
    let token = Token::new(CANARY).expect("a token");
    check(&format!("{token:?} {token:#?}"));
    let builder = HttpTransport::builder(&url).token(token).timeout(Duration::from_millis(200));
    check(&format!("{builder:?} {builder:#?}"));
    let transport = builder.build().expect("a transport");

    let mut replies: Vec<_> = (200..600).map(Reply::Echo).collect();
    replies.extend([
        Reply::Close,
        Reply::Reset,
        Reply::Stall,
        Reply::Endless,
        Reply::Raw(format!("HTTP/1.1 500 {CANARY}\r\nContent-Length: 0\r\n\r\n").into()),
        Reply::RawThenClose(format!("{CANARY}\r\n\r\n").into()),
        Reply::RawThenClose(format!("HTTP/1.1 200 OK\r\n{CANARY}\r\n\r\n").into()),
        Reply::RawThenClose(format!("HTTP/1.1 200 OK\r\nContent-Length: {CANARY}\r\n\r\n").into()),
        Reply::Body(200, format!("<token>{CANARY}</token><success>false</success><reason>{CANARY}</reason>").into()),
        Reply::Headers(302, format!("Location: https://{CANARY}@example.com/{CANARY}\r\n")),
        Reply::Headers(429, format!("Retry-After: {CANARY}\r\n")),
    ]);
    let mut failures = 0;
    for reply in replies {
        server.script([reply]);
        let receipt = transport.send(&events(1)).await;
        check(&format!("{receipt:?} {receipt:#?}"));
        if let [Outcome::Failed(failure)] = receipt.outcomes() {
            check(&everything_about(failure));
            failures += 1;
        }
    }
    assert!(failures > 300);
    check(&format!("{transport:?} {transport:#?}"));
    transport.close().await.expect("an orderly end");
    check(&everything_about(&failure(&transport.send(&[event(1)]).await)));
    check(&format!("{transport:?}"));
    assert!(
        server.requests().iter().all(|request| request.header("x-api-key") == Some(CANARY)),
        "it was sent each time"
    );
}

/// What a log shows of a transport should be of use all the same.
#[test]
fn debug_shows_host_and_settings() {
    let builder =
        HttpTransport::builder("http://localhost:8080/path?x=1").token(Token::new(CANARY).expect("a token")).batches(7);
    let text = format!("{builder:?}");
    assert!(
        text.contains(r#"host: Some("localhost")"#) && text.contains("Token(***)") && text.contains("max_batch: 7"),
        "{text}"
    );
    let text = format!(
        "{:?}",
        builder.proxy(format!("http://{CANARY}:{CANARY}@127.0.0.1:3128")).build().expect("a transport")
    );
    assert!(
        text.contains(r#"host: "localhost""#)
            && text.contains(r#"proxy: "127.0.0.1""#)
            && text.contains("has_token: true"),
        "{text}"
    );
    check(&text);
}

/// Nothing is in a header that a proxy's or a server's log would keep, other than the two that are known as secret.
#[tokio::test]
async fn the_token_is_sent_in_two_headers_only() {
    let server = Server::start();
    let transport =
        HttpTransport::builder(server.url()).token(Token::new(CANARY).expect("a token")).build().expect("a transport");
    assert!(transport.send(&[event(1)]).await.is_delivered());
    let request = server.requests().remove(0);
    let names = request.headers.iter().filter(|(_, value)| value.contains(CANARY)).map(|(name, _)| name.to_lowercase());
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert_eq!(names, ["token", "x-api-key"]);
    assert!(!request.target.contains(CANARY) && !request.text().contains(CANARY));
}
