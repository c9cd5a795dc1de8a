//! What an entity takes in memory beside itself.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use jkool_model::{
    Activity, DataType, Entity, Event, EventBuilder, Property, Snapshot, Text, TrackingId, TypedValue, Value, ValueType,
};

const LONG: usize = 1_000_000;

fn long() -> String {
    "x".repeat(LONG)
}

fn base() -> EventBuilder {
    Event::builder().source("APPL=a".parse().unwrap())
}

#[test]
fn every_text_weighs() {
    let bare = base().build().unwrap().heap_size();
    assert_eq!(bare, "APPL=a".len());
    let own = TypedValue::new(Value::Null, DataType::Other(long().into()));
    for event in [
        base().operation(long()),
        base().message(long()),
        base().exception(long()),
        base().resource(long()),
        base().location(long()),
        base().user(long()),
        base().source_url(long()),
        base().mime_type(long()),
        base().encoding(long()),
        base().charset(long()),
        base().tag(long()),
        base().correlator(long()),
        base().tracking_id(long()),
        base().parent_id(long()),
        base().property("p", long()),
        base().property(long(), 1),
        base().property("p", own),
        base().add_property(Property::new("p", 1).value_type(ValueType::Other(long().into()))),
        base().property("p", Value::List(vec![Value::Text(long().into())])),
        base().property("p", Value::Map(vec![(long().into(), Value::Null)])),
        base().snapshot(Snapshot::builder(long()).build()),
        base().snapshot(Snapshot::builder("s").category(long()).build()),
        base().snapshot(Snapshot::builder("s").property("p", long()).build()),
        base().source(format!("APPL={}", long()).parse().unwrap()),
    ] {
        let event = event.build().unwrap();
        let weight = event.heap_size();
        assert!((LONG..LONG + 5_000).contains(&weight), "{weight}: {:.200}", format!("{event:?}"));
    }
    let mut event = base().build().unwrap();
    let fields = [&mut event.source_short_name, &mut event.guid, &mut event.tracking_sign];
    fields.into_iter().for_each(|field| *field = long().into());
    let fields = [&mut event.relation_type, &mut event.relation_a, &mut event.relation_b];
    fields.into_iter().for_each(|field| *field = long().into());
    assert_eq!(event.heap_size(), bare + 6 * LONG);
    let activity = Activity::builder().operation("a").source("APPL=a".parse().unwrap()).child(long()).build().unwrap();
    assert!(activity.heap_size() >= LONG);
}

/// To the byte: what each part is worth.
#[test]
fn a_weight_is_the_sum_of_its_parts() {
    let property = Property::new("name", "value");
    assert_eq!(property.heap_size(), 9);
    // A list's data type is no known word, and weighs as a text.
    let list = Property::new("n", Value::List(Vec::with_capacity(3)));
    assert_eq!(list.heap_size(), 1 + 3 * size_of::<Value>() + "list".len());
    let map = Property::new("n", Value::Map(vec![("key".into(), Value::Text("text".into()))]));
    assert_eq!(map.heap_size(), 1 + size_of::<(Text, Value)>() + 7 + "map".len());

    let mut snapshot = Snapshot::builder("Payment").tracking_id(TrackingId::random()).build();
    snapshot.properties = Vec::with_capacity(4);
    snapshot.properties.push(property);
    let weight = 7 + 4 * size_of::<Property>() + 9;
    assert_eq!(snapshot.heap_size(), weight);
    // A copy has no more room than it needs.
    let of_copy = weight - 3 * size_of::<Property>();
    assert_eq!(Entity::from(snapshot.clone()).heap_size(), size_of::<Snapshot>() + of_copy);

    let mut event = Event::default();
    event.tags = vec!["tag".into()];
    event.snapshots = vec![snapshot];
    assert_eq!(event.heap_size(), size_of::<Text>() + 3 + size_of::<Snapshot>() + weight);
    let weight = size_of::<Event>() + event.heap_size();
    assert_eq!(Entity::from(event).heap_size(), weight);
    assert_eq!(Entity::from(Activity::default()).heap_size(), size_of::<Activity>());
}
