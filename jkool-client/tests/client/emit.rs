//! Emitting: decoration, defaults, hooks, scopes, kinds.

use crate::common::{PATIENCE, assert_balanced, client};
use jkool_client::model::{
    Activity, ActivityStatus, CompCode, Entity, Event, LogType, OpType, Severity, Snapshot, Timestamp, ValueType,
};
use jkool_client::transport::{Kind, MemoryTransport};
use jkool_client::{Admission, Client, LossReason};
use std::time::{Duration, SystemTime};

fn only_event(transport: &MemoryTransport) -> Event {
    let events: Vec<Event> = transport.decode(Kind::Event).unwrap();
    let [event] = <[Event; 1]>::try_from(events).unwrap();
    event
}

#[test]
fn every_decoration_arrives() {
    let memory = MemoryTransport::new();
    let client = client(&memory).build().unwrap();
    let start = Timestamp::from_usec(1_457_524_799_000_000);
    client
        .event("placeOrder")
        .op_type(OpType::Send)
        .message("This is an example")
        .severity(Severity::Error)
        .tracking_id("id-1")
        .parent_id("parent-1")
        .correlator("corr-1")
        .correlator("corr-2")
        .source("APPL=Own".parse().unwrap())
        .source_url("http://example.com/a?b=c&d=e")
        .time(start)
        .start_time(start)
        .elapsed(Duration::from_secs(1))
        .wait_time(Duration::from_micros(250))
        .comp_code(CompCode::Error)
        .reason_code(2033)
        .exception("boom")
        .resource("QUEUE.IN")
        .location("Atlanta, Ga")
        .user("bob")
        .pid(4242)
        .tid(77)
        .tag("tag-1")
        .message_age(Duration::from_micros(15))
        .message_size(18)
        .mime_type("text/plain")
        .encoding("none")
        .charset("UTF-8")
        .property("p", 5)
        .snapshot(Snapshot::builder("Payment").category("Order").property("order-no", "A-100").build())
        .emit();
    assert!(client.flush(PATIENCE).is_delivered());
    let expected = r#"{"type":"SEND","msg-text":"This is an example","msg-tag":"tag-1","msg-age":15,"msg-size":18,
        "mime-type":"text/plain","encoding":"none","charset":"UTF-8","operation":"placeOrder","severity":"ERROR",
        "tracking-id":"id-1","parent-id":"parent-1","corrid":["corr-1","corr-2"],"source-fqn":"APPL=Own",
        "source-url":"http://example.com/a?b=c&d=e","time-usec":1457524799000000,"start-time-usec":1457524799000000,
        "end-time-usec":1457524800000000,"elapsed-time-usec":1000000,"wait-time-usec":250,"comp-code":"ERROR",
        "reason-code":2033,"exception":"boom","resource":"QUEUE.IN","location":"Atlanta, Ga","user":"bob","pid":4242,
        "tid":77,"properties":[{"name":"p","type":"int","value":5}],"snapshots":[{"name":"Payment","category":"Order",
        "type":"SNAPSHOT","time-usec":1457524799000000,"parent-id":"id-1",
        "properties":[{"name":"order-no","type":"string","value":"A-100"}]}]}"#;
    let sent: serde_json::Value = serde_json::from_str(&memory.bodies()[0]).unwrap();
    assert_eq!(sent, serde_json::from_str::<serde_json::Value>(expected).unwrap());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the event's time is compared with the system's")]
fn each_event_has_its_own_id_and_time() {
    let memory = MemoryTransport::new();
    let client = client(&memory).build().unwrap();
    let before = Timestamp::from(SystemTime::now());
    client.event("first").emit();
    let between = Timestamp::from(SystemTime::now());
    // Ours are made with the event: TNT4PY's are made once, when the module is imported.
    client.event("second").emit();
    let after = Timestamp::from(SystemTime::now());
    assert!(client.flush(PATIENCE).is_delivered());
    let events: Vec<Event> = memory.decode(Kind::Event).unwrap();
    assert_ne!(events[0].tracking_id, events[1].tracking_id);
    assert!((before..=between).contains(&events[0].time.unwrap()));
    assert!((between..=after).contains(&events[1].time.unwrap()));
}

#[test]
fn defaults_fill_what_an_event_does_not_say() {
    let memory = MemoryTransport::new();
    let client = client(&memory).user("eve").location("here").property("env", "test").build().unwrap();
    client.emit(Event::default());
    client.event("own").user("bob").property("env", "own").emit();
    assert!(client.flush(PATIENCE).is_delivered());
    let events: Vec<Event> = memory.decode(Kind::Event).unwrap();
    let [filled, own] = events.as_slice() else { panic!("{} events", events.len()) };
    assert!(filled.source.as_ref().unwrap().as_str().starts_with("APPL=test#SERVER="));
    assert!(!filled.source.as_ref().unwrap().has_placeholders());
    assert_eq!((&*filled.user, &*filled.location), ("eve", "here"));
    assert_eq!(filled.pid, Some(std::process::id().into()));
    assert!(filled.tid.is_some() && filled.time.is_some() && filled.tracking_id.is_some());
    assert_eq!(filled.properties[0].value.as_str(), Some("test"));
    assert_eq!((&*own.user, own.properties.len()), ("bob", 1));
    assert_eq!(own.properties[0].value.as_str(), Some("own"));
}

#[test]
fn each_kind_is_routed_as_itself() {
    let memory = MemoryTransport::new();
    let client = client(&memory).build().unwrap();
    let activity = client.activity("Checkout").status(ActivityStatus::End).child("event-1");
    let parent = activity.id();
    client.event("Pay").parent_id(parent.clone()).emit();
    client.event("Audit").log_type(LogType::Audit).emit();
    client.snapshot("cpu").property("load", 0.5).emit();
    client.emit(Snapshot::builder("data").property("n", 1).dataset().build());
    activity.emit();
    assert!(client.flush(PATIENCE).is_delivered());
    let kinds: Vec<Kind> = memory.payloads().iter().map(|payload| payload.kind()).collect();
    assert_eq!(kinds, [Kind::Event, Kind::Log, Kind::Snapshot, Kind::Dataset, Kind::Activity]);
    let activities: Vec<Activity> = memory.decode(Kind::Activity).unwrap();
    assert_eq!(activities[0].tracking_id, Some(parent.clone()));
    assert_eq!(only_event(&memory).parent_id, Some(parent));
    let snapshots: Vec<Snapshot> = memory.decode(Kind::Snapshot).unwrap();
    assert_eq!(snapshots[0].category, "Default");
    assert!(snapshots[0].source.is_some());
}

#[test]
fn an_invalid_event_is_counted_and_the_rest_goes_on() {
    let memory = MemoryTransport::new();
    let client = client(&memory).build().unwrap();
    let early = Timestamp::from_usec(1);
    let refused = Admission::Dropped(LossReason::Invalid);
    assert_eq!(client.event("backwards").start_time(Timestamp::from_usec(5)).end_time(early).emit(), refused);
    assert_eq!(client.event("fine").emit(), Admission::Accepted);
    assert_eq!(client.emit(Snapshot::builder("empty").build()), refused);
    let report = client.flush(PATIENCE);
    assert_eq!((report.delivered(), report.dropped(), report.pending()), (1, 0, 0));
    assert_eq!(client.stats().dropped(LossReason::Invalid), 2);
    assert_eq!(only_event(&memory).operation, "fine");
    assert_balanced(&client.stats());
}

#[test]
fn the_hook_changes_drops_and_may_panic() {
    let memory = MemoryTransport::new();
    let hooked = client(&memory).property("env", "test").before_send(|mut entity| {
        let Entity::Event(event) = &mut entity else { return Some(entity) };
        assert!(event.source.is_some() && event.properties.iter().any(|property| property.name == "env"));
        match &*event.operation {
            "drop" => return None,
            "panic" => panic!("a hook of no good"),
            _ => event.properties.retain(|property| property.name != "password"),
        }
        Some(entity)
    });
    let client = hooked.build().unwrap();
    client.event("drop").emit();
    client.event("panic").emit();
    client.event("login").property("password", "secret").emit();
    let report = client.flush(PATIENCE);
    assert_eq!((report.delivered(), report.dropped()), (1, 2));
    assert!(!memory.bodies()[0].contains("secret"));
    assert_eq!(client.stats().dropped(LossReason::BeforeSend), 1);
    assert_eq!(client.stats().dropped(LossReason::HookPanic), 1);
    assert_balanced(&client.stats());
}

#[test]
fn a_scope_tells_how_long_it_took_and_how_it_ended() {
    #[derive(Debug, thiserror::Error)]
    #[error("no price")]
    struct NoPrice(#[source] std::num::ParseIntError);

    let memory = MemoryTransport::new();
    let client = client(&memory).build().unwrap();
    assert_eq!(client.event("good").start().record("12".parse::<u32>()), Ok(12));
    client.event("bad").start().record("x".parse::<u32>().map_err(NoPrice)).unwrap_err();
    client.event("plain").start().finish();
    client.event("failed").severity(Severity::Fatal).start().fail("out of paper");
    let panicking = client.clone();
    std::thread::spawn(move || {
        let mut scope = panicking.event("panicking").start();
        scope.property("items", 7);
        scope.update(|entity| {
            if let Entity::Event(event) = entity {
                event.reason_code = Some(7);
            }
        });
        panic!("on purpose");
    })
    .join()
    .unwrap_err();
    client.activity("act").start().fail("no");
    assert!(client.flush(PATIENCE).is_delivered());
    let mut events: Vec<Event> = memory.decode(Kind::Event).unwrap();
    // That of another thread may overtake the others.
    events.sort_by_key(|event| event.operation == "panicking");
    let outcome = |event: &Event| (event.comp_code, event.severity, event.exception.clone().into_owned());
    let expected = [
        (Some(CompCode::Success), Severity::Info, ""),
        (Some(CompCode::Error), Severity::Error, "no price: invalid digit found in string"),
        (None, Severity::Info, ""),
        (Some(CompCode::Error), Severity::Fatal, "out of paper"),
        (Some(CompCode::Error), Severity::Error, "panicked"),
    ];
    for (event, (code, severity, exception)) in events.iter().zip(expected) {
        assert_eq!(outcome(event), (code, severity, exception.to_owned()), "{}", event.operation);
        let (start, end) = (event.start_time.unwrap(), event.end_time.unwrap());
        assert_eq!(end.as_usec() - start.as_usec(), event.elapsed_usec.unwrap());
    }
    assert_eq!((events[4].reason_code, events[4].properties[0].value.as_i64()), (Some(7), Some(7)));
    let activities: Vec<Activity> = memory.decode(Kind::Activity).unwrap();
    assert_eq!(activities[0].status, Some(ActivityStatus::Exception));
}

#[test]
fn a_property_can_say_what_it_measures() {
    let memory = MemoryTransport::new();
    let client = client(&memory).build().unwrap();
    let load = jkool_client::model::Property::new("load", 97.5).value_type(ValueType::Percent);
    client.event("op").add_property(load).emit();
    assert!(client.flush(PATIENCE).is_delivered());
    assert_eq!(only_event(&memory).properties[0].value_type, ValueType::Percent);
}

#[test]
fn emitting_after_shutdown_is_counted_and_harmless() {
    let memory = MemoryTransport::new();
    let client = client(&memory).build().unwrap();
    assert_eq!(client.event("before").emit(), Admission::Accepted);
    assert!(client.shutdown(PATIENCE).is_delivered());
    assert_eq!(client.event("after").emit(), Admission::Dropped(LossReason::AfterShutdown));
    assert!(client.shutdown(PATIENCE).is_delivered());
    assert!(client.flush(PATIENCE).is_delivered());
    assert_eq!(
        client.stats().to_string(),
        "2 accepted: 1 delivered, 0 in memory, 1 dropped (1 emitted after shutdown)"
    );
}

#[test]
fn dropping_the_last_clone_delivers_what_is_queued() {
    let memory = MemoryTransport::new();
    let client = client(&memory).flush_interval(Duration::from_secs(3600)).build().unwrap();
    let clone: Client = client.clone();
    drop(client);
    for _ in 0..10 {
        clone.event("op").emit();
    }
    drop(clone);
    assert_eq!(memory.len(), 10);
}
