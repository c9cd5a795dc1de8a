//! The local endpoint, spoken to over a bare socket.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use jkool_examples::{Endpoint, MAX_BODY, Received};
use jkool_model::{Entity, Value};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// A connection on which requests are written by hand.
struct Wire(BufReader<TcpStream>);

impl Wire {
    fn to(endpoint: &Endpoint) -> Self {
        let address = endpoint.url().strip_prefix("http://").unwrap();
        Self(BufReader::new(TcpStream::connect(address).unwrap()))
    }

    /// Writes `request`, and reads the status and the body of the answer.
    fn ask(&mut self, request: &str) -> (u16, String) {
        // What is refused may be refused before all of it is written.
        drop(self.0.get_mut().write_all(request.as_bytes()));
        let status = self.line().split(' ').nth(1).unwrap().parse().unwrap();
        let mut length = 0;
        loop {
            let line = self.line().to_lowercase();
            match line.strip_prefix("content-length:") {
                Some(value) => length = value.trim().parse().unwrap(),
                None if line.is_empty() => break,
                None => {}
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        (status, String::from_utf8(body).unwrap())
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

fn post(headers: &str, body: &str) -> String {
    format!("POST /event HTTP/1.1\r\nHost: here\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

#[test]
fn a_connection_is_kept() {
    let endpoint = Endpoint::start().unwrap();
    let mut wire = Wire::to(&endpoint);
    for operation in ["first", "second"] {
        let request =
            post("X-API-Key: canary-5ec1\r\ntoken: canary-5ec1\r\n", &format!(r#"{{"operation":"{operation}"}}"#));
        assert_eq!(wire.ask(&request), (202, String::new()));
    }
    let received = endpoint.received();
    assert_eq!(received.iter().map(operation).collect::<Vec<_>>(), ["first", "second"]);
    assert_eq!((received[0].method.as_str(), received[0].path.as_str()), ("POST", "/event"));
    assert_eq!((received[0].header("x-api-key"), received[0].header("token")), (Some("***"), Some("***")));
    assert!(!format!("{received:?}").contains("canary-5ec1"));
}

#[test]
fn a_request_can_hold_several() {
    let endpoint = Endpoint::start().unwrap();
    let body = "{\"operation\":\"first\"}\n{\"operation\":\"second\"}\n";
    assert_eq!(Wire::to(&endpoint).ask(&post("token: t\r\n", body)).0, 202);
    assert_eq!(endpoint.received().iter().map(operation).collect::<Vec<_>>(), ["first", "second"]);
}

#[test]
fn what_is_odd_is_refused_and_harms_nobody() {
    let endpoint = Endpoint::start().unwrap();
    let too_large = format!("POST / HTTP/1.1\r\nHost: h\r\ntoken: t\r\nContent-Length: {}\r\n\r\n", MAX_BODY + 1);
    let chunk = "x".repeat(MAX_BODY + 1);
    let too_large_in_chunks = format!(
        "POST / HTTP/1.1\r\nHost: h\r\ntoken: t\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{chunk}\r\n",
        chunk.len()
    );
    for (request, expected) in [
        (post("", "{}"), 401),
        (post("X-API-Key:\r\n", "{}"), 401),
        ("no request at all\r\n\r\n".to_owned(), 400),
        (post("token: t\r\n", ""), 400),
        (post("token: t\r\n", "{"), 400),
        (post("token: t\r\n", "[1]"), 400),
        (post("token: t\r\n", "{}\n{"), 400),
        (post("token: t\r\n", &"[".repeat(10_000)), 400),
        ("GET / HTTP/1.1\r\nHost: h\r\ntoken: t\r\n\r\n".to_owned(), 405),
        (post("token: t\r\nContent-Encoding: gzip\r\n", "{}"), 415),
        (too_large, 413),
        (too_large_in_chunks, 413),
    ] {
        let (status, _) = Wire::to(&endpoint).ask(&request);
        assert_eq!(status, expected, "{:.200}", request);
    }
    // Half a request, and gone.
    drop(Wire::to(&endpoint).0.get_mut().write_all(b"POST / HTTP/1.1\r\ntoken: t\r\nContent-Length: 9\r\n\r\n{"));
    assert_eq!(Wire::to(&endpoint).ask(&post("token: t\r\n", r#"{"operation":"after"}"#)).0, 202);
    assert_eq!(endpoint.received().iter().map(operation).collect::<Vec<_>>(), ["after"]);
}

#[test]
fn what_arrived_can_be_read_and_printed() {
    let endpoint = Endpoint::start().unwrap();
    let body = r#"{"type":"EVENT","operation":"ProcessOrder","corrid":["order-42"]}"#;
    let request = post("Content-Type: application/json\r\ntoken: canary-5ec1\r\n", body);
    assert_eq!(Wire::to(&endpoint).ask(&request).0, 202);
    let received = endpoint.received();
    let Entity::Event(event) = received[0].entity().unwrap() else { panic!("was an event") };
    assert_eq!(event.correlators, ["order-42"]);
    assert_eq!(
        received[0].to_string(),
        "POST /event\ncontent-type: application/json, token: ***\n\
         {\n  \"type\": \"EVENT\",\n  \"operation\": \"ProcessOrder\",\n  \"corrid\": [\"order-42\"]\n}"
    );
}

#[test]
fn a_dropped_endpoint_is_gone() {
    let endpoint = Endpoint::start().unwrap();
    let mut idle = Wire::to(&endpoint);
    idle.ask(&post("token: t\r\n", "{}"));
    drop(endpoint);
    assert_eq!(idle.line(), "");
}

fn operation(received: &Received) -> &str {
    let Value::Map(fields) = &received.body else { panic!("is an object") };
    fields.iter().find(|(key, _)| key == "operation").and_then(|(_, value)| value.as_str()).unwrap_or_default()
}
