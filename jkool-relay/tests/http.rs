//! Requests as a source: what is taken, when it is answered, and what by.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Server, client, json};
use flate2::Compression;
use flate2::write::GzEncoder;
use jkool_client::{Admission, Client};
use jkool_relay::{HttpSource, HttpSourceBuilder, Relay, RelayBuilder, RelayStatus};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::Notify;

const TOKEN: &str = "canary-17";

async fn source(token: Option<&str>) -> HttpSource {
    let builder = token.into_iter().fold(HttpSource::builder(), HttpSourceBuilder::token);
    builder.bind("127.0.0.1:0".parse().unwrap()).await.unwrap()
}

fn relay(source: HttpSource, server: &Server) -> RelayBuilder {
    Relay::builder(source, client(server)).commit_interval(Duration::from_millis(10))
}

/// Sends a request on a connection of its own, and reads the answer: nothing when there was none.
fn request(address: SocketAddr, head: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let length =
        if head.contains("content-length") { String::new() } else { format!("\r\ncontent-length: {}", body.len()) };
    // In one piece: who is refused before all was read would be cut off.
    stream
        .write_all(&[format!("{head}{length}\r\nhost: test\r\nconnection: close\r\n\r\n").as_bytes(), body].concat())
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn post(address: SocketAddr, body: &[u8]) -> String {
    request(address, "POST /JESL/event HTTP/1.1", body)
}

fn post_on_a_thread(address: SocketAddr, body: impl Into<Vec<u8>>) -> JoinHandle<String> {
    let body = body.into();
    std::thread::spawn(move || post(address, &body))
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
}

async fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn received(relay: &RelayStatus, count: u64) {
    until(|| relay.received() >= count).await;
}

fn numbers(server: &Server) -> BTreeSet<u64> {
    server.numbers().into_iter().collect()
}

#[tokio::test]
async fn what_a_client_sends_is_delivered_when_it_is_told_so() {
    const COUNT: u64 = 500;
    let (server, source) = (Server::new(), source(Some(TOKEN)).await);
    let url = format!("http://{}", source.address());
    let relay = relay(source, &server).build().unwrap();
    let stop = async {
        for (batch, gzip) in [(1, false), (100, false), (100, true)] {
            let sender = Client::builder().url(&url).token(TOKEN).http(move |http| http.batches(batch).gzip(gzip));
            let sender = sender.source("APPL=Test".parse().unwrap()).build().unwrap();
            let arrived = server.bodies().len() as u64;
            for number in 0..COUNT {
                let event = sender.event("Test").message(format!("number {number}"));
                assert_eq!(event.emit(), Admission::Accepted);
            }
            assert!(sender.flush_async(Duration::from_secs(60)).await.is_delivered());
            assert_eq!(server.bodies().len() as u64 - arrived, COUNT, "batches of {batch}");
        }
    };
    let report = relay.run(stop).await.unwrap();
    assert!(report.is_drained());
    assert_eq!((report.received, numbers(&server)), (3 * COUNT, (0..COUNT).collect()));
}

#[tokio::test]
async fn a_request_that_is_not_taken_says_why() {
    let (server, source) = (Server::new(), source(Some(TOKEN)).await);
    let address = source.address();
    let relay = relay(source, &server).build().unwrap();
    let asked = tokio::task::spawn_blocking(move || {
        let post = "POST /event HTTP/1.1\r\nx-api-key: canary-17";
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(json(1).as_bytes()).unwrap();
        let packed = packed.finish().unwrap();
        let mut large = GzEncoder::new(Vec::new(), Compression::fast());
        large.write_all(&vec![b' '; (4 << 20) + 1]).unwrap();
        let large = large.finish().unwrap();
        for (head, body, expected) in [
            (post.to_owned(), json(0).as_bytes(), 200),
            (post.to_owned(), b"", 200),
            ("POST / HTTP/1.1\r\ntoken: canary-17".to_owned(), b" \n", 200),
            ("POST /jesl/log HTTP/1.1\r\nauthorization: Bearer canary-17".to_owned(), b"", 200),
            (format!("{post}\r\ncontent-encoding: gzip"), &*packed, 200),
            (format!("{post}\r\ncontent-encoding: gzip"), b"no gzip", 400),
            (format!("{post}\r\ncontent-encoding: br"), b"x", 415),
            ("POST /event HTTP/1.1".to_owned(), b"{}", 401),
            ("POST /event HTTP/1.1\r\nx-api-key: canary-1".to_owned(), b"{}", 401),
            ("POST /event HTTP/1.1\r\nx-api-key: canary-18".to_owned(), b"{}", 401),
            (format!("{post}\r\norigin: http://127.0.0.1"), b"{}", 403),
            ("POST /other HTTP/1.1".to_owned(), b"{}", 404),
            ("PUT /event HTTP/1.1".to_owned(), b"{}", 405),
            (format!("{post}\r\ncontent-length: {}", (4 << 20) + 1), b"", 413),
            (format!("{post}\r\ncontent-encoding: gzip"), &large, 413),
            (post.to_owned(), "1\n".repeat(65_537).as_bytes(), 413),
        ] {
            let answer = request(address, &head, body);
            assert_eq!(status(&answer), expected, "{head}: {answer}");
            assert!(!answer.contains("canary"), "{answer}");
        }
    });
    let report = relay.run(async { asked.await.unwrap() }).await.unwrap();
    assert_eq!((report.settled, server.numbers()), (2, vec![0, 1]));
    assert!(HttpSource::builder().token("").bind(address).await.is_err());
}

#[tokio::test]
async fn the_path_says_the_kind_and_what_is_no_event_is_a_dead_letter() {
    let (server, letters, source) = (Server::new(), Server::new(), source(None).await);
    let address = source.address();
    let relay = relay(source, &server).dead_letters(letters.clone()).build().unwrap();
    let asked = tokio::task::spawn_blocking(move || {
        let entity = br#"{"operation":"Checkout","source-fqn":"APPL=Test"}"#;
        assert_eq!(status(&request(address, "POST /activity HTTP/1.1", entity)), 200);
        assert_eq!(status(&post(address, b"no event")), 200);
    });
    relay.run(async { asked.await.unwrap() }).await.unwrap();
    assert!(server.bodies()[0].contains(r#""type":"ACTIVITY""#), "{:?}", server.bodies());
    assert!(letters.bodies()[0].contains(r#""record":"no event""#), "{:?}", letters.bodies());
}

#[tokio::test]
async fn an_answer_comes_when_what_was_sent_is_settled_also_after_the_stop() {
    let (server, source) = (Server::away(), source(None).await);
    let address = source.address();
    let relay = relay(source, &server).build().unwrap();
    let state = relay.status();
    let (first, second) = (post_on_a_thread(address, json(1)), post_on_a_thread(address, json(2) + "\n" + &json(3)));
    let told = Notify::new();
    let stop = async {
        received(&state, 3).await;
        assert!(!first.is_finished() && !second.is_finished());
        told.notify_one();
    };
    let come_up = async {
        told.notified().await;
        // By then the relay drains.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(state.settled(), 0);
        server.come_up();
    };
    let (report, ()) = tokio::join!(relay.run(stop), come_up);
    assert!(report.unwrap().is_drained());
    assert_eq!([first, second].map(|answer| status(&answer.join().unwrap())), [200, 200]);
    assert_eq!(numbers(&server), (1..=3).collect());
}

#[tokio::test]
async fn what_is_left_at_the_end_is_not_said_to_be_delivered() {
    let (server, source) = (Server::away(), source(None).await);
    let address = source.address();
    let relay = relay(source, &server).drain_timeout(Duration::from_millis(20)).build().unwrap();
    let state = relay.status();
    let sender = post_on_a_thread(address, json(1));
    assert_eq!(relay.run(received(&state, 1)).await.unwrap().left, 1);
    let answer = sender.join().unwrap();
    assert_eq!(status(&answer), 503);
    assert!(answer.to_ascii_lowercase().contains("\r\nretry-after: 1\r\n"), "{answer}");
}

/// It waits for 5 seconds, since so does a request before it is refused.
#[tokio::test]
async fn while_enough_is_under_way_requests_are_told_to_come_again() {
    const COUNT: u64 = 40;
    let (server, source) = (Server::away(), source(None).await);
    let address = source.address();
    let relay = relay(source, &server).max_in_flight(2).build().unwrap();
    let senders: Vec<_> = (0..COUNT).map(|number| post_on_a_thread(address, json(number))).collect();
    let (up, mut answers) = (server.clone(), Vec::new());
    let stop = async {
        until(|| senders.iter().any(JoinHandle::is_finished)).await;
        up.come_up();
        until(|| senders.iter().all(JoinHandle::is_finished)).await;
        answers.extend(senders.into_iter().map(|sender| sender.join().unwrap()));
    };
    assert!(relay.run(stop).await.unwrap().is_drained());
    let arrived = numbers(&server);
    for (number, answer) in (0..).zip(&answers) {
        match status(answer) {
            200 => assert!(arrived.contains(&number), "{number} is lost"),
            503 => assert!(answer.to_ascii_lowercase().contains("retry-after: 1"), "{answer}"),
            _ => panic!("{answer}"),
        }
    }
    assert!(answers.iter().any(|answer| status(answer) == 503));
}

/// A connection that stays, on which requests follow each other as JESL and TNT4PY send them.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(address: SocketAddr) -> Self {
        Self(BufReader::new(TcpStream::connect(address).unwrap()))
    }

    fn send(&mut self, headers: &str, body: &str) {
        let head = format!("POST / HTTP/1.1\r\nhost: test{headers}\r\ncontent-length: {}\r\n\r\n", body.len());
        self.0.get_mut().write_all((head + body).as_bytes()).unwrap();
    }

    /// The status of the next response, its content type and its body.
    fn response(&mut self) -> (u16, String, String) {
        let (mut code, mut kind, mut length, mut line) = (0, String::new(), 0, String::new());
        while line != "\r\n" {
            line.clear();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "it was closed");
            match line.trim_end().split_once(": ") {
                None if line.starts_with("HTTP/1.1 ") => code = status(&line),
                Some(("content-type", value)) => kind = value.to_owned(),
                Some(("content-length", value)) => length = value.parse().unwrap(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        (code, kind, String::from_utf8(body).unwrap())
    }

    fn ask(&mut self, headers: &str, body: &str) -> u16 {
        self.send(headers, body);
        self.response().0
    }
}

fn handshake(token: &str) -> String {
    format!("<access-request><token>{token}</token></access-request>")
}

#[tokio::test]
async fn a_handshake_opens_its_own_connection_and_no_other() {
    let builder = HttpSource::builder().token(TOKEN).token("canary-19");
    let (server, source) = (Server::new(), builder.bind("127.0.0.1:0".parse().unwrap()).await.unwrap());
    let address = source.address();
    let asked = tokio::task::spawn_blocking(move || {
        // TNT4PY: the token in the handshake alone.
        for (number, token) in [(0, TOKEN), (1, "canary-19")] {
            let mut connection = Connection::open(address);
            connection.send("\r\ncontent-type: text/plain", &handshake(token));
            let body = format!("<access-resp><token>{token}</token><success>true</success></access-resp>");
            assert_eq!(connection.response(), (200, "text/xml; charset=UTF-8".into(), body));
            assert_eq!(connection.ask("\r\ncontent-type: application/json", &json(number)), 200);
            // What is shown with a request counts more than what was shown before.
            assert_eq!(connection.ask("\r\ntoken: canary-1", &json(number)), 401);
        }
        let mut stranger = Connection::open(address);
        assert_eq!(stranger.ask("", &json(2)), 401);
        stranger.send("", &handshake("canary-1"));
        let (code, _, body) = stranger.response();
        assert!(code == 401 && body.ends_with("<success>false</success><reason>Invalid token</reason></access-resp>"));
        assert_eq!(stranger.ask("", &json(2)), 401);
        // JESL: the token in both, events whose responses it does not read, and a ping at the end.
        let (mut jesl, with_token) = (Connection::open(address), "\r\nx-api-key: canary-17");
        assert_eq!(jesl.ask(with_token, &handshake(TOKEN)), 200);
        (3..6).for_each(|number| jesl.send(&format!("{with_token}\r\npragma: no-response"), &(json(number) + "\n")));
        jesl.send("\r\npragma: ping", "");
        // The only response, so that JESL, which closes the connection after one, knows that everything was taken.
        assert_eq!(jesl.response(), (200, "application/json".into(), "{\"accepted\":0}\n".into()));
    });
    let relay = relay(source, &server).build().unwrap();
    assert!(relay.run(async { asked.await.unwrap() }).await.unwrap().is_drained());
    assert_eq!(numbers(&server), [0, 1, 3, 4, 5].into());
}

#[tokio::test]
async fn a_client_that_reads_no_response_can_send_as_much_as_it_likes() {
    const COUNT: u64 = 100;
    let (server, source) = (Server::away(), source(None).await);
    let mut connection = Connection::open(source.address());
    let sent = tokio::task::spawn_blocking(move || {
        for number in 0..COUNT {
            // The response would repeat the token, and so the responses would be more than fits between the two.
            connection.send("\r\npragma: no-response", &handshake(&"x".repeat(200_000)));
            connection.send("\r\npragma: no-response", &json(number));
        }
        connection.send("\r\npragma: ping\r\nconnection: close", "");
        let mut responses = String::new();
        connection.0.read_to_string(&mut responses).unwrap();
        assert!(status(&responses) == 200 && responses.matches("HTTP/1.1 ").count() == 1, "{responses}");
    });
    let relay = relay(source, &server).build().unwrap();
    let stop = async {
        // It waits for no event to be delivered.
        sent.await.unwrap();
        assert_eq!(server.bodies(), [""; 0]);
        server.come_up();
    };
    assert!(relay.run(stop).await.unwrap().is_drained());
    assert_eq!(numbers(&server), (0..COUNT).collect());
}

#[tokio::test]
async fn what_a_client_that_reads_no_response_has_sent_before_the_stop_is_taken() {
    const COUNT: u64 = 300;
    let (server, source) = (Server::new(), source(None).await);
    let mut connection = Connection::open(source.address());
    let relay = relay(source, &server).build().unwrap();
    let status = relay.status();
    let stop = async {
        connection.send("\r\npragma: no-response", &json(0));
        received(&status, 1).await;
        // On this thread, so that none of them can be read before the stop.
        (1..COUNT).for_each(|number| connection.send("\r\npragma: no-response", &json(number)));
    };
    assert!(relay.run(stop).await.unwrap().is_drained());
    assert_eq!(numbers(&server), (0..COUNT).collect());
}
