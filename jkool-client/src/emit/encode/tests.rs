//! What an event and a log line become on the thread that emits them.

use super::{Encoder, LONG, Shape, payload, with_scratch};
use crate::emit::code::Code;
use crate::emit::defaults::Defaults;
use crate::emit::host::Host;
use crate::emit::line::{Content, Line, Logged, Stamped};
use crate::emit::more::More;
use crate::emit::raw_properties::RawProperties;
use jkool_model::{
    Activity, Entity, Event, InvalidEntity, LogType, OpType, Property, Scalar, Severity, Snapshot, Timestamp,
};
use jkool_transport::Kind;
use proptest::prelude::{any, prop_assert_eq, prop_oneof, proptest};
use proptest::strategy::{Just, Strategy};

fn encoder(properties: Vec<Property>) -> Encoder {
    let host = Host { pid: 4242, ..Host::look(|_| None) };
    let source = Some("APPL=orders".parse().unwrap());
    Encoder::new(Defaults::new(source, Some("bob".into()), "Atlanta, Ga".into(), properties, host).unwrap(), false, 1)
}

/// The event that leaves, and its key.
fn leaves(shape: Shape, json: &[u8]) -> (Event, String) {
    let (json, key) = json.split_at(json.len() - shape.key_len);
    (serde_json::from_slice(json).unwrap(), String::from_utf8(key.to_vec()).unwrap())
}

fn encoded(encoder: &Encoder, event: Event) -> Result<(Event, String), InvalidEntity> {
    let mut json = b"what was there before".to_vec();
    encoder.encode(event.into(), More::NOTHING, &mut json).map(|shape| leaves(shape, &json))
}

#[test]
fn each_kind_has_its_route_and_key() {
    let kind = |entity: Entity| {
        let payload = payload(&entity);
        (payload.kind(), payload.key().map(str::to_owned))
    };
    let source = || "APPL=a".parse().unwrap();
    let key = |key: &str| Some(key.to_owned());
    let event = Event::builder().operation("op").source(source()).build().unwrap();
    assert_eq!(kind(event.into()), (Kind::Event, key("op")));
    let log = Event::builder().log_type(LogType::Audit).source(source()).build().unwrap();
    assert_eq!(kind(log.into()), (Kind::Log, None));
    let odd = Event::builder().op_type(OpType::Snapshot).source(source()).build().unwrap();
    assert_eq!(kind(odd.into()), (Kind::Event, None));
    let activity = Activity::builder().operation("act").source(source()).build().unwrap();
    assert_eq!(kind(activity.into()), (Kind::Activity, key("act")));
    let snapshot = Snapshot::builder("s").category("c");
    assert_eq!(kind(snapshot.clone().build().into()), (Kind::Snapshot, key("c")));
    assert_eq!(kind(snapshot.dataset().build().into()), (Kind::Dataset, key("c")));
}

#[test]
fn an_event_leaves_with_what_it_said_and_what_it_lacked() {
    let encoder = encoder(vec![Property::new("env", "prod")]);
    let time = Timestamp::from_usec(7);
    let bare = serde_json::from_str(r#"{"operation":"op","time-usec":7}"#).unwrap();
    let (event, key) = encoded(&encoder, bare).unwrap();
    assert_eq!((event.source.unwrap().as_str(), &*event.user, event.pid), ("APPL=orders", "bob", Some(4242)));
    assert_eq!((event.properties, event.time, key.as_str()), (vec![Property::new("env", "prod")], Some(time), "op"));
    assert!(event.tracking_id.is_some());

    let cart = Snapshot::builder("Cart").property("items", 3).build();
    let source = "APPL=own".parse().unwrap();
    let said = Event::builder().source(source).user("eve").time(time).property("env", "test").property("a", 1);
    let (event, key) = encoded(&encoder, said.snapshot(cart).build().unwrap()).unwrap();
    assert_eq!((event.source.unwrap().as_str(), &*event.user, &*event.location), ("APPL=own", "eve", "Atlanta, Ga"));
    assert_eq!(event.properties, [Property::new("env", "test"), Property::new("a", 1)]);
    assert_eq!((event.snapshots[0].parent_id.clone(), event.snapshots[0].time), (event.tracking_id, Some(time)));
    assert_eq!(key, "");
}

#[test]
fn an_activity_leaves_as_an_event_does() {
    let encoder = encoder(vec![Property::new("env", "prod"), Property::new("line", "default")]);
    let code = Code { module: "orders::web", file: "src/web.rs", line: 118 };
    let mut bare = Activity::default();
    (bare.operation, bare.time) = ("op".into(), Some(Timestamp::from_usec(7)));
    bare.properties.push(Property::new("a", 1));
    let mut said = Activity::builder().operation("op").source("APPL=own".parse().unwrap()).user("eve").child("c");
    said = said.location("here").pid(1).property("env", "test").time(Timestamp::from_usec(7));
    for activity in [bare, said.build().unwrap()] {
        for code in [None, Some(code)] {
            let mut by_worker = activity.clone();
            let mut json = Vec::new();
            let shape = encoder.encode(activity.clone().into(), code.into(), &mut json).unwrap();
            let (json, key) = json.split_at(json.len() - shape.key_len);
            let left: Activity = serde_json::from_slice(json).unwrap();
            assert_eq!((shape.kind, key), (Kind::Activity, &b"op"[..]));
            // The long way leads to the same.
            code.into_iter().for_each(|code| code.add_to(&mut by_worker.properties));
            by_worker.tracking_id.clone_from(&left.tracking_id);
            let mut by_worker = Entity::from(by_worker);
            encoder.defaults.apply(&mut by_worker, &encoder.ids, || Timestamp::from_usec(7));
            assert!(left.tracking_id.is_some());
            assert_eq!(Entity::from(left), by_worker);
        }
    }
    assert!(encoder.encode(Activity::default().into(), More::NOTHING, &mut Vec::new()).is_err(), "it has no operation");
}

#[test]
fn a_place_in_the_code_stands_between_own_properties_and_defaults() {
    let encoder = encoder(vec![Property::new("env", "prod"), Property::new("line", "default")]);
    let code = Code { module: "orders::web", file: "src/web.rs", line: 118 };
    let names = |own: &[&'static str]| {
        let mut event = Event::default();
        event.properties = own.iter().map(|name| Property::new(*name, "own")).collect();
        let mut by_worker = event.clone();
        let mut json = Vec::new();
        let shape = encoder.encode(event.into(), Some(code).into(), &mut json).unwrap();
        let properties = leaves(shape, &json).0.properties;
        // The long way leads to the same.
        code.add_to(&mut by_worker.properties);
        let mut by_worker = Entity::from(by_worker);
        encoder.defaults.apply(&mut by_worker, &encoder.ids, || Timestamp::from_usec(7));
        assert_eq!(&properties, by_worker.properties_mut());
        properties.iter().map(|property| format!("{}={}", property.name, property.value)).collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), ["module=orders::web", "file=src/web.rs", "line=118", "env=prod"]);
    assert_eq!(names(&["file", "env"]), ["file=own", "env=own", "module=orders::web", "line=118"]);
}

#[test]
fn what_is_invalid_is_refused_on_the_spot() {
    let encoder = encoder(Vec::new());
    let mut event = Event::default();
    event.elapsed_usec = Some(-1);
    assert!(matches!(encoded(&encoder, event), Err(InvalidEntity::Negative { .. })));
    let mut event = Event::default();
    event.message_age_usec = Some(-1);
    assert!(matches!(encoded(&encoder, event), Err(InvalidEntity::Negative { .. })), "beside a source that it lacks");
    assert!(encoded(&encoder, Event::default()).is_ok());
}

#[test]
fn long_texts_and_hooks_leave_the_encoding_to_the_worker() {
    let mut encoder = encoder(Vec::new());
    let event = |len: usize| {
        Entity::from(Event::builder().message("x".repeat(len)).source("APPL=a".parse().unwrap()).build().unwrap())
    };
    assert!(!encoder.leaves(&event(LONG)) && encoder.takes_line(&"x".repeat(LONG)));
    assert!(encoder.leaves(&event(LONG + 1)) && !encoder.takes_line(&"x".repeat(LONG + 1)));
    encoder.hooked = true;
    assert!(encoder.leaves(&event(0)) && !encoder.takes_line(""));
}

#[test]
fn the_buffer_is_there_for_the_next_and_never_in_use_twice() {
    with_scratch(|outer| {
        outer.extend_from_slice(&[1; 1000]);
        with_scratch(|inner| {
            assert!(inner.is_empty());
            inner.push(2);
        });
        assert_eq!(outer.len(), 1000);
    });
    with_scratch(|next| assert!(next.capacity() >= 1000));
    with_scratch(|large| large.reserve(1 << 20));
    with_scratch(|next| assert!(next.capacity() < 1 << 20));
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), any::<String>()]
}

proptest! {
    /// A line is a short cut: it leads to the very event that the long way makes.
    #[test]
    fn a_line_becomes_the_event_that_it_stands_for(
        (message, operation, module, file, line) in (text(), text(), text(), text(), any::<u32>()),
        (has_code, is_log, severity) in (any::<bool>(), any::<bool>(), 0..Severity::ALL.len()),
        defaults in proptest::sample::subsequence(vec!["module", "env", "line", "\"quoted\""], 0..=4),
        own in proptest::sample::subsequence(vec!["items", "customer", "\"own\""], 0..=3),
    ) {
        let encoder = encoder(defaults.into_iter().map(|name| Property::new(name, "default")).collect());
        let (severity, op_type) = (Severity::ALL[severity], if is_log { OpType::Log } else { OpType::Event });
        let mut event = Event::default();
        (event.op_type, event.severity) = (op_type, severity);
        (event.operation, event.message) = (operation.clone().into(), message.clone().into());
        (event.time, event.tid) = (Some(Timestamp::from_usec(9)), Some(5));
        let mut properties = RawProperties::new();
        for name in own {
            event.properties.push(Property::new(name, "own"));
            properties.push(name, Scalar::Text("own"));
            assert!(!encoder.adds_property(name));
        }
        if has_code {
            event.properties.push(Property::new("module", module.clone()));
            event.properties.push(Property::new("file", file.clone()));
            event.properties.push(Property::new("line", line));
        }
        let expected = encoded(&encoder, event).unwrap();

        let code = has_code.then(|| Code { module: module.leak(), file: file.leak(), line });
        let content = Content::Message(&message);
        let short = Line { op_type, operation: &operation, severity, content, code, properties: &properties };
        let mut json = b"what was there before".to_vec();
        let stamped = Stamped::new(&short, || Logged { time: 9, tid: 5 });
        let shape = encoder.encode_line(&stamped, &short.texts(), &mut json);
        // As the queue keeps it.
        let mut bytes = Vec::new();
        short.texts().append(&mut bytes);
        prop_assert_eq!((stamped.texts(&bytes), stamped.texts_len()), (short.texts(), bytes.len()));
        prop_assert_eq!(shape.kind, if is_log { Kind::Log } else { Kind::Event });
        let (mut event, key) = leaves(shape, &json);
        event.tracking_id.clone_from(&expected.0.tracking_id);
        prop_assert_eq!((event, key), expected);
    }
}
