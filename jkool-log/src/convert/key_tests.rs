use crate::convert::tests::{Failed, logged};
use jkool_client::model::{
    CompCode, Event, OpType, Property, Severity, Snapshot, Timestamp, TrackingId, TypedValue, Value,
};
use serde_json::{Value as Json, json};

/// What an event says beside what every event here says.
fn said(event: &Event) -> Json {
    let mut json = serde_json::to_value(event).unwrap();
    let fields = json.as_object_mut().unwrap();
    for (key, usual) in [("type", "EVENT"), ("severity", "INFO"), ("msg-text", "m"), ("operation", module_path!())] {
        if fields[key] == usual {
            fields.remove(key);
        }
    }
    json
}

macro_rules! says {
    ($($call:tt)+) => { said(&logged!($($call)+; "m")) };
}

/// Each name of a key, with `_` and with `-`.
fn each(names: &[&str], value: impl log::kv::ToValue, expected: Json) {
    for name in names.iter().flat_map(|name| [(*name).to_owned(), name.replace('_', "-")]) {
        let pair = [(&*name, &value)];
        let event = crate::convert(
            &log::Record::builder().args(format_args!("m")).target(module_path!()).key_values(&pair).build(),
        );
        assert_eq!(said(&event), expected, "{name}");
    }
}

const USEC: i64 = 1_457_524_800_000_000;

#[test]
fn every_key_decorates_its_field() {
    each(&["tracking_id"], "t-1", json!({"tracking-id": "t-1"}));
    each(&["parent_tracking_id", "parent_id"], "p-1", json!({"parent-id": "p-1"}));
    each(&["corr_id", "corrid", "correlator", "correlators"], "c", json!({"corrid": ["c"]}));
    each(&["time_usec", "time"], USEC, json!({"time-usec": USEC}));
    each(&["start_time_usec", "start_time"], USEC, json!({"start-time-usec": USEC}));
    each(&["end_time_usec", "end_time"], USEC, json!({"end-time-usec": USEC}));
    each(&["elapsed_time_usec", "elapsed_usec"], 250, json!({"elapsed-time-usec": 250}));
    each(&["wait_time_used", "wait_time_usec", "wait_usec"], 250, json!({"wait-time-usec": 250}));
    each(&["operation"], "placeOrder", json!({"operation": "placeOrder"}));
    each(&["op_type"], "SEND", json!({"type": "SEND"}));
    each(&["severity"], "FATAL", json!({"severity": "FATAL"}));
    each(&["comp_code"], "OK", json!({"comp-code": "SUCCESS"}));
    each(&["reason_code"], 2033, json!({"reason-code": 2033}));
    each(&["exception", "error", "err"], "boom", json!({"exception": "boom"}));
    each(&["resource"], "QUEUE.IN", json!({"resource": "QUEUE.IN"}));
    each(&["location"], "Atlanta, Ga", json!({"location": "Atlanta, Ga"}));
    each(&["user"], "bob", json!({"user": "bob"}));
    each(&["pid"], 4242, json!({"pid": 4242}));
    each(&["tid"], 77, json!({"tid": 77}));
    each(&["source_fqn", "source"], "APPL=a#SERVER=s", json!({"source-fqn": "APPL=a#SERVER=s"}));
    each(&["source_url"], "http://x/", json!({"source-url": "http://x/"}));
    each(&["msg_size", "message_size"], 18, json!({"msg-size": 18}));
    each(&["msg_age", "msg_age_usec", "message_age_usec"], 15, json!({"msg-age": 15}));
    each(&["msg_tag", "tag", "tags"], "t", json!({"msg-tag": "t"}));
    each(&["encoding"], "none", json!({"encoding": "none"}));
    each(&["charset"], "UTF-8", json!({"charset": "UTF-8"}));
    each(&["mime_type"], "text/plain", json!({"mime-type": "text/plain"}));
}

#[test]
fn a_value_may_come_in_other_forms() {
    assert_eq!(says!(corrid = 42), json!({"corrid": ["42"]}));
    assert_eq!(says!(user = 1001), json!({"user": "1001"}));
    assert_eq!(says!(pid = "4242"), json!({"pid": 4242}));
    assert_eq!(says!(tid:% = 7), json!({"tid": 7}));
    assert_eq!(says!(time = "2016-03-09T12:00:00"), json!({"time-usec": USEC}));
    assert_eq!(says!(start_time = "1457524800000000"), json!({"start-time-usec": USEC}));
    assert_eq!(
        says!(elapsed_usec = &std::time::Duration::from_millis(3).as_micros()),
        json!({"elapsed-time-usec": 3000})
    );
    assert_eq!(says!(comp_code = "warning"), json!({"comp-code": "WARNING"}));
    assert_eq!(says!(comp_code:% = CompCode::Error), json!({"comp-code": "ERROR"}));
    assert_eq!(says!(op_type:serde = OpType::Receive), json!({"type": "RECEIVE"}));
    let id = TrackingId::random();
    assert_eq!(says!(parent_id:% = id), json!({"parent-id": id.to_string()}));
}

#[test]
fn severity_is_a_word_or_a_level_of_python() {
    for (value, severity) in [
        (10, Severity::Debug),
        (20, Severity::Info),
        (30, Severity::Warning),
        (40, Severity::Error),
        (50, Severity::Critical),
    ] {
        assert_eq!(logged!(severity = value; "m").severity, severity);
    }
    assert_eq!(logged!(severity = "halt"; "m").severity, Severity::Halt);
    assert_eq!(logged!(severity:serde = Severity::Notice; "m").severity, Severity::Notice);
}

#[test]
fn what_does_not_fit_is_kept_as_a_property() {
    macro_rules! misfit {
        ($key:literal = $value:expr) => {{
            let (value, mut event) = ($value, logged!($key = $value; "m"));
            assert_eq!(event.properties, [Property::new($key, TypedValue::from(value))], "{}", $key);
            event.properties.clear();
            assert_eq!(said(&event), json!({}), "{}", $key);
        }};
    }
    misfit!("pid" = "abc");
    misfit!("tid" = 1.5);
    misfit!("tid" = u64::MAX);
    misfit!("reason_code" = true);
    misfit!("severity" = "loud");
    misfit!("severity" = 3_i64);
    misfit!("comp-code" = "so-so");
    misfit!("op_type" = "SHOUT");
    misfit!("source" = "kafka");
    misfit!("source-fqn" = "HOST=a");
    misfit!("time" = "now");
    misfit!("time" = 0_i64);
    misfit!("start_time" = -1_i64);
    misfit!("end_time_usec" = Timestamp::MAX.as_usec() + 1);
    misfit!("elapsed_usec" = -1_i64);
    misfit!("wait_usec" = "long");
    misfit!("msg_age" = -5_i64);
    misfit!("user" = true);
    misfit!("corrid" = false);
    misfit!("error" = 5_i64);
    misfit!("err" = false);
    misfit!("snapshot" = "Payment");
    misfit!("properties" = 5_i64);
}

#[test]
fn structures_do_not_fit_a_text() {
    let map = || Value::Map(vec![("a".into(), Value::Int(1))]);
    let event = logged!(location:serde = json!({"a": 1}), tags:serde = json!(["a", {"a": 1}]); "m");
    let list = Value::List(vec![Value::Text("a".into()), map()]);
    assert_eq!(event.properties, [Property::new("location", map()), Property::new("tags", list)]);
    assert!(event.location.is_empty() && event.tags.is_empty());
}

#[test]
fn nothing_said_changes_nothing() {
    let none = None::<&str>;
    assert_eq!(says!(location = none, pid = None::<u32>, tracking_id = "", severity = ()), json!({}));
    assert_eq!(says!(operation = "", exception = "", time = none, snapshots = ()), json!({}));
    assert_eq!(says!(snapshots:serde = json!([]), properties:serde = json!([]), corrid:serde = json!([])), json!({}));
}

#[test]
fn correlators_and_tags_add_up() {
    assert_eq!(
        says!(corrid = "a", corr_id:serde = ["b", "c"], correlator = 7),
        json!({"corrid": ["a", "b", "c", "7"]})
    );
    assert_eq!(says!(corrid:serde = json!(["a", null, "", 7])), json!({"corrid": ["a", "7"]}));
    assert_eq!(says!(tag = "a", tags:serde = ["b"]), json!({"msg-tag": ["a", "b"]}));
}

#[test]
fn of_a_repeated_field_the_last_counts() {
    assert_eq!(says!(user = "a", user = "b"), json!({"user": "b"}));
    let event = logged!(k = 1, k = 2; "m");
    assert_eq!(event.properties, [Property::new("k", 1_i64), Property::new("k", 2_i64)]);
}

#[test]
fn an_error_comes_with_its_causes() {
    let chain = "no amount: invalid digit found in string";
    assert_eq!(says!(error:err = Failed::new()), json!({"exception": chain}));
    assert_eq!(says!(err:err = Failed::new()), json!({"exception": chain}));
    let boxed: Box<dyn std::error::Error + Send + Sync> = Box::new(Failed::new());
    assert_eq!(says!(exception:err = *boxed), json!({"exception": chain}));
    assert_eq!(says!(error:% = Failed::new()), json!({"exception": "no amount"}));
}

#[test]
fn a_second_error_is_a_property() {
    let event = logged!(exception = "first", error:err = Failed::new(); "m");
    assert_eq!(event.exception, "first");
    assert_eq!(event.properties, [Property::new("error", "no amount: invalid digit found in string")]);
}

fn payment() -> Snapshot {
    Snapshot::builder("Payment")
        .category("Order")
        .time(Timestamp::from_usec(USEC))
        .property("order-no", "A-100")
        .property("order-amount", 42)
        .property("float", 1e-7_f32)
        .property("big", 1_i128 << 100)
        .property("nan", f64::NAN)
        .property("flag", true)
        .property("nothing", ())
        .build()
}

#[test]
fn snapshots_are_attached_as_they_are() {
    assert_eq!(logged!(snapshot:serde = payment(); "m").snapshots, [payment()]);
    assert_eq!(logged!(snapshots:serde = [payment(), payment()]; "m").snapshots, [payment(), payment()]);
    assert_eq!(logged!(snapshot:serde = payment(), snapshot:serde = payment(); "m").snapshots.len(), 2);
    let other = logged!(metrics:serde = payment(); "m");
    assert!(other.snapshots.is_empty());
    assert_eq!(other.properties[0].name, "metrics");
}

#[test]
fn what_is_no_snapshot_is_a_property() {
    let event = logged!(snapshot:serde = json!({"a": 1}), snapshots:serde = json!([payment(), 5]); "m");
    assert!(event.snapshots.is_empty());
    let names: Vec<_> = event.properties.iter().map(|property| &*property.name).collect();
    assert_eq!(names, ["snapshot", "snapshots"]);
}

#[test]
fn properties_come_as_a_list_or_as_a_dict() {
    let (a, b) = (Property::new("a", 1), Property::new("b", "t"));
    assert_eq!(logged!(properties:serde = [a.clone(), b.clone()]; "m").properties, [a.clone(), b.clone()]);
    assert_eq!(logged!(properties:serde = json!({"a": 1, "b": "t"}); "m").properties, [a, b]);
    let event = logged!(properties:serde = json!([{"value": 1}]); "m");
    assert_eq!(event.properties[0].name, "properties");
}

/// A moment of 2023.
const T: i64 = 1_700_000_000_000_000;

#[test]
fn the_third_time_follows_from_two() {
    let event = logged!(start_time = T + 1000, elapsed_usec = 250; "m");
    assert_eq!((event.end_time, event.properties.len()), (Some(Timestamp::from_usec(T + 1250)), 0));
    assert_eq!(logged!(start_time = T + 1000, end_time = T + 1250; "m").elapsed_usec, Some(250));
}

#[test]
fn times_that_contradict_each_other_do_not_cost_the_event() {
    let usec = |usec| TypedValue::from(Timestamp::from_usec(usec));
    let kept = |event: Event| -> Vec<_> { event.properties.into_iter().map(|p| (p.name, p.value)).collect() };

    // Two clocks.
    let event = logged!(start_time = T + 1000, end_time = T + 2000, elapsed_usec = 1003; "m");
    assert_eq!(
        (event.start_time, event.end_time),
        (Some(Timestamp::from_usec(T + 1000)), Some(Timestamp::from_usec(T + 2000)))
    );
    assert_eq!(event.elapsed_usec, Some(1000));
    assert_eq!(kept(event), [("elapsed_time_usec".into(), Value::Int(1003))]);

    let backwards = logged!(start_time = T + 2000, end_time = T + 1000; "m");
    assert_eq!((backwards.start_time, backwards.end_time, backwards.elapsed_usec), (None, None, None));
    assert_eq!(
        kept(backwards),
        [("start_time_usec".into(), usec(T + 2000).value), ("end_time_usec".into(), usec(T + 1000).value)]
    );

    let all = logged!(start_time = T + 2000, end_time = T + 1000, elapsed_usec = 5; "m");
    assert_eq!((all.start_time, all.end_time, all.elapsed_usec), (None, None, None));
    assert_eq!(kept(all).len(), 3);

    let endless = logged!(start_time = T + 1000, elapsed_usec = i64::MAX; "m");
    assert_eq!((endless.start_time, endless.end_time, endless.elapsed_usec), (None, None, None));
    assert_eq!(kept(endless).len(), 2);
}

#[test]
fn a_number_that_is_no_plausible_time_is_a_property() {
    for seconds in [1_700_000_000, 1_700_000_000_000, T, T * 1_000] {
        assert_eq!(logged!(time = seconds; "m").time, Some(Timestamp::from_usec(T)), "{seconds}");
    }
    for number in [35, 0, -1, 86_400, i64::MAX] {
        let event = logged!(time = number; "m");
        assert_eq!((event.time, &event.properties[0].value), (None, &Value::Int(number)), "{number}");
    }
}

#[test]
fn a_key_that_decorates_nothing_keeps_its_name() {
    let event = logged!("order-no" = "A-100", Pid = 5, message = "x", r#type = 1, r#user = "alice"; "m");
    assert_eq!(event.user, "alice");
    let names: Vec<_> = event.properties.iter().map(|property| &*property.name).collect();
    assert_eq!(names, ["order-no", "Pid", "message", "type"]);
    assert!(matches!(event.properties[0].name, std::borrow::Cow::Borrowed(_)));
}
