//! Fields of the types that need no feature.

use crate::told;
use jkool_model::{DataType, Event, Property, Snapshot, Timestamp, ToProperties, ToSnapshot, Value, ValueType};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime};

#[derive(Snapshot)]
struct Scalars<'a> {
    count: u64,
    huge: u128,
    ratio: f32,
    r#type: char,
    text: &'a str,
    cow: Cow<'static, str>,
    at: SystemTime,
    took: Duration,
    peer: IpAddr,
    untyped: Value,
}

#[test]
fn each_kind_of_value_has_its_type() {
    let text = String::from("borrowed");
    let snapshot = Scalars {
        count: 3,
        huge: u128::MAX,
        ratio: 0.1,
        r#type: 'x',
        text: &text,
        cow: "cow".into(),
        at: SystemTime::UNIX_EPOCH + Duration::from_secs(1),
        took: Duration::from_micros(5),
        peer: Ipv4Addr::LOCALHOST.into(),
        untyped: Value::Bool(true),
    }
    .to_snapshot();
    assert_eq!((&*snapshot.name, &*snapshot.category), ("Scalars", ""));
    let expected = [
        "count: long 3 [none]",
        "huge: bint 340282366920938463463374607431768211455 [none]",
        "ratio: float 0.1 [none]",
        "type: char x [none]",
        "text: string borrowed [none]",
        "cow: string cow [none]",
        "at: date.usec 1000000 [none]",
        "took: long 5 [age.usec]",
        "peer: string 127.0.0.1 [addr.ip.v4]",
        "untyped: bool true [none]",
    ];
    assert_eq!(told(&snapshot), expected);
}

#[derive(Snapshot, Default)]
struct Inner {
    a: i32,
    b: Option<bool>,
}

#[derive(Snapshot, Default)]
#[jkool(name = "Outer", category = "Test")]
struct Outer<T> {
    inner: Inner,
    boxed: Option<Box<Inner>>,
    #[jkool(flatten)]
    flat: Inner,
    list: Vec<Option<Inner>>,
    array: [T; 2],
    #[jkool(rename = "of.maps", value_type = "percent")]
    maps: HashMap<String, HashMap<u8, T>>,
    #[jkool(flatten)]
    labels: Option<BTreeMap<&'static str, T>>,
    set: HashSet<i32>,
}

#[test]
fn what_has_parts_is_told_with_dots() {
    let mut outer =
        Outer::<f64> { inner: Inner { a: 1, b: Some(true) }, flat: Inner { a: 2, b: None }, ..Outer::default() };
    let bare = ["inner.a: int 1 [none]", "inner.b: bool true [none]", "a: int 2 [none]"];
    let empty = ["list: list [] [none]", "array: list [0.0,0.0] [none]", "set: list [] [none]"];
    assert_eq!(told(&outer.to_snapshot()), [bare, empty].concat());

    outer.boxed = Some(Box::new(Inner { a: 3, b: None }));
    outer.list = vec![Some(Inner { a: 4, b: Some(false) }), None];
    let of = |pairs: [(u8, f64); 2]| HashMap::from(pairs);
    outer.maps = HashMap::from([("z".into(), of([(10, 0.5), (9, 0.25)])), ("y".into(), of([(1, 1.0), (2, 2.0)]))]);
    outer.labels = Some(BTreeMap::from([("host", 7.0)]));
    outer.set = HashSet::from([3, 1, 2]);
    let told = told(&outer.to_snapshot());
    assert_eq!(told[2..4], ["boxed.a: int 3 [none]", "a: int 2 [none]"]);
    assert_eq!(
        told[4..],
        [
            r#"list: list [{"a":4,"b":false},null] [none]"#,
            "array: list [0.0,0.0] [none]",
            "of.maps.y.1: double 1.0 [percent]",
            "of.maps.y.2: double 2.0 [percent]",
            "of.maps.z.9: double 0.25 [percent]",
            "of.maps.z.10: double 0.5 [percent]",
            "host: double 7.0 [none]",
            "set: list [1,2,3] [none]",
        ]
    );
}

/// Neither a property nor a default.
struct Opaque(u32);

fn number(opaque: &Opaque) -> Option<u32> {
    Some(opaque.0).filter(|number| *number > 0)
}

mod times {
    pub(crate) fn stamp(seconds: &i64) -> jkool_model::Timestamp {
        jkool_model::Timestamp::from_usec(seconds * 1_000_000)
    }
}

#[derive(Snapshot)]
struct With<T> {
    #[jkool(with = "number", value_type = ValueType::from("furlong"))]
    opaque: Opaque,
    #[jkool(with = times::stamp)]
    at: i64,
    #[jkool(skip)]
    _nothing: T,
}

#[test]
fn a_function_makes_what_the_type_does_not() {
    let with = |opaque| With { opaque: Opaque(opaque), at: 2, _nothing: Opaque(0) }.to_snapshot();
    assert_eq!(told(&with(5)), ["opaque: long 5 [furlong]", "at: date.usec 2000000 [none]"]);
    assert_eq!(told(&with(0)), ["at: date.usec 2000000 [none]"]);
}

#[test]
fn whatever_becomes_a_snapshot_goes_to_an_event() {
    let inner = Inner { a: 1, b: None };
    let made = Snapshot::builder("made").build();
    let event = Event::builder().source("APPL=a".parse().unwrap());
    let event =
        event.snapshot(&inner).snapshot(&made).snapshot(made.clone()).snapshot(Box::new(inner)).build().unwrap();
    let names: Vec<&str> = event.snapshots.iter().map(|snapshot| &*snapshot.name).collect();
    assert_eq!(names, ["Inner", "made", "made", "Inner"]);
    assert_eq!(event.snapshots[0], event.snapshots[3]);
}

#[test]
fn a_type_of_ones_own_says_how_it_is_told() {
    struct Level(u8);
    impl ToProperties for Level {
        fn append_properties(&self, name: Cow<'static, str>, properties: &mut Vec<Property>) {
            properties.push(Property::new(name, self.0));
        }
    }
    assert_eq!(vec![Level(1), Level(2)].to_value(), Value::List(vec![Value::Int(1), Value::Int(2)]));
    assert_eq!(BTreeMap::<u8, Level>::new().to_value(), Value::Map(Vec::new()));
    let mut properties = Vec::new();
    Some(Timestamp::from_usec(1)).append_properties("at".into(), &mut properties);
    assert_eq!(properties[0].data_type, DataType::DateUsec);
}
