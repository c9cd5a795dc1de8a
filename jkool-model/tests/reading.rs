//! What reading forgives, and how it says what it can't forgive.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use common::normal::value_types;
use common::wire;
use jkool_model::{
    Activity, ActivityStatus, CompCode, DataType, Entity, Event, LogType, OpType, Property, Severity, Snapshot,
    Timestamp, ValueType,
};
use serde_json::{Value as Json, json};

fn event(json: &Json) -> Event {
    serde_json::from_str(&json.to_string()).unwrap()
}

/// What an event of these fields is written as, without the two that are always there.
fn rewritten(json: Json) -> Json {
    let mut written = wire(&event(&json));
    written.as_object_mut().unwrap().retain(|key, _| key != "type" && key != "severity");
    written
}

#[test]
fn older_spellings_are_read() {
    for (theirs, ours) in [
        (json!({"corr-id": "c"}), json!({"corrid": ["c"]})),
        (json!({"corr-id": ["c", "d"]}), json!({"corrid": ["c", "d"]})),
        (json!({"wait-time-used": 5}), json!({"wait-time-usec": 5})),
        (json!({"msg-age-usec": 5}), json!({"msg-age": 5})),
        (json!({"parent-tracking-id": "p"}), json!({"parent-id": "p"})),
        (json!({"comp-code": "OK"}), json!({"comp-code": "SUCCESS"})),
        (json!({"comp-code": "warning"}), json!({"comp-code": "WARNING"})),
        (json!({"log-type": "TRIGGER"}), json!({"log-type": "ALERT"})),
        (json!({"msg-tag": ["t"]}), json!({"msg-tag": "t"})),
        (json!({"msg-tag": ["t", "u"]}), json!({"msg-tag": ["t", "u"]})),
        // Of two spellings the one that holds something.
        (json!({"corr-id": "c", "corrid": null}), json!({"corrid": ["c"]})),
        (json!({"corrid": ["c"], "corr-id": ""}), json!({"corrid": ["c"]})),
        (json!({"corrid": [], "corr-id": "c"}), json!({"corrid": ["c"]})),
        (json!({"parent-id": "p", "parent-tracking-id": ""}), json!({"parent-id": "p"})),
    ] {
        assert_eq!(rewritten(theirs.clone()), ours, "{theirs}");
    }
}

#[test]
fn null_and_empty_say_nothing() {
    let keys = "operation tracking-id parent-id corrid source-fqn source-ssn source-url time-usec start-time-usec \
                end-time-usec elapsed-time-usec wait-time-usec comp-code reason-code exception resource location user pid \
                tid ttl-sec _guid tracking-sign properties snapshots msg-text msg-tag msg-age msg-size mime-type encoding \
                charset log-type relate-type relate-afqn relate-bfqn type severity";
    for key in keys.split_ascii_whitespace() {
        assert_eq!(rewritten(json!({key: null})), json!({}), "{key}");
        let list = ["properties", "snapshots"].contains(&key);
        let empty = if list { json!([]) } else { json!("") };
        assert_eq!(event(&json!({key: empty})), event(&json!({})), "{key}");
    }
    let lists = json!({"corrid": [null, "", "c"], "msg-tag": ["", "t"], "time-usec": 0, "end-time-usec": "0"});
    assert_eq!(rewritten(lists), json!({"corrid": ["c"], "msg-tag": "t"}));
    let of_kind = |kind: &str| serde_json::from_str::<Activity>(&json!({"type": kind}).to_string()).unwrap().op_type;
    assert_eq!((of_kind(""), of_kind("CALL")), (OpType::Activity, OpType::Call));
}

#[test]
fn what_holds_nothing_is_not_written() {
    let source = || "APPL=a".parse().unwrap();
    let built = Event::builder().source(source()).tracking_id("").correlator("").tag("").tag("t").parent_id("");
    let written = wire(&built.build().unwrap());
    let expected = json!({"type": "EVENT", "severity": "INFO", "source-fqn": "APPL=a", "msg-tag": "t"});
    assert_eq!(written, expected);
    let built = Event::builder().source(source()).correlator("").correlator("c").tag("t").tag("").tag("u").build();
    let written = wire(&built.unwrap());
    assert_eq!((&written["corrid"], &written["msg-tag"]), (&json!(["c"]), &json!(["t", "u"])));
}

#[test]
fn numbers_may_be_quoted_and_text_may_be_anything() {
    let quoted = json!({"pid": "4242", "elapsed-time-usec": " 7200000000 ", "time-usec": "5", "reason-code": 3.0});
    let plain = json!({"pid": 4242, "elapsed-time-usec": 7_200_000_000_i64, "time-usec": 5, "reason-code": 3});
    assert_eq!(rewritten(quoted), plain);
    let other = json!({"msg-text": {"a": [1, "q\"\n"]}, "user": 42, "location": true});
    assert_eq!(rewritten(other), json!({"msg-text": "{\"a\":[1,\"q\\\"\\n\"]}", "user": "42", "location": "true"}));
    assert_eq!(
        event(&json!({"time-usec": "2016-03-09T12:00:00"})).time,
        Some(Timestamp::from_usec(1_457_524_800_000_000))
    );
}

#[test]
fn words_go_by_any_case_and_unknown_ones_fall_back() {
    let read = event(&json!({"severity": " fatal ", "type": "call", "comp-code": "nope", "log-type": "nope"}));
    assert_eq!((read.severity, read.op_type), (Severity::Fatal, OpType::Call));
    assert_eq!((read.comp_code, read.log_type), (None, Some(LogType::General)));
    let read = event(&json!({"severity": "Level 35", "type": "DATAGRAM", "comp-code": 7}));
    assert_eq!((read.severity, read.op_type, read.comp_code), (Severity::Warning, OpType::Other, None::<CompCode>));
    let activity: Activity = serde_json::from_str(r#"{"status":"HALF","id-set":"x"}"#).unwrap();
    assert_eq!((activity.status, activity.id_set), (Some(ActivityStatus::Unknown), vec!["x".into()]));
    let blank = event(&json!({}));
    assert_eq!((blank.severity, blank.op_type, blank.tracking_id), (Severity::Info, OpType::Event, None));
}

#[test]
fn a_dict_of_properties_is_a_list_of_them() {
    let read = |json: Json| event(&json!({"properties": json})).properties;
    assert_eq!(read(json!({"a": 1, "b": "c"})), [Property::new("a", 1), Property::new("b", "c")]);
    // Also when a key is called as a property's own; a bare property has a value, too.
    assert_eq!(read(json!({"name": "bob", "total": 26})), [Property::new("name", "bob"), Property::new("total", 26)]);
    assert_eq!(read(json!({"name": "a", "value": 1, "type": "long"})), [Property::new("a", 1_i64)]);
}

#[test]
fn value_types_are_those_of_the_protocol() {
    for word in value_types() {
        let known = ValueType::from(word);
        assert!(!matches!(known, ValueType::Other(_)), "{word}");
        assert_eq!(known.as_str(), word);
        assert_eq!(ValueType::from(&*word.to_uppercase()), known);
    }
    assert_eq!(value_types().count(), 55);
    for (theirs, ours) in
        [("integer", DataType::Int), ("BOOLEAN", DataType::Bool), ("BigDecimal", DataType::BigDecimal)]
    {
        assert_eq!(DataType::from(theirs), ours);
    }
    assert_eq!(DataType::from("int[]").as_str(), "int[]");
}

#[test]
fn the_kind_is_told_by_type_and_name() {
    let kind = |json: &str| match serde_json::from_str(json).unwrap() {
        Entity::Event(event) => ("event", event.op_type),
        Entity::Activity(activity) => ("activity", activity.op_type),
        Entity::Snapshot(snapshot) => ("snapshot", snapshot.op_type),
        other => panic!("{other:?}"),
    };
    assert_eq!(kind("{}"), ("event", OpType::Event));
    assert_eq!(kind(r#"{"type":"activity"}"#), ("activity", OpType::Activity));
    assert_eq!(kind(r#"{"type":"SNAPSHOT","name":"n"}"#), ("snapshot", OpType::Snapshot));
    assert_eq!(kind(r#"{"name":"n","type":" Dataset "}"#), ("snapshot", OpType::Dataset));
    assert_eq!(kind(r#"{"type":"SNAPSHOT","operation":"o"}"#), ("event", OpType::Snapshot));
    assert_eq!(kind(r#"{"type":"SNAPSHOT","name":"n","operation":"o"}"#), ("event", OpType::Snapshot));
    assert_eq!(kind(r#"{"type":"LOG","name":"n"}"#), ("event", OpType::Log));
    assert_eq!(kind(r#"{"type":"LOG","type":"ACTIVITY"}"#), ("activity", OpType::Activity));
    // What holds nothing tells nothing.
    assert_eq!(kind(r#"{"type":"ACTIVITY","type":null}"#), ("activity", OpType::Activity));
    assert_eq!(kind(r#"{"type":"ACTIVITY","type":" "}"#), ("activity", OpType::Activity));
    assert_eq!(kind(r#"{"type":"SNAPSHOT","name":""}"#), ("event", OpType::Snapshot));
    assert_eq!(kind(r#"{"type":"SNAPSHOT","name":"n","operation":null}"#), ("snapshot", OpType::Snapshot));
    assert_eq!(kind(r#"{"type":"SNAPSHOT","name":"n","name":"","operation":""}"#), ("snapshot", OpType::Snapshot));
}

#[test]
fn an_error_says_which_field_and_where() {
    let refused = |json: &str| {
        let event = serde_json::from_str::<Event>(json).unwrap_err().to_string();
        let entity = serde_json::from_str::<Entity>(json).unwrap_err().to_string();
        let (event, place) = event.split_once(" at ").unwrap();
        assert!(place.starts_with(&format!("line {} column ", json.lines().count())), "{place}");
        // An entity is told apart by all of its fields, so its place is where the whole ends.
        assert!(entity.starts_with(&format!("{event} at line ")), "{entity}");
        event.to_owned()
    };
    let number = "expected a whole number of 64 bits";
    assert_eq!(refused(r#"{"time-usec":{"a":1}}"#), format!("time-usec: {number}, found an object"));
    assert_eq!(refused("{\"a\":1,\n\"pid\":[]}"), format!("pid: {number}, found a list"));
    assert_eq!(refused(r#"{"wait-time-used":true}"#), format!("wait-time-used: {number}, found a truth value"));
    assert_eq!(refused(r#"{"tid":"x"}"#), format!("tid: {number}, found other text"));
    assert_eq!(refused(r#"{"tid":9223372036854775808}"#), format!("tid: {number}, found a number"));
    let time = "expected microseconds since 1970 or an ISO 8601 time such as 2016-03-09T12:00:00Z";
    assert_eq!(refused(r#"{"end-time-usec":"soon"}"#), format!("end-time-usec: {time}"));
    assert_eq!(refused(r#"{"snapshots":7}"#), "snapshots: invalid type: integer `7`, expected a list of objects");
    assert_eq!(refused(r#"{"snapshots":[{"time-usec":[]}]}"#), format!("snapshots: time-usec: {number}, found a list"));
    let property = "invalid type: integer `3`, expected a property: an object with name, type and value";
    assert_eq!(refused(r#"{"properties":[3]}"#), format!("properties: {property}"));

    for json in ["", "7", "[]", "null", "\"text\"", "<access-request/>"] {
        assert!(serde_json::from_str::<Event>(json).unwrap_err().to_string().contains("line 1 column"), "{json}");
        assert!(serde_json::from_str::<Entity>(json).unwrap_err().to_string().contains("line 1 column"), "{json}");
        assert!(serde_json::from_str::<Snapshot>(json).unwrap_err().to_string().contains("line 1 column"), "{json}");
    }
    let expected = "invalid type: integer `7`, expected an event, activity or snapshot: an object at line 1 column 1";
    assert_eq!(serde_json::from_str::<Entity>("7").unwrap_err().to_string(), expected);
}
