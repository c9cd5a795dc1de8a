//! Each call of TNT4PY, written with our builders: what goes out means what Python's line means.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use common::lines::{body, lines};
use common::normal::{Kind, normal};
use common::wire;
use jkool_model::{
    CompCode, DataType, Event, EventBuilder, InvalidEntity, Property, Severity, Snapshot, SourceFault, SourceFqn,
    Timestamp, TypedValue, Value, replace_lone_surrogates,
};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::time::Duration;

const FQN: &str =
    "APPL=PythonStreaming#SERVER=PythonServer100#NETADDR=11.0.0.2#DATACENTER=DC1#GEOADDR=52.52437,13.41053";
const TIME: Timestamp = Timestamp::from_usec(1_457_524_800_000_000);
const METRICS_TIME: Timestamp = Timestamp::from_usec(1_466_662_761_000_000);

/// The recorded calls of a file, and which of them the test has seen.
struct Calls {
    lines: Vec<Json>,
    seen: BTreeSet<String>,
}

impl Calls {
    fn of(file: &str) -> Self {
        Self { lines: lines(file), seen: BTreeSet::new() }
    }

    /// What Python put on the wire for a case: the last of its requests, as it was.
    fn raw(&mut self, case: &str) -> String {
        self.seen.insert(case.to_owned());
        body(self.lines.iter().rfind(|line| line["case"] == case).unwrap())
    }

    /// The same in our spelling.
    fn python(&mut self, case: &str) -> Json {
        let raw = self.raw(case);
        normal(Kind::Event, &serde_json::from_str(&raw).unwrap())
    }

    fn same(&mut self, case: &str, ours: EventBuilder) {
        self.same_but(case, &[], ours);
    }

    /// The same but for keys that only one of the two has, or that are fresh for each event.
    fn same_but(&mut self, case: &str, ignored: &[&str], ours: EventBuilder) {
        let (mut python, mut ours) = (self.python(case), wire(&ours.build().unwrap()));
        for key in ignored {
            let removed = [&mut python, &mut ours].map(|event| event.as_object_mut().unwrap().remove(*key));
            assert!(removed.iter().any(Option::is_some), "{case}: {key}");
        }
        assert_eq!(ours, python, "{case}");
    }

    fn all_seen(self) {
        let cases = self.lines.iter().map(|line| line["case"].as_str().unwrap().to_owned());
        assert_eq!(self.seen, cases.collect());
    }
}

/// `logEvent(logger, message, sourcefqn)`.
fn untimed(message: &'static str) -> EventBuilder {
    Event::builder().operation("jKool logger").message(message).source(FQN.parse().unwrap())
}

/// The same with `tracking_id="t-0", time_usec=1457524800000000`.
fn log_event(message: &'static str) -> EventBuilder {
    untimed(message).tracking_id("t-0").time(TIME)
}

fn m() -> EventBuilder {
    log_event("m")
}
fn usec(usec: i64) -> Timestamp {
    Timestamp::from_usec(usec)
}

/// A snapshot with every type that the Python program had.
fn payment() -> Snapshot {
    Snapshot::builder("Payment")
        .time(METRICS_TIME)
        .parent_id("11111111-2222-3333-4444-555555555555")
        .category("Order")
        .property("order-no", "A-100")
        .property("order-amount", 42)
        .property("long", 9_007_199_254_740_993_i64)
        .property("double", 3.25)
        .property("float", 1e-7_f32)
        .property("bool", true)
        .property("none", ())
        .property("list", Value::List(vec![Value::Int(1), Value::Text("two".into())]))
        // Python's text "42" of type integer means the number.
        .property("str-number", 42)
        .property("date", TypedValue::new(Value::Int(1_466_662_761_000), DataType::Date))
        .build()
}

#[test]
fn log_event_with_each_of_its_keywords() {
    let mut calls = Calls::of("tnt4py_logevent.jsonl");
    calls.same("logevent-corr_id=your-correlator-id", m().correlator("your-correlator-id"));
    calls.same("logevent-corr_id=[c1, c2]", m().correlator("c1").correlator("c2"));
    calls.same("logevent-exception=ValueError: bad", m().exception("ValueError: bad"));
    calls.same("logevent-source_url=http://x/", m().source_url("http://x/"));
    calls.same("logevent-severity=logging.INFO", m().severity(Severity::Info));
    calls.same("logevent-severity=logging.WARNING", m().severity(Severity::Warning));
    calls.same("logevent-severity=logging.ERROR", m().severity(Severity::Error));
    calls.same("logevent-severity=logging.CRITICAL", m().severity(Severity::Critical));
    calls.same("logevent-tid=2", m().tid(2));
    calls.same("logevent-comp_code=SUCCESS", m().comp_code(CompCode::Success));
    calls.same("logevent-comp_code=OK", m().comp_code(CompCode::Success));
    calls.same("logevent-reason_code=0", m().reason_code(0));
    calls.same("logevent-reason_code=2033", m().reason_code(2033));
    calls.same("logevent-location=Atlanta, Ga", m().location("Atlanta, Ga"));
    calls.same("logevent-location=None", m());
    calls.same("logevent-operation=placeOrder", m().operation("placeOrder"));
    calls.same("logevent-user=bob", m().user("bob"));
    calls.same("logevent-logrecord-pollution", m().user("bob"));
    calls.same("logevent-start_time_usec=1457524799000000", m().start_time(usec(1_457_524_799_000_000)));
    calls.same("logevent-elapsed_time_usec=1000000", m().elapsed(Duration::from_secs(1)));
    calls.same("logevent-encoding=none", m().encoding("none"));
    calls.same("logevent-charset=UTF-8", m().charset("UTF-8"));
    calls.same("logevent-msg_age=15", m().message_age(Duration::from_micros(15)));
    calls.same("logevent-parent_tracking_id=p-1", m().parent_id("p-1"));
    calls.same("logevent-properties=[Property(a, b, string)]", m().property("a", "b"));
    calls.same("logevent-properties={a: 1}", m().property("a", 1));
    calls.same("logevent-properties=[]", m());
    let snapshot = Snapshot::builder("S").time(TIME).build();
    calls.same("logevent-snapshots=[Snapshot(S, 1457524800000000)]", m().snapshot(snapshot));
    calls.same("logevent-snapshots=[]", m());
    calls.same("logevent-msg-percent", log_event("100%s"));
    // A message is text here.
    calls.same("logevent-msg-int", log_event("42"));
    calls.same("logevent-msg-none", log_event("None"));
    calls.same(
        "logevent-all-optional",
        untimed("This is an example")
            .tracking_id("11111111-2222-3333-4444-555555555555")
            .time(TIME)
            .correlator("corr-1")
            .exception("java.lang.IllegalStateException: boom")
            .resource("QUEUE.IN")
            .wait_time(Duration::from_micros(250))
            .source_url("http://example.com/a?b=c&d=e")
            .severity(Severity::Error)
            .pid(4242)
            .tid(77)
            .comp_code(CompCode::Error)
            .reason_code(2033)
            .location("Atlanta, Ga")
            .operation("placeOrder")
            .user("bob")
            .start_time(usec(1_457_524_799_000_000))
            .end_time(TIME)
            .elapsed(Duration::from_secs(1))
            .message_size(18)
            .encoding("none")
            .charset("UTF-8")
            .mime_type("text/plain")
            .message_age(Duration::from_micros(15))
            .tag("tag-1")
            .parent_id("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee")
            .property("p-str", "v")
            .property("p-int", 5)
            .snapshot(payment()),
    );

    // What Python's defaults gave is one id and one time for the whole life of a program. Our ids are fresh, and the time
    // is for the client to give.
    calls.same_but("logevent-required-only", &["tracking-id", "time-usec"], untimed("This is an example"));
    calls.same_but("logevent-tracking_id=t-1", &["time-usec"], untimed("m").tracking_id("t-1"));
    calls.same_but("logevent-tracking_id=None", &["tracking-id", "time-usec"], untimed("m"));
    let iso = "2016-03-09T12:00:00".parse::<Timestamp>().unwrap();
    calls.same_but("logevent-time_usec=2016-03-09T12:00:00", &["tracking-id"], untimed("m").time(iso));

    // Python sends an event without a source.
    assert_eq!(calls.python("logevent-fqn-none").get("source-fqn"), None);
    let refused = Event::builder().operation("jKool logger").message("m").build();
    assert_eq!(refused, Err(InvalidEntity::Missing { field: "source-fqn" }));
    assert_eq!(calls.python("logevent-fqn-free-text")["source-fqn"], "GENERIC=anything at all");
    let fault = "anything at all".parse::<SourceFqn>().unwrap_err().reason;
    assert_eq!(fault, SourceFault::NoEquals("anything at all".into()));

    // Python's bare NaN is no JSON.
    assert!(serde_json::from_str::<Event>(&calls.raw("logevent-nan")).is_err());
    let event = m().property("nan", f64::NAN).property("inf", f64::INFINITY).property("ninf", f64::NEG_INFINITY);
    assert_eq!(
        wire(&event.build().unwrap())["properties"],
        json!([
            {"name": "nan", "type": "double", "value": "NaN"},
            {"name": "inf", "type": "double", "value": "Infinity"},
            {"name": "ninf", "type": "double", "value": "-Infinity"},
        ])
    );
    calls.all_seen();
}

#[test]
fn snapshots_of_an_event() {
    let mut calls = Calls::of("tnt4py_snapshots.jsonl");
    let s = || Snapshot::builder("S");
    let a = || Snapshot::builder("A").time(usec(1));
    calls.same("snapshot-parent-category", m().snapshot(s().time(METRICS_TIME).parent_id("t-0").category("C").build()));
    calls.same("snapshot-property-types", m().snapshot(payment()));
    let b = Snapshot::builder("B").time(usec(2)).category("K").build();
    calls.same("snapshot-several", m().snapshot(a().property("x", 1).build()).snapshot(b));
    calls.same("snapshot-not-a-list", m().snapshot(a().build()));
    calls.same("snapshot-property-none-type", m().snapshot(a().property("x", 1).build()));
    let payment = Snapshot::builder("Zahlung €").time(usec(1)).category("K\"q\"");
    calls.same("snapshot-nonascii", m().snapshot(payment.property("näme", "wért\n").build()));

    // Python's time is that of the import; ours is for the client to give.
    let mut python = calls.python("snapshot-minimal");
    assert!(python["snapshots"][0].as_object_mut().unwrap().remove("time-usec").is_some());
    assert_eq!(wire(&m().snapshot(s().build()).build().unwrap()), python);

    // Python sends the object's address; here a snapshot is no text, and travels alone.
    let python = calls.python("snapshot-direct-log");
    assert!(python["msg-text"].as_str().unwrap().starts_with("<jKool.metrics.Snapshot object at 0x"));
    let alone = a().category("C").property("x", 1).source(FQN.parse().unwrap()).build();
    assert_eq!(alone.validate(), Ok(()));
    calls.all_seen();
}

#[test]
fn plain_logging() {
    let mut calls = Calls::of("tnt4py_plain.jsonl");
    let info = |message: &'static str| untimed(message);
    let error = |message| untimed(message).severity(Severity::Error);
    let control: String =
        (0..32).chain([0x7f, 0x80, 0x9f, 0x2028, 0x2029, 0xfeff]).filter_map(char::from_u32).collect();
    let cases = [
        ("plain-info-default-level", info("Test log")),
        ("plain-error-default-level", error("Test log")),
        ("plain-critical-default-level", info("Test log").severity(Severity::Critical)),
        ("plain-default-logger-level", info("sent").severity(Severity::Warning).operation("lvl")),
        ("plain-warn-alias", info("Test log").severity(Severity::Warning)),
        ("plain-log-25", info("custom numeric level").severity(Severity::Info)),
        ("plain-log-60", info("above critical").severity(Severity::Critical)),
        ("plain-args-dict", info("user bob")),
        ("plain-object-message", info("{'a': 1}")),
        ("plain-exc-info", error("failed")),
        ("plain-exc-info-true", error("failed")),
        ("plain-quotes-newlines", info("say \"hi\" and 'bye' back\\slash /slash\nline2\r\n\ttab")),
        ("plain-control-chars", untimed("").message(control)),
        ("plain-html", info("<a href='x'>&amp;</a>")),
        ("plain-long-message", untimed("").message("x".repeat(70_000))),
        ("plain-logger-name-dotted", info("m").operation("my.app.module")),
        ("plain-logger-name-nonascii", info("m").operation("Prüfung \"x\"")),
        ("plain-root-logger", info("from root").severity(Severity::Warning).operation("root")),
        // Python's own names of a record's attributes are no keys of the protocol.
        ("plain-extra-allTags-logrecord-attrs", info("m")),
        ("plain-extra-allTags-missing", info("m")),
        ("plain-two-handlers", info("m")),
    ];
    for (case, ours) in cases {
        // A plain record of Python has neither.
        calls.same_but(case, &["source-fqn", "tracking-id"], ours);
    }

    let halves = calls.raw("plain-lone-surrogate");
    assert!(serde_json::from_str::<Event>(&halves).is_err());
    let mended: Event = serde_json::from_str(&replace_lone_surrogates(&halves)).unwrap();
    assert_eq!(mended.message, "bad \u{fffd} end");

    // Below the handler's level nothing was sent.
    let silent = calls.lines.iter().filter(|line| line["request"].is_null()).map(|line| line["case"].as_str().unwrap());
    assert_eq!(silent.collect::<Vec<_>>(), ["plain-debug-default-level"]);
    calls.seen.insert("plain-debug-default-level".into());
    calls.all_seen();
}

#[test]
fn no_two_events_share_an_id() {
    let python = |case| Calls::of("tnt4py_logevent.jsonl").python(case)["tracking-id"].clone();
    let frozen = "logevent-time_usec=2016-03-09T12:00:00";
    assert_eq!(python("logevent-required-only"), python(frozen), "Python's default is made once");
    let (one, other) = (untimed("m").build().unwrap(), untimed("m").build().unwrap());
    assert_ne!(one.tracking_id, other.tracking_id);
    assert_eq!(one.tracking_id.unwrap().to_string().len(), 36);
    assert_eq!(one.time, None);
}

#[test]
fn a_property_of_python_is_ours() {
    for (python, ours) in [
        (r#"{"name": "a", "value": 1, "type": "integer"}"#, Property::new("a", 1)),
        (r#"{"name": "a", "value": true, "type": "boolean"}"#, Property::new("a", true)),
        (r#"{"name": "a", "value": "b", "type": "String"}"#, Property::new("a", "b")),
        (r#"{"name": "a", "value": 5, "type": null}"#, Property::new("a", 5)),
        (r#"{"name": "a", "value": 5000000000}"#, Property::new("a", 5_000_000_000_i64)),
        (r#"{"name": "a", "value": null, "type": "none"}"#, Property::new("a", ())),
    ] {
        assert_eq!(serde_json::from_str::<Property>(python).unwrap(), ours);
    }
}
