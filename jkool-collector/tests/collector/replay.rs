//! What every known client put on the wire, sent again byte for byte: answered as that client expects, and stored with its
//! meaning.

use crate::socket::{Answer, Connection, event, request};
use jkool_collector::{Collector, TestCollector};
use jkool_model::{Entity, repair_json};
use serde_json::Value;
use std::collections::HashSet;
use std::path::Path;

/// The file, how many requests there are in it, and how many entities are stored afterwards: some send one over and over.
const FILES: [(&str, usize, usize); 15] = [
    ("jesl_http.jsonl", 21, 6),
    ("jesl_sink.jsonl", 6, 4),
    ("jkool_http.jsonl", 4, 1),
    ("jkool_event.jsonl", 27, 26),
    ("jkool_activity.jsonl", 2, 2),
    ("jkool_snapshot.jsonl", 2, 2),
    ("jkool_log.jsonl", 7, 7),
    ("readme_rest.jsonl", 1, 1),
    ("tnt4py_auth.jsonl", 21, 6),
    ("tnt4py_default_url.jsonl", 4, 2),
    ("tnt4py_logevent.jsonl", 40, 38),
    ("tnt4py_old_1f5cc6a.jsonl", 7, 3),
    ("tnt4py_plain.jsonl", 24, 23),
    ("tnt4py_readme.jsonl", 4, 3),
    ("tnt4py_snapshots.jsonl", 8, 8),
];

fn lines(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../jkool-model/tests/wire").join(file);
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A request as its client wrote it, but for the Host.
fn bytes(line: &Value) -> Option<(Vec<u8>, Vec<u8>)> {
    let sent = line["request"].as_object()?;
    let body = match sent.get("body_base64") {
        // Only one is: the handshake with a token in Latin-1.
        Some(_) => b"<access-request><token>tok\xe9n</token></access-request>".to_vec(),
        None => sent["body"].as_str()?.as_bytes().to_vec(),
    };
    let headers = sent["headers"].as_object()?.iter();
    let headers: Vec<_> = headers.map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
    Some((request(sent["method"].as_str()?, sent["path"].as_str()?, &headers, &body), body))
}

/// What the model reads from a body.
fn meaning(body: &[u8]) -> Option<Entity> {
    // What is nearly JSON is taken too.
    serde_json::from_slice(body).ok().or_else(|| serde_json::from_slice(&repair_json(body)?).ok())
}

#[test]
fn every_request_is_answered_as_its_client_expects_and_stored_with_its_meaning() {
    for (file, requests, stored) in FILES {
        let collector = TestCollector::start();
        let (mut expected, mut bodies) = (Vec::new(), HashSet::new());
        let mut connection: Option<(Value, Connection)> = None;
        let mut count = 0;
        for line in lines(file) {
            let Some((request, body)) = bytes(&line) else { continue };
            count += 1;
            // The requests of one case came on one connection.
            let goes_on = connection.as_ref().is_some_and(|(case, _)| *case == line["case"]) && line["seq"] != 0;
            if !goes_on {
                let fresh = Connection::open(collector.collector().address());
                connection = Some((line["case"].clone(), fresh));
            }
            let (_, connection) = connection.as_mut().unwrap();
            let place = format!("{file}: {}", line["case"]);
            if line["request"]["headers"]["Pragma"] == "no-response" {
                // Only what comes next is answered, when this has been taken.
                connection.send(request);
                let ping = connection.ask(crate::socket::request("POST", "/", &[("Pragma", "ping")], ""));
                assert_eq!(ping.status, 200, "{place}");
            } else {
                check(&place, &line, &body, &connection.ask(request));
            }
            // The same again is stored once if it has an id.
            let fresh = bodies.insert(body.trim_ascii().to_vec());
            expected.extend(meaning(&body).filter(|entity| fresh || entity.tracking_id().is_none()));
        }
        assert_eq!((count, expected.len()), (requests, stored), "{file}");
        assert_eq!(collector.entities(), expected, "{file}");
        in_the_store(collector.collector(), expected, file);
    }
}

/// What the store finds is what was sent, in whatever order.
fn in_the_store(collector: &Collector, all: Vec<Entity>, file: &str) {
    // What has an id and means the same, however it is spelt, is there once.
    let mut expected: Vec<Entity> = Vec::new();
    for entity in all {
        if entity.tracking_id().is_none() || !expected.contains(&entity) {
            expected.push(entity);
        }
    }
    for found in crate::socket::stored(collector) {
        let place = expected.iter().position(|entity| *entity == found);
        expected.remove(place.unwrap_or_else(|| panic!("{file}: {found:?}")));
    }
    assert!(expected.is_empty(), "{file}: {expected:?}");
}

fn check(place: &str, line: &Value, body: &[u8], answer: &Answer) {
    let text = String::from_utf8_lossy(body);
    if line["request"]["path"] == "/x" {
        // It was meant for another server, by way of a proxy.
        assert_eq!(answer.status, 404, "{place}");
    } else if text.starts_with("<access-request>") {
        // TNT4PY looks at the status, JESL at the body too.
        assert_eq!(answer.status, 200, "{place}");
        assert!(answer.body.starts_with("<access-resp><token>"), "{place}");
        assert!(answer.body.ends_with("</token><success>true</success></access-resp>"), "{place}");
    } else if text.starts_with('<') {
        assert_eq!(answer.status, 415, "{place}");
    } else if text.trim().is_empty() {
        assert_eq!(answer.status, 200, "{place}");
    } else if meaning(body).is_some() {
        assert_eq!(answer.status, 202, "{place}: {}", answer.body);
    } else {
        assert_eq!((answer.status, &answer.json()["refused"][0]["line"]), (400, &Value::from(1)), "{place}");
    }
}

#[test]
fn what_clients_send_over_plain_tcp_arrives() {
    let builder = Collector::builder().listen_tcp("127.0.0.1:0");
    let collector = TestCollector::start_with(builder).unwrap();
    let address = collector.collector().tcp_address().unwrap();
    let mut expected = Vec::new();
    let sent =
        lines("jesl_tcp.jsonl").into_iter().flat_map(|line| line["bytes_per_connection"].as_array().unwrap().clone());
    let sinks = lines("jesl_sink.jsonl").into_iter().map(|line| line["request"]["body"].clone());
    for bytes in sent.chain(sinks) {
        let bytes = bytes.as_str().unwrap();
        if bytes.starts_with('<') {
            continue;
        }
        let mut connection = Connection::open(address);
        connection.send(bytes);
        connection.send_no_more();
        // It is closed when all of it is stored.
        assert!(connection.is_closed());
        expected.extend(bytes.lines().filter_map(|line| meaning(line.as_bytes())));
    }
    assert!(expected.len() >= 6);
    assert_eq!(collector.wait_for(expected.len()).unwrap().len(), expected.len());
    in_the_store(collector.collector(), expected, "plain TCP");
    // One with a newline inside: two lines, none of which is an entity.
    assert_eq!(collector.collector().counts().refused, 2);
    let mut one = Connection::open(address);
    one.send(event("after"));
    one.send_no_more();
    assert!(one.is_closed());
    assert_eq!(collector.events().last().unwrap().operation, "after");
}
