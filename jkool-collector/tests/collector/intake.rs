//! What a client sends is understood, or refused with a reason that helps.

use crate::socket::{Connection, ask, collector, event, operations, post, request, stored};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use jkool_collector::Collector;
use serde_json::json;
use std::io::Write;

#[test]
fn every_path_of_every_client_takes_entities() {
    let collector = collector();
    let mut connection = Connection::open(collector.address());
    let mut expected = Vec::new();
    for base in ["", "/JESL", "/jesl"] {
        for path in ["/", "/event", "/activity", "/snapshot", "/log", "/dataset"] {
            let path = format!("{base}{path}");
            let answer = connection.ask(post(&path, format!(r#"{{"operation":"{path}","type":"EVENT"}}"#)));
            assert_eq!((answer.status, answer.json()), (202, json!({"stored": 1, "duplicates": 0})), "{path}");
            assert_eq!(answer.header("content-type"), Some("application/json"));
            expected.push(path);
        }
    }
    for path in ["/JESL", "/jesl"] {
        assert_eq!(connection.ask(post(path, event(path))).status, 202);
        expected.push(path.to_owned());
    }
    expected.sort();
    assert_eq!(operations(&collector), expected);
}

#[test]
fn the_path_tells_what_an_entity_is_that_does_not_say() {
    let collector = collector();
    assert_eq!(ask(&collector, post("/JESL/activity", event("a"))).status, 202);
    assert_eq!(ask(&collector, post("/snapshot", r#"{"name":"s","category":"c"}"#)).status, 202);
    assert_eq!(ask(&collector, post("/event", event("e"))).status, 202);
    assert_eq!(operations(&collector), ["activity a", "e", "snapshot s"]);
}

#[test]
fn the_label_of_the_body_is_not_believed() {
    let collector = collector();
    for label in ["application/json", "text/plain; charset=UTF-8", "application/x-www-form-urlencoded", "nonsense"] {
        assert_eq!(
            ask(&collector, request("POST", "/", &[("Content-Type", label)], event("a"))).status,
            202,
            "{label}"
        );
    }
    for (label, body) in [
        ("text/xml; charset=UTF-8", event("a")),
        ("text/plain", "<?xml version=\"1.0\"?><x/>".to_owned()),
        ("application/json", " <x/>".to_owned()),
    ] {
        let answer = ask(&collector, request("POST", "/", &[("Content-Type", label)], body));
        assert_eq!((answer.status, answer.json()["error"].as_str()), (415, Some("XML is not supported; send JSON")));
    }
    assert_eq!(stored(&collector).len(), 4);
}

#[test]
fn of_a_batch_the_bad_lines_are_named_and_the_good_ones_kept() {
    let collector = collector();
    let answer =
        ask(&collector, post("/event", "{\"operation\":\"a\"}\r\n\r\n{\"operation\": nope}\n{\"operation\":\"b\"}\n"));
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json(),
        json!({
            "error": "line 3, column 16: expected ident",
            "stored": 2,
            "duplicates": 0,
            "refused": [{"line": 3, "column": 16, "error": "expected ident"}],
        })
    );
    let answer = ask(&collector, post("/event", "[{\"operation\":\"c\"},\n 1, 2]"));
    assert_eq!((answer.status, answer.json()["stored"].as_u64()), (400, Some(1)));
    assert!(answer.json()["error"].as_str().unwrap().ends_with("; and 1 more"), "{answer:?}");
    assert_eq!(answer.json()["refused"][1]["column"], 5);
    let answer = ask(&collector, post("/event", "x\n".repeat(100)));
    assert_eq!((answer.json()["refused"].as_array().unwrap().len(), &answer.json()["refused-more"]), (32, &json!(68)));
    assert_eq!(operations(&collector), ["a", "b", "c"]);
    assert_eq!((collector.counts().stored, collector.counts().refused), (3, 103));
}

#[test]
fn what_comes_again_is_stored_once() {
    let collector = collector();
    let body = r#"{"operation":"a","tracking-id":"1"}"#;
    assert_eq!(ask(&collector, post("/", body)).json(), json!({"stored": 1, "duplicates": 0}));
    assert_eq!(ask(&collector, post("/", body)).json(), json!({"stored": 0, "duplicates": 1}));
    assert_eq!(collector.counts().duplicates, 1);
}

#[test]
fn compressed_bodies_are_unpacked_and_bombs_are_not() {
    let collector = Collector::builder().listen("127.0.0.1:0").max_body(1 << 20).start().unwrap();
    let pack = |name: &str, plain: &[u8]| {
        let level = Compression::best();
        match name {
            "gzip" => {
                let mut packer = GzEncoder::new(Vec::new(), level);
                packer.write_all(plain).unwrap();
                packer.finish().unwrap()
            }
            "zlib" => {
                let mut packer = ZlibEncoder::new(Vec::new(), level);
                packer.write_all(plain).unwrap();
                packer.finish().unwrap()
            }
            _ => {
                let mut packer = DeflateEncoder::new(Vec::new(), level);
                packer.write_all(plain).unwrap();
                packer.finish().unwrap()
            }
        }
    };
    let send = |encoding: &str, body: &[u8]| {
        ask(&collector, request("POST", "/event", &[("Content-Encoding", encoding)], body))
    };
    for (packer, encoding) in [("gzip", "gzip"), ("gzip", "X-GZIP"), ("zlib", "deflate"), ("raw", "deflate")] {
        let body = pack(packer, format!("{}\n", event(packer)).repeat(1_000).as_bytes());
        assert_eq!(send(encoding, &body).json(), json!({"stored": 1_000, "duplicates": 0}), "{packer}");
        let bomb = pack(packer, &vec![b' '; 8 << 20]);
        assert_eq!(send(encoding, &bomb).status, 413, "{packer}");
        assert_eq!(send(encoding, &body[..body.len() / 2]).status, 400, "{packer}");
    }
    assert_eq!(send("gzip", b"no gzip").json()["error"], "the body is not valid gzip");
    assert_eq!(send("identity", event("a").as_bytes()).status, 202);
    let answer = send("br", b"?");
    assert_eq!((answer.status, answer.header("accept-encoding")), (415, Some("gzip, deflate")));
    assert_eq!(stored(&collector).len(), 4_001);
}

#[test]
fn what_is_not_taken_is_refused_with_the_right_status() {
    let collector = Collector::builder().listen("127.0.0.1:0").max_body(1_000).start().unwrap();
    for path in ["/event", "/log", "/JESL", "/jesl/dataset"] {
        let answer = ask(&collector, request("GET", path, &[], ""));
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{path}");
        assert_eq!(answer.json()["error"], "this path does not support GET");
    }
    assert_eq!(ask(&collector, post("/nowhere", event("a"))).status, 404);
    // Said in advance it is refused in advance; said in chunks, as soon as it is too much.
    let answer = ask(&collector, "POST /event HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n");
    assert_eq!((answer.status, answer.json()["error"].as_str()), (413, Some("the body is larger than 1000 bytes")));
    let mut connection = Connection::open(collector.address());
    connection.send("POST /event HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n");
    connection.send(" ".repeat(1_001));
    assert_eq!(connection.answer().status, 413);
    assert!(connection.is_closed());
    assert_eq!(ask(&collector, post("/event", " ".repeat(1_000))).status, 200);
    assert!(stored(&collector).is_empty());
}

#[test]
fn a_ping_and_an_empty_body_store_nothing() {
    let collector = Collector::builder().listen("127.0.0.1:0").token("canary-01").start().unwrap();
    assert_eq!(ask(&collector, request("POST", "/", &[("Pragma", "ping")], "")).status, 200);
    assert_eq!(ask(&collector, post("/", "")).status, 401);
    assert_eq!(ask(&collector, request("POST", "/", &[("token", "canary-01")], "")).status, 200);
    assert!(stored(&collector).is_empty());
}

#[test]
fn requests_in_a_row_are_answered_in_a_row() {
    let collector = collector();
    let mut connection = Connection::open(collector.address());
    let mut all = Vec::new();
    for number in 0..50 {
        all.extend(post("/event", event(&format!("{number:02}"))));
        all.extend(post("/event", "x"));
    }
    connection.send(all);
    for _ in 0..50 {
        assert_eq!(connection.answer().status, 202);
        assert_eq!(connection.answer().status, 400);
    }
    assert_eq!(operations(&collector), (0..50).map(|number| format!("{number:02}")).collect::<Vec<_>>());
}

#[test]
fn older_and_stranger_ways_to_send_a_body_work() {
    let collector = collector();
    // HTTP/1.0: no Host, and the connection ends with the answer.
    let mut connection = Connection::open(collector.address());
    let old = format!("POST /event HTTP/1.0\r\nContent-Length: {}\r\n\r\n{}", event("old").len(), event("old"));
    assert_eq!(connection.ask(old).status, 202);
    assert!(connection.is_closed());
    let mut connection = Connection::open(collector.address());
    let chunked = "POST /event HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    connection.send(format!("{chunked}5\r\n{{\"ope\r\nb\r\nration\":\"c\"\r\n1\r\n}}\r\n0\r\n\r\n"));
    assert_eq!(connection.answer().status, 202);
    let expects = format!(
        "POST /event HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        event("expects").len()
    );
    connection.send(expects);
    connection.send(event("expects"));
    assert_eq!(connection.answer().status, 202);
    // Sends no more, and still wants to know.
    connection.send(post("/event", event("half")));
    connection.send_no_more();
    assert_eq!(connection.answer().status, 202);
    assert!(connection.is_closed());
    assert_eq!(operations(&collector), ["c", "expects", "half", "old"]);
}

#[test]
fn a_client_that_reads_no_answer_can_send_as_much_as_it_likes() {
    let collector = collector();
    let mut connection = Connection::open_narrow(collector.address());
    // The answers, which would name the bad lines, would be more than fits between the two.
    let bad = format!("\n{{\"time-usec\":\"{}\"}}", "x".repeat(200));
    let one = request("POST", "/", &[("Pragma", "no-response")], event("a") + &bad.repeat(32));
    let sent = 1_500;
    for _ in 0..sent {
        connection.send(&one);
    }
    connection.send(request("POST", "/", &[("Pragma", "ping")], ""));
    // JESL closes the connection after one answer, so it must be that of the ping, when everything was taken.
    assert_eq!(connection.answer().status, 200);
    assert_eq!(collector.counts().stored, sent);
    connection.send_no_more();
    assert!(connection.is_closed());
}
