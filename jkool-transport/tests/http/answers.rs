//! What an HTTP transport sends, and what it takes the answers for.
#![cfg(feature = "http")]

use crate::common::server::{Reply, Server};
use crate::common::{RETRY, event, events, failure, marks};
use jkool_transport::{
    Disposition, ErrorKind, Failure, HttpTransport, HttpTransportBuilder, Kind, Outcome, Payload, Token, Transport,
};
use mockito::Matcher;
use std::time::{Duration, SystemTime};

const KINDS: [Kind; 5] = [Kind::Event, Kind::Activity, Kind::Snapshot, Kind::Log, Kind::Dataset];

fn builder(url: impl Into<String>) -> HttpTransportBuilder {
    HttpTransport::builder(url).token(Token::new("canary-5ec7e7").expect("a token"))
}

#[tokio::test]
async fn each_kind_is_posted_to_its_path_with_the_token() {
    let mut server = mockito::Server::new_async().await;
    let transport = builder(server.url()).build().expect("a transport");
    for kind in KINDS {
        let body = format!(r#"{{"is":"{kind}"}}"#);
        let mock = server
            .mock("POST", format!("/{kind}").as_str())
            .match_header("content-type", "application/json")
            .match_header("x-api-key", "canary-5ec7e7")
            .match_header("token", "canary-5ec7e7")
            .match_header("user-agent", concat!("jkool-rust/", env!("CARGO_PKG_VERSION")))
            .match_header("content-length", body.len().to_string().as_str())
            .match_header("cookie", Matcher::Missing)
            .match_header("referer", Matcher::Missing)
            .match_header("accept-encoding", Matcher::Missing)
            .match_header("content-encoding", Matcher::Missing)
            .match_body(body.as_str())
            .with_status(202)
            .with_header("set-cookie", "session=1; Path=/")
            .create_async()
            .await;
        assert!(transport.send(&[Payload::new(kind, body)]).await.is_delivered());
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn without_a_token_there_is_no_header_for_it() {
    let server = Server::start();
    let transport = HttpTransport::builder(server.url()).build().expect("a transport");
    assert!(transport.send(&[event(1)]).await.is_delivered());
    let request = server.requests().remove(0);
    assert_eq!((request.header("token"), request.header("x-api-key")), (None, None));
}

#[tokio::test]
async fn the_path_and_query_of_the_url_stay() {
    let server = Server::start();
    for (path, exact, expected) in [
        ("", false, "/event"),
        ("/", false, "/event"),
        ("/JESL", false, "/JESL/event"),
        ("/JESL/", false, "/JESL/event"),
        ("/JESL?x=1", false, "/JESL/event?x=1"),
        ("/in?x=1", true, "/in?x=1"),
        ("/in/", true, "/in/"),
        ("", true, "/"),
    ] {
        let transport = builder(server.url() + path).exact_path(exact).build().expect("a transport");
        assert!(transport.send(&[event(1)]).await.is_delivered());
        let request = server.requests().pop().expect("a request");
        assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", expected), "{path}");
        assert_eq!(request.header("host"), Some(server.addr().to_string().as_str()));
    }
}

#[tokio::test]
async fn a_request_holds_one_payload_unless_batches_are_wanted() {
    let server = Server::start();
    let transport = builder(server.url()).build().expect("a transport");
    assert_eq!(transport.max_batch(), 1);
    assert!(transport.send(&events(3)).await.is_delivered());
    let texts: Vec<_> = server.requests().iter().map(|request| request.text()).collect();
    assert_eq!(texts, crate::common::bodies(&events(3)));
}

#[tokio::test]
async fn a_batch_is_lines() {
    let server = Server::start();
    let transport = builder(server.url() + "/in").batches(3).build().expect("a transport");
    assert_eq!(transport.max_batch(), 3);
    let log = Payload::new(Kind::Log, "{}");
    assert!(transport.send(&[events(3), vec![log.clone(), log, event(9)], events(1)].concat()).await.is_delivered());
    let requests = server.requests();
    let seen: Vec<_> = requests.iter().map(|request| (request.target.as_str(), request.text())).collect();
    assert_eq!(
        seen,
        [
            ("/in/event", "{\"operation\":\"op-0\"}\n{\"operation\":\"op-1\"}\n{\"operation\":\"op-2\"}\n".to_owned()),
            ("/in", "{}\n{}\n{\"operation\":\"op-9\"}\n".to_owned()),
            ("/in/event", "{\"operation\":\"op-0\"}".to_owned()),
        ]
    );
    assert!(requests.iter().all(|request| request.header("content-type") == Some("application/json")));
}

#[cfg(feature = "gzip")]
#[tokio::test]
async fn compressed_bodies_hold_the_same() {
    use std::io::Read;
    let server = Server::start();
    let transport = builder(server.url()).gzip(true).batches(2).build().expect("a transport");
    let long = Payload::new(Kind::Event, format!(r#"{{"msg-text":"{}"}}"#, "again and ".repeat(100)));
    let text = std::str::from_utf8(long.body()).expect("text").to_owned();
    assert!(transport.send(&[long.clone(), long.clone(), long, event(1), event(2)]).await.is_delivered());
    let requests = server.requests();
    let encodings: Vec<_> = requests.iter().map(|request| request.header("content-encoding")).collect();
    assert_eq!(encodings, [Some("gzip"), Some("gzip"), None]);
    for (request, expected) in
        requests.iter().zip([format!("{text}\n{text}\n"), format!("{text}\n{}\n", r#"{"operation":"op-1"}"#)])
    {
        let mut unpacked = String::new();
        flate2::read::GzDecoder::new(request.body.as_slice()).read_to_string(&mut unpacked).expect("gzip");
        assert_eq!(unpacked, expected);
        assert!(request.body.len() < expected.len() / 4);
    }
    assert_eq!(requests[2].text(), r#"{"operation":"op-2"}"#);
}

#[cfg(feature = "gzip")]
#[tokio::test]
async fn nothing_is_compressed_unless_it_is_wanted() {
    let server = Server::start();
    let transport = builder(server.url()).build().expect("a transport");
    let long = Payload::new(Kind::Event, format!(r#"{{"msg-text":"{}"}}"#, "again and ".repeat(100)));
    assert!(transport.send(std::slice::from_ref(&long)).await.is_delivered());
    assert_eq!(server.requests()[0].body, long.body());
}

/// The table of the crate's front page.
#[tokio::test]
async fn every_answer_has_its_meaning() {
    let mut server = mockito::Server::new_async().await;
    let transport = builder(server.url()).build().expect("a transport");
    let table: [(&[usize], &str); 7] = [
        (&[200, 201, 202, 203, 204, 206, 207, 226, 299], "."),
        (&[408, 425, 429, 503], "r"),
        (&[500, 502, 504, 506, 507, 508, 510, 511, 520, 522, 524, 599], "r?"),
        (&[401, 402, 403, 404, 405, 406, 407, 410, 411, 415, 421, 426, 431, 451, 501, 505], "m"),
        (&[300, 301, 302, 303, 304, 305, 307, 308, 399], "m"),
        (&[413], "l"),
        (&[400, 409, 412, 414, 416, 417, 418, 422, 423, 424, 428, 499], "x"),
    ];
    for (statuses, expected) in table {
        for status in statuses {
            server.reset();
            let mock =
                server.mock("POST", "/event").with_status(*status).with_body("canary-5ec7e7").create_async().await;
            let receipt = transport.send(&[event(1)]).await;
            mock.assert_async().await;
            assert_eq!(marks(&receipt), expected, "{status}");
            if expected != "." {
                let Failure { maybe_rejected, error, .. } = failure(&receipt);
                let of_content = matches!(expected, "r?" | "m") && *status != 407 || *status == 503;
                assert_eq!(maybe_rejected, of_content, "{status}");
                assert_eq!(error.kind(), ErrorKind::Answer);
                assert!(error.to_string().starts_with(&format!("the server answered {status}")), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn a_batch_shares_the_fate_of_its_request() {
    let server = Server::start();
    let transport = builder(server.url()).batches(2).build().expect("a transport");
    server.script([400, 202, 413, 500].map(Reply::Status));
    let receipt = transport.send(&events(9)).await;
    assert_eq!(marks(&receipt), "xx..llr?r?r");
    let doubtful = |outcome: &Outcome| matches!(outcome, Outcome::Failed(failure) if failure.maybe_rejected);
    let doubtful: Vec<bool> = receipt.outcomes().iter().map(doubtful).collect();
    assert_eq!(doubtful, [false, false, false, false, false, false, true, true, false], "those of the 500 alone");
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn retry_after_is_understood_in_all_its_forms() {
    let server = Server::start();
    let transport = builder(server.url()).build().expect("a transport");
    let secs = |secs| Some(Duration::from_secs(secs));
    for (status, lines, after) in [
        (429, "Retry-After: 0", secs(0)),
        (429, "Retry-After: 7", secs(7)),
        (503, "retry-after:   7  ", secs(7)),
        (408, "Retry-After: 7", secs(7)),
        (425, "Retry-After: 7", secs(7)),
        (500, "Retry-After: 7", secs(7)),
        (599, "Retry-After: 7", secs(7)),
        (429, "Retry-After: 1000000000000000000", secs(300)),
        (429, "Retry-After: 1e18", None),
        (429, "Retry-After: -1", None),
        (429, "Retry-After: soon", None),
        (429, "Retry-After: ", None),
        (429, "Retry-After: 7\r\nRetry-After: 9", secs(9)),
        (429, "Retry-After: 7\r\nRetry-After: soon", secs(7)),
        (429, "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT", secs(0)),
        (429, "Retry-After: Sunday, 06-Nov-94 08:49:37 GMT", secs(0)),
        (429, "Retry-After: Sun Nov  6 08:49:37 1994", secs(0)),
        (429, "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT", secs(300)),
        (429, "X-Retry-After: 7", None),
    ] {
        server.script([Reply::Headers(status, format!("{lines}\r\n"))]);
        let failure = failure(&transport.send(&[event(1)]).await);
        assert_eq!(failure.disposition, Disposition::Retry { after }, "{status} {lines}");
    }
    server.script([Reply::Headers(400, "Retry-After: 7\r\n".into())]);
    assert_eq!(failure(&transport.send(&[event(1)]).await).disposition, Disposition::Rejected);
}

/// The clock that a date is compared with is that of this machine, when the answer comes.
#[tokio::test]
async fn a_date_counts_from_now() {
    let server = Server::start();
    let transport = builder(server.url()).build().expect("a transport");
    #[expect(clippy::disallowed_methods, reason = "the server's side of the clock")]
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs();
    server.script([Reply::Headers(429, format!("Retry-After: {}\r\n", http_date(now + 200)))]);
    let Disposition::Retry { after: Some(after) } = failure(&transport.send(&[event(1)]).await).disposition else {
        panic!("a time to wait");
    };
    assert!((100..=200).contains(&after.as_secs()), "{after:?}");
}

/// Counts through the years and months, so as to share nothing with what is tested.
fn http_date(time: u64) -> String {
    let (mut year, mut days, seconds) = (1970, time / 86_400, time % 86_400);
    let length = |year: u64| if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) { 366 } else { 365 };
    while days >= length(year) {
        days -= length(year);
        year += 1;
    }
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let lengths = [31, length(year) - 337, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut months = names.into_iter().zip(lengths);
    let (mut name, mut length) = months.next().expect("January");
    while days >= length {
        days -= length;
        (name, length) = months.next().expect("no month after December");
    }
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("Mon, {:02} {name} {year} {hour:02}:{minute:02}:{second:02} GMT", days + 1)
}

#[tokio::test]
async fn a_success_that_says_no_is_none() {
    let mut server = mockito::Server::new_async().await;
    let transport = builder(server.url()).build().expect("a transport");
    for (status, body, expected) in [
        (200, "<access-resp><token>canary-5ec7e7</token><success>true</success></access-resp>", "."),
        (
            200,
            "<access-resp><token>canary-5ec7e7</token><success>false</success><reason>canary-5ec7e7</reason></access-resp>",
            "m",
        ),
        (202, "<SUCCESS > False</SUCCESS>", "m"),
        (503, "<success>false</success>", "r"),
    ] {
        server.reset();
        server.mock("POST", "/event").with_status(status).with_body(body).create_async().await;
        let receipt = transport.send(&[event(1)]).await;
        assert_eq!(marks(&receipt), expected, "{status} {body}");
        if expected == "m" {
            assert!(failure(&receipt).error.to_string().contains("check the token"));
        }
    }
}

#[tokio::test]
async fn answers_in_odd_forms_are_understood_and_the_next_one_too() {
    let server = Server::start();
    let transport = builder(server.url()).build().expect("a transport");
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6;x=y\r\nstored\r\n0\r\nTrailer: 1\r\n\r\n";
    for (bytes, closes, expected) in [
        (chunked, false, "."),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false, "."),
        ("HTTP/1.1 204 No Content\r\n\r\n", false, "."),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", false, "."),
        ("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n", false, "x"),
        ("HTTP/1.1 205 Reset Content\r\n\r\n", false, "."),
        ("HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 6\r\n\r\nstored", true, "."),
        ("HTTP/1.1 202 Accepted\r\n\r\nstored", true, "."),
        ("HTTP/1.0 200 OK\r\n\r\nstored", true, "."),
        ("HTTP/1.0 503 Sorry\r\n\r\n", true, "r"),
        ("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", true, "r?"),
    ] {
        server.script([if closes { Reply::RawThenClose(bytes.into()) } else { Reply::Raw(bytes.into()) }]);
        assert_eq!(marks(&transport.send(&[event(1)]).await), expected, "{bytes}");
        assert!(transport.send(&[event(2)]).await.is_delivered(), "after {bytes}");
    }
    assert_eq!(server.requests().len(), 22);
}

#[tokio::test]
async fn a_retry_without_a_header_says_nothing_about_time() {
    let server = Server::start();
    let transport = builder(server.url()).build().expect("a transport");
    server.script([Reply::Status(503)]);
    assert_eq!(failure(&transport.send(&[event(1)]).await).disposition, RETRY);
}
