//! Random entities, within what the types allow.

use jkool_model::{
    Activity, ActivityStatus, CompCode, DataType, Event, LogType, OpType, Property, Severity, Snapshot, SourceFqn,
    SourceType, Text, Timestamp, TrackingId, TypedValue, Value, ValueType,
};
use proptest::array::{uniform3, uniform6, uniform7, uniform11};
use proptest::collection::vec;
use proptest::num::{f32, f64};
use proptest::option::of;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use std::fmt::Debug;

fn character() -> impl Strategy<Value = char> {
    let special = "\0\u{1}\t\n\r\u{1f}\u{7f}\u{85}\"\\/'{}[],:#=?é🚀\u{2028}\u{2029}\u{feff}\u{fffd}\u{10ffff}";
    prop_oneof![select(special.chars().collect::<Vec<_>>()), any::<char>(), proptest::char::range('0', 'z')]
}

pub(crate) fn text() -> impl Strategy<Value = String> {
    vec(character(), 0..8).prop_map(String::from_iter)
}

fn some_text() -> impl Strategy<Value = Text> {
    text().prop_map(Text::from)
}

/// Empty ones are absent on the wire.
fn texts() -> impl Strategy<Value = Vec<Text>> {
    vec(some_text().prop_filter("empty", |text| !text.is_empty()), 0..3)
}

pub(crate) fn source() -> impl Strategy<Value = SourceFqn> {
    let name = vec(character().prop_filter("forbidden", |c| !matches!(c, '#' | '=') && !c.is_control()), 1..6);
    vec((select(SourceType::ALL), name.prop_map(String::from_iter)), 1..5).prop_map(|elements| {
        let add = |builder: jkool_model::SourceFqnBuilder, (source_type, name)| builder.element(source_type, name);
        elements.into_iter().fold(SourceFqn::builder(), add).build().unwrap()
    })
}

fn id() -> impl Strategy<Value = TrackingId> {
    let uuid = any::<u64>().prop_map(|bits| format!("{bits:016x}-2222-3333-4444-555555555555").split_off(8));
    prop_oneof![uuid, text().prop_filter("empty is absent", |text| !text.is_empty())].prop_map(TrackingId::from)
}

fn integer() -> impl Strategy<Value = i64> {
    prop_oneof![select(&[i64::MIN, i64::MAX, 0, -1, (1 << 53) + 1][..]), any::<i64>(), any::<i32>().prop_map(i64::from)]
}

fn time() -> impl Strategy<Value = Timestamp> {
    integer().prop_filter("0 is unknown", |usec| *usec != 0).prop_map(Timestamp::from_usec)
}

fn word<T: Copy + Debug>(all: &'static [T]) -> impl Strategy<Value = Option<T>> {
    of(select(all))
}

/// What JSON can say.
fn value() -> impl Strategy<Value = Value> {
    let finite = f64::NORMAL | f64::SUBNORMAL | f64::ZERO | f64::NEGATIVE | f64::POSITIVE;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        integer().prop_map(Value::Int),
        finite.prop_map(Value::Double),
        some_text().prop_map(Value::Text),
        select(&["NaN", "Infinity", "42", "-0", "1e400", "1.0E-7", "true", "none"][..])
            .prop_map(|t| Value::Text(t.into())),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::List),
            vec((some_text(), inner), 0..4).prop_map(Value::Map),
        ]
    })
}

fn data_type() -> impl Strategy<Value = DataType> {
    let words = "string int long double float bool byte short char date date.usec bint bdec none";
    let known = select(words.split(' ').map(DataType::from).collect::<Vec<_>>());
    prop_oneof![4 => known, 1 => text().prop_map(|text| DataType::Other(format!("x-{text}").into()))]
}

fn value_type() -> impl Strategy<Value = ValueType> {
    let known = select(super::common::normal::value_types().collect::<Vec<_>>()).prop_map(ValueType::from);
    prop_oneof![Just(ValueType::None), known, text().prop_map(|text| ValueType::Other(format!("x-{text}").into()))]
}

fn typed() -> impl Strategy<Value = TypedValue> {
    prop_oneof![
        integer().prop_map(TypedValue::from),
        any::<u64>().prop_map(TypedValue::from),
        any::<i128>().prop_map(TypedValue::from),
        any::<u128>().prop_map(TypedValue::from),
        any::<(i8, u8)>().prop_map(|(signed, unsigned)| if signed < 0 { signed.into() } else { unsigned.into() }),
        any::<(i16, u16)>().prop_map(|(signed, unsigned)| if signed < 0 { signed.into() } else { unsigned.into() }),
        any::<(i32, u32)>().prop_map(|(signed, unsigned)| if signed < 0 { signed.into() } else { unsigned.into() }),
        f64::ANY.prop_map(TypedValue::from),
        f32::ANY.prop_map(TypedValue::from),
        character().prop_map(TypedValue::from),
        text().prop_map(TypedValue::from),
        value().prop_map(TypedValue::from),
        (value(), data_type()).prop_map(|(value, data_type)| TypedValue::new(value, data_type)),
    ]
}

pub(crate) fn property() -> impl Strategy<Value = Property> {
    (text(), typed(), value_type())
        .prop_map(|(name, value, value_type)| Property::new(name, value).value_type(value_type))
}

pub(crate) fn snapshot() -> impl Strategy<Value = Snapshot> {
    let texts = uniform6(some_text());
    let words = (select(&[OpType::Snapshot, OpType::Dataset][..]), word(Severity::ALL), of(source()), of(integer()));
    (texts, words, of(time()), of(id()), of(id()), vec(property(), 0..4)).prop_map(
        |([name, category, ssn, url, guid, sign], words, time, tracking_id, parent_id, properties)| {
            // A snapshot that travels alone is told from an event by its name.
            let mut snapshot = Snapshot::builder(format!("n{name}")).build();
            (snapshot.category, snapshot.source_short_name, snapshot.source_url) = (category, ssn, url);
            (snapshot.guid, snapshot.tracking_sign) = (guid, sign);
            (snapshot.op_type, snapshot.severity, snapshot.source, snapshot.ttl_sec) = words;
            (snapshot.time, snapshot.tracking_id, snapshot.parent_id) = (time, tracking_id, parent_id);
            snapshot.properties = properties;
            snapshot
        },
    )
}

type Shared = (
    [Text; 11],
    [Option<Timestamp>; 3],
    [Option<i64>; 6],
    [Option<TrackingId>; 2],
    Words,
    Vec<Property>,
    Vec<Snapshot>,
);
type Words = (Severity, Option<SourceFqn>, Option<CompCode>, Vec<Text>);

fn shared() -> impl Strategy<Value = Shared> {
    let words = (select(Severity::ALL), of(source()), word(CompCode::ALL), texts());
    let ids = proptest::array::uniform2(of(id()));
    let numbers = uniform6(of(integer()));
    (uniform11(some_text()), uniform3(of(time())), numbers, ids, words, vec(property(), 0..3), vec(snapshot(), 0..3))
}

/// Sets the fields that events and activities share.
macro_rules! set_shared {
    ($entity:ident, $shared:expr) => {
        let (texts, times, numbers, ids, words, properties, snapshots): Shared = $shared;
        let [operation, ssn, url, exception, resource, location, user, guid, sign, ..] = texts;
        ($entity.operation, $entity.source_short_name, $entity.source_url) = (operation, ssn, url);
        ($entity.exception, $entity.resource, $entity.location) = (exception, resource, location);
        ($entity.user, $entity.guid, $entity.tracking_sign) = (user, guid, sign);
        [$entity.time, $entity.start_time, $entity.end_time] = times;
        [$entity.elapsed_usec, $entity.wait_usec, $entity.reason_code, $entity.pid, $entity.tid, $entity.ttl_sec] =
            numbers;
        [$entity.tracking_id, $entity.parent_id] = ids;
        ($entity.severity, $entity.source, $entity.comp_code, $entity.correlators) = words;
        ($entity.properties, $entity.snapshots) = (properties, snapshots);
    };
}

fn anywhere() -> SourceFqn {
    SourceFqn::builder().generic("x").build().unwrap()
}

pub(crate) fn event() -> impl Strategy<Value = Event> {
    // An event of type ACTIVITY would be read as an activity.
    let kinds: Vec<_> = OpType::ALL.iter().copied().filter(|kind| *kind != OpType::Activity).collect();
    let own = (uniform7(some_text()), texts(), of(integer()), of(integer()), select(kinds), word(LogType::ALL));
    (shared(), own).prop_map(|(shared, (texts, tags, age, size, op_type, log_type))| {
        let mut event = Event::builder().source(anywhere()).build().unwrap();
        set_shared!(event, shared);
        [
            event.message,
            event.mime_type,
            event.encoding,
            event.charset,
            event.relation_type,
            event.relation_a,
            event.relation_b,
        ] = texts;
        (event.tags, event.message_age_usec, event.message_size) = (tags, age, size);
        (event.op_type, event.log_type) = (op_type, log_type);
        event
    })
}

pub(crate) fn activity() -> impl Strategy<Value = Activity> {
    (shared(), word(ActivityStatus::ALL), texts()).prop_map(|(shared, status, id_set)| {
        let mut activity = Activity::builder().operation("o").source(anywhere()).build().unwrap();
        set_shared!(activity, shared);
        (activity.status, activity.id_set) = (status, id_set);
        activity
    })
}
