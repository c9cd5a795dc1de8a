//! What is written straight to bytes is what serde_json writes.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

#[path = "common/arbitrary.rs"]
mod arbitrary;
mod common;

use arbitrary::{activity, event, property, snapshot};
use common::lines::{bodies, files, lines};
use jkool_model::{
    Activity, ActivityStatus, CompCode, DataType, Entity, Event, LogType, OpType, Property, Severity, Snapshot,
    SourceFqn, Text, TypedValue, Value, ValueType, json,
};
use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert, prop_oneof, proptest};
use serde::Serialize;

fn written(append: impl FnOnce(&mut Vec<u8>)) -> String {
    // What was there before stays.
    let mut out = b"before".to_vec();
    append(&mut out);
    String::from_utf8(out).unwrap().strip_prefix("before").unwrap().to_owned()
}

fn serde(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).unwrap()
}

fn check_text(text: &str) {
    assert_eq!(written(|out| json::text(out, text)), serde(text), "{text:?}");
}

fn check_value(value: Value) {
    let property = Property::new("p", value);
    assert_eq!(written(|out| property.append_json(out)), serde(&property));
}

/// All of the ways in which an entity is written.
fn check_entity(entity: Entity) {
    assert_eq!(written(|out| entity.append_json(out)), serde(&entity));
    match &entity {
        Entity::Event(event) => assert_eq!(written(|out| event.append_json(out)), serde(event)),
        Entity::Activity(activity) => assert_eq!(written(|out| activity.append_json(out)), serde(activity)),
        Entity::Snapshot(snapshot) => assert_eq!(written(|out| snapshot.append_json(out)), serde(snapshot)),
        other => panic!("nobody checks {other:?}"),
    }
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// What is said to be read as it was written is.
fn check_reading(entity: Entity) {
    if entity.is_read_as_written() {
        let json = written(|out| entity.append_json(out));
        assert_eq!(serde_json::from_str::<Entity>(&json).unwrap(), entity);
    }
}

proptest! {
    #![proptest_config(config(1024))]

    #[test]
    fn an_event_is_read_as_it_was_written(event in event()) {
        check_reading(event.clone().into());
        check_reading(plain(event, |event| (&mut event.properties, &mut event.snapshots)).into());
    }

    #[test]
    fn an_activity_is_read_as_it_was_written(activity in activity()) {
        check_reading(activity.clone().into());
        check_reading(plain(activity, |activity| (&mut activity.properties, &mut activity.snapshots)).into());
    }
}

/// The same without what is seldom read as it was written.
fn plain<E>(mut entity: E, lists: impl Fn(&mut E) -> (&mut Vec<Property>, &mut Vec<Snapshot>)) -> E {
    let (properties, snapshots) = lists(&mut entity);
    snapshots.clear();
    for property in properties.iter_mut() {
        let value: TypedValue = match property.value.clone() {
            Value::Text(text) => text.into_owned().into(),
            Value::Bool(bool) => bool.into(),
            Value::Int(int) => int.into(),
            Value::Double(double) if double.is_finite() => double.into(),
            _ => i64::MIN.into(),
        };
        *property = Property::new(property.name.clone(), value);
    }
    entity
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn every_event_is_written_as_serde_json_writes_it(event in event()) {
        check_entity(event.into());
    }

    #[test]
    fn every_activity_is_written_as_serde_json_writes_it(activity in activity()) {
        check_entity(activity.into());
    }
}

proptest! {
    #![proptest_config(config(2048))]

    #[test]
    fn every_snapshot_is_written_as_serde_json_writes_it(snapshot in snapshot()) {
        check_entity(snapshot.into());
    }

    #[test]
    fn every_property_is_written_as_serde_json_writes_it(property in property()) {
        prop_assert!(written(|out| property.append_json(out)) == serde(&property));
    }

    #[test]
    fn every_number_is_written_as_serde_json_writes_it(int in any::<i64>(), bits in any::<u64>(), big in any::<i128>()) {
        prop_assert!(written(|out| json::int(out, int)) == serde(&int));
        prop_assert!(written(|out| json::int(out, int >> (bits % 64))) == serde(&(int >> (bits % 64))));
        check_value(Value::Double(f64::from_bits(bits)));
        check_value(Value::BigInt(big));
    }

    #[test]
    fn every_text_is_written_as_serde_json_writes_it(text in long_text()) {
        check_text(&text);
    }
}

/// Long enough for every way to take a text, most of it plain.
fn long_text() -> impl Strategy<Value = String> {
    let plain = "[ -!#-\\[\\]-~]{1,40}";
    let any = proptest::collection::vec(any::<char>(), 1..4).prop_map(String::from_iter);
    let part = prop_oneof![6 => plain, 1 => "[\0-\u{1f}\"\\\\\u{7f}]{1,3}", 1 => any];
    proptest::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
}

/// Each special character, and some that are none, at each place of a text of each length: no border between the pieces in
/// which a text is taken lets one slip.
#[test]
fn a_special_character_is_found_wherever_it_stands() {
    let special: Vec<char> = ('\0'..='\u{22}').chain("/[\\]\u{7f}\u{80}\u{9f}é\u{2028}🚀".chars()).collect();
    for length in 0..140 {
        check_text(&"x".repeat(length));
        for place in 0..=length {
            let character = special[(length * 31 + place) % special.len()];
            check_text(&format!("{}{character}{}", "x".repeat(place), "x".repeat(length - place)));
        }
    }
    for length in [0, 1, 3, 4, 7, 8, 15, 16, 31, 32, 33, 64, 100] {
        for character in &special {
            check_text(&format!("{}{character}", "é".repeat(length)));
            check_text(&format!("{}{character}", "x".repeat(length)));
            check_text(&character.to_string().repeat(length));
        }
    }
    check_text(&special.iter().collect::<String>());
}

#[test]
fn numbers_at_their_limits() {
    for int in [0, 1, -1, 9, 10, 99, 100, i64::MAX, i64::MIN, 1_800_000_000_000_000] {
        assert_eq!(written(|out| json::int(out, int)), serde(&int));
    }
    for double in [0.0, -0.0, 1.0, 0.1, 1e15, 1e16, 1e17, 1e21, 1e-5, 1e-7, 5e-324, f64::MAX, f64::MIN, f64::EPSILON] {
        assert_eq!(written(|out| json::double(out, double)), serde(&double));
        check_value(Value::Double(double));
    }
    for (double, word) in [(f64::NAN, "NaN"), (f64::INFINITY, "Infinity"), (f64::NEG_INFINITY, "-Infinity")] {
        assert_eq!(written(|out| json::double(out, double)), format!("\"{word}\""));
        check_value(Value::List(vec![Value::Double(double)]));
    }
    check_value(Value::BigInt(i128::MIN));
    check_value(Value::BigInt(i128::MAX));
}

#[test]
fn values_of_any_depth() {
    for depth in 0..40 {
        let list = (0..depth).fold(Value::Null, |inner, _| Value::List(vec![inner, Value::Bool(true)]));
        let map = (0..depth).fold(list, |inner, _| Value::Map(vec![("k\n".into(), inner), ("".into(), Value::Int(1))]));
        check_value(map);
    }
    check_value(Value::List(Vec::new()));
    check_value(Value::Map(Vec::new()));
}

#[test]
fn what_says_nothing_is_not_written() {
    check_entity(Event::default().into());
    check_entity(Activity::default().into());
    check_entity(Snapshot::default().into());
    for texts in [&["", ""][..], &["", "a"], &["a", ""], &["a", "", "b"], &["a", "b"]] {
        let texts: Vec<Text> = texts.iter().map(|text| (*text).into()).collect();
        let (mut event, mut activity) = (Event::default(), Activity::default());
        (event.tags, event.correlators, activity.id_set) = (texts.clone(), texts.clone(), texts);
        check_entity(event.into());
        check_entity(activity.into());
    }
    let mut event = Event::default();
    (event.tracking_id, event.parent_id) = (Some("".into()), Some("".into()));
    check_entity(event.into());
}

#[test]
fn every_word_is_written_as_serde_json_writes_it() {
    for (op_type, log_type) in OpType::ALL.iter().zip(LogType::ALL.iter().cycle()) {
        check_entity(Event::builder().log_type(*log_type).op_type(*op_type).source(source()).build().unwrap().into());
    }
    for (severity, comp_code) in Severity::ALL.iter().zip(CompCode::ALL.iter().cycle()) {
        let activity = Activity::builder().operation("o").source(source()).severity(*severity).comp_code(*comp_code);
        check_entity(activity.build().unwrap().into());
    }
    for status in ActivityStatus::ALL {
        let activity = Activity::builder().operation("o").source(source()).status(*status);
        check_entity(activity.build().unwrap().into());
    }
    for word in common::normal::value_types()
        .chain("string int long double float bool byte short char date date.usec bint bdec none own \n".split(' '))
    {
        let typed = TypedValue::new(Value::Null, DataType::from(word));
        let property = Property::new("p", typed).value_type(ValueType::from(word));
        assert_eq!(written(|out| property.append_json(out)), serde(&property));
    }
}

fn source() -> SourceFqn {
    "APPL=a".parse().unwrap()
}

#[test]
fn every_recorded_line_is_written_as_serde_json_writes_it() {
    let mut entities = 0;
    for body in files().iter().flat_map(|file| lines(file)).flat_map(|line| bodies(&line)) {
        if let Ok(entity) = serde_json::from_slice::<Entity>(&body) {
            check_entity(entity);
            entities += 1;
        }
    }
    assert!(entities > 200, "{entities}");
}
