//! Every recorded line of every known client is read, and means what the notes on the wire say it means.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use common::lines::{bodies, files, lines};
use common::normal::{Kind, kind, normal};
use common::wire;
use jkool_model::{Activity, Entity, Event, Property, Snapshot, replace_lone_surrogates};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use std::fmt::Debug;

/// How many of a file's messages were what.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    lines: usize,
    /// Lines that sent nothing.
    silent: usize,
    read: usize,
    /// No JSON object: handshakes, empty bodies, bare text, bare NaN, unescaped quotes.
    refused: usize,
    /// Refused for half a character, and read once that was replaced.
    mended: usize,
}

const fn tally(lines: usize, silent: usize, read: usize, refused: usize, mended: usize) -> Tally {
    Tally { lines, silent, read, refused, mended }
}

const FILES: [(&str, Tally); 25] = [
    ("jesl_http.jsonl", tally(22, 1, 6, 15, 0)),
    ("jesl_sink.jsonl", tally(6, 0, 4, 2, 0)),
    ("jesl_tcp.jsonl", tally(5, 3, 2, 2, 0)),
    ("jkool_activity.jsonl", tally(2, 0, 2, 0, 0)),
    ("jkool_event.jsonl", tally(29, 2, 27, 0, 0)),
    ("jkool_http.jsonl", tally(4, 0, 4, 0, 0)),
    ("jkool_log.jsonl", tally(7, 0, 7, 0, 0)),
    ("jkool_property.jsonl", tally(28, 0, 28, 0, 0)),
    ("jkool_snapshot.jsonl", tally(4, 2, 2, 0, 0)),
    ("readme_rest.jsonl", tally(1, 0, 1, 0, 0)),
    ("tnt4j_activity.jsonl", tally(7, 0, 7, 0, 0)),
    ("tnt4j_event.jsonl", tally(36, 0, 35, 0, 1)),
    ("tnt4j_kafka_mqtt_sink.jsonl", tally(8, 0, 8, 0, 0)),
    ("tnt4j_log.jsonl", tally(15, 0, 15, 0, 0)),
    ("tnt4j_property.jsonl", tally(28, 0, 21, 7, 0)),
    ("tnt4j_snapshot.jsonl", tally(8, 0, 7, 1, 0)),
    ("tnt4j_source.jsonl", tally(7, 7, 0, 0, 0)),
    ("tnt4py_auth.jsonl", tally(22, 1, 6, 15, 0)),
    ("tnt4py_default_url.jsonl", tally(5, 1, 2, 2, 0)),
    ("tnt4py_logevent.jsonl", tally(40, 0, 39, 1, 0)),
    ("tnt4py_mqtt.jsonl", tally(18, 5, 13, 4, 0)),
    ("tnt4py_old_1f5cc6a.jsonl", tally(7, 0, 3, 4, 0)),
    ("tnt4py_plain.jsonl", tally(25, 1, 22, 1, 1)),
    ("tnt4py_readme.jsonl", tally(5, 1, 3, 1, 0)),
    ("tnt4py_snapshots.jsonl", tally(8, 0, 8, 0, 0)),
];

#[test]
fn every_line_of_every_client_is_read_as_it_was_meant() {
    assert_eq!(files(), FILES.iter().map(|(file, _)| *file).collect::<Vec<_>>());
    for (file, expected) in &FILES {
        let mut found = Tally::default();
        for line in lines(file) {
            let place = format!("{file}: {}", line["case"]);
            let bodies = bodies(&line);
            found.lines += 1;
            found.silent += usize::from(bodies.is_empty());
            for body in bodies {
                check(&place, &body, &mut found);
                let marked_broken = line["body_is_valid_json"] == Json::Bool(false);
                assert!(!marked_broken || Entity::read(&body).is_err(), "{place}");
            }
        }
        assert_eq!(found, *expected, "{file}");
    }
}

fn check(place: &str, body: &[u8], tally: &mut Tally) {
    if serde_json::from_slice::<Json>(body).is_ok() {
        tally.read += 1;
        return check_meaning(place, body);
    }
    let error = Entity::read(body).unwrap_err().to_string();
    assert!(error.contains(" at line 1 column "), "{place}: {error}");
    match std::str::from_utf8(body).map(replace_lone_surrogates) {
        Ok(mended) if mended.as_bytes() != body => {
            tally.mended += 1;
            check_meaning(place, mended.as_bytes());
        }
        _ => {
            tally.refused += 1;
            assert!(Event::read(body).is_err() && Activity::read(body).is_err(), "{place}");
            assert!(Snapshot::read(body).is_err() && Property::read(body).is_err(), "{place}");
        }
    }
}

fn check_meaning(place: &str, body: &[u8]) {
    let json: Json = serde_json::from_slice(body).unwrap();
    let kind = kind(&json);
    let meaning = normal(kind, &json);
    if kind == Kind::Property {
        return check_round_trip::<Property>(place, body, &meaning);
    }
    check_round_trip::<Entity>(place, body, &meaning);
    // Read as what it is, without being asked what that is, it means the same.
    match (kind, Entity::read(body).unwrap()) {
        (Kind::Event, Entity::Event(event)) => assert_eq!(Event::read(body).unwrap(), *event, "{place}"),
        (Kind::Activity, Entity::Activity(activity)) => assert_eq!(Activity::read(body).unwrap(), *activity, "{place}"),
        (Kind::Snapshot, Entity::Snapshot(snapshot)) => assert_eq!(Snapshot::read(body).unwrap(), *snapshot, "{place}"),
        (expected, found) => panic!("{place}: {expected:?} was read as {found:?}"),
    }
}

fn check_round_trip<T: Read + Serialize + PartialEq + Debug>(place: &str, body: &[u8], meaning: &Json) {
    let read = T::read(body).unwrap_or_else(|error| panic!("{place}: {error}"));
    assert_eq!(wire(&read), *meaning, "{place}");
    let written = serde_json::to_string(&read).unwrap();
    assert!(!written.contains(['\n', '\r']), "{place}");
    assert_eq!(T::read(written.as_bytes()).unwrap(), read, "{place}");
}

trait Read: DeserializeOwned {
    fn read(json: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(json)
    }
}

impl<T: DeserializeOwned> Read for T {}
