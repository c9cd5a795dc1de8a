use super::{PANICKED, code, convert};
use crate::properties::{self, Found};
use jkool_client::Code;
use jkool_client::model::{DataType, Event, Property, Severity, Text, TypedValue, Value};
use log::{Level, LevelFilter, Log, Metadata, Record};
use serde::Serialize;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::num::NonZeroU8;
use std::sync::Mutex;

/// Keeps the event of the last record.
#[derive(Default)]
pub(crate) struct Capture {
    event: Mutex<Option<Event>>,
    code: Mutex<Option<Code>>,
}

impl Capture {
    pub(crate) fn new() -> Self {
        // For the macros only; nothing here is installed.
        log::set_max_level(LevelFilter::Trace);
        Self::default()
    }

    pub(crate) fn event(self) -> Event {
        self.event.into_inner().unwrap().expect("a record")
    }
}

impl Log for Capture {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let event = convert(record);
        assert_short_way_leads_to(&event, record);
        *self.event.lock().unwrap() = Some(event);
        *self.code.lock().unwrap() = code(record);
    }

    fn flush(&self) {}
}

/// A record whose key-values are plain needs no event: its properties are the same without one.
fn assert_short_way_leads_to(event: &Event, record: &Record<'_>) {
    if properties::look(record, |_| false) == Found::Others {
        return;
    }
    let json = |properties: &[Property]| serde_json::to_string(properties).unwrap();
    properties::with_raw(record, |raw| assert_eq!(json(&raw.properties()), json(&event.properties)));
}

/// The event of a log call.
macro_rules! logged {
    ($($call:tt)+) => {{
        let capture = crate::convert::tests::Capture::new();
        log::info!(logger: capture, $($call)+);
        capture.event()
    }};
}
pub(crate) use logged;

/// What a value becomes under a key that decorates nothing.
macro_rules! property {
    ($($value:tt)+) => {{
        let mut event = logged!(k $($value)+; "");
        let property = event.properties.pop().expect("a property");
        assert_eq!((&*property.name, event.properties.len()), ("k", 0));
        (property.value, property.data_type)
    }};
}

fn is_borrowed(text: &Text) -> bool {
    matches!(text, Text::Borrowed(_))
}

struct Panics;

impl fmt::Display for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("this Display does")
    }
}

impl Serialize for Panics {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("this Serialize does")
    }
}

/// An error with a cause.
#[derive(Debug)]
pub(crate) struct Failed(pub(crate) std::num::ParseIntError);

impl Failed {
    pub(crate) fn new() -> Self {
        Self("x".parse::<i32>().unwrap_err())
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no amount")
    }
}

impl Error for Failed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn each_level_has_its_severity() {
    for (level, severity) in [
        (Level::Error, Severity::Error),
        (Level::Warn, Severity::Warning),
        (Level::Info, Severity::Info),
        (Level::Debug, Severity::Debug),
        (Level::Trace, Severity::Trace),
    ] {
        assert_eq!(convert(&Record::builder().level(level).build()).severity, severity);
    }
}

#[test]
fn a_literal_costs_no_copy() {
    let event = logged!("Order processed");
    assert_eq!(event.message, "Order processed");
    assert!(is_borrowed(&event.message));
    let order = "A-100".to_owned();
    assert_eq!(logged!("Order {order} processed").message, "Order A-100 processed");
    assert_eq!(logged!("").message, "");
}

#[test]
fn the_target_is_the_operation() {
    let event = logged!("m");
    assert_eq!(event.operation, module_path!());
    assert!(is_borrowed(&event.operation));
    assert_eq!(logged!(target: "orders", "m").operation, "orders");
}

#[test]
fn what_only_the_client_knows_is_left_open() {
    let event = logged!("m");
    assert_eq!(event, {
        let mut bare = Event::default();
        bare.operation = module_path!().into();
        bare.message = "m".into();
        bare
    });
}

#[test]
fn the_code_location_becomes_properties() {
    log::set_max_level(LevelFilter::Trace);
    let capture = Capture::default();
    let line = line!() + 1;
    log::info!(logger: capture, "m");
    let expected = Code { module: module_path!(), file: file!(), line };
    assert_eq!(*capture.code.lock().unwrap(), Some(expected));
    assert_eq!(code(&Record::builder().build()), None);
}

#[test]
fn numbers_keep_every_digit() {
    let int = |int: i64| (Value::Int(int), DataType::Long);
    let big = |int: i128| (Value::BigInt(int), DataType::BigInt);
    assert_eq!(property!(= 42), int(42));
    assert_eq!(property!(= -7_i8), int(-7));
    assert_eq!(property!(= i64::MIN), int(i64::MIN));
    assert_eq!(property!(= 9_007_199_254_740_993_u64), int(9_007_199_254_740_993));
    assert_eq!(property!(= NonZeroU8::MAX), int(255));
    assert_eq!(property!(= u64::MAX), big(u64::MAX.into()));
    assert_eq!(property!(= &5_u128), int(5));
    assert_eq!(property!(= &(u128::from(u64::MAX))), big(u64::MAX.into()));
    assert_eq!(property!(= &-5_i128), int(-5));
    assert_eq!(property!(= &i128::MIN), big(i128::MIN));
    assert_eq!(property!(= &u128::MAX), (Value::Text(u128::MAX.to_string().into()), DataType::BigInt));
    assert_eq!(property!(= 3.25), (Value::Double(3.25), DataType::Double));
    assert_eq!(property!(= f64::NAN), (Value::Double(f64::NAN), DataType::Double));
}

#[test]
fn other_plain_values_keep_their_type() {
    let text = |text: &'static str| (Value::Text(text.into()), DataType::String);
    assert_eq!(property!(= true), (Value::Bool(true), DataType::Bool));
    assert_eq!(property!(= 'x'), (Value::Text("x".into()), DataType::Char));
    assert_eq!(property!(= "t"), text("t"));
    assert_eq!(property!(= "t".to_owned()), text("t"));
    assert_eq!(property!(= ()), (Value::Null, DataType::None));
    assert_eq!(property!(= None::<i32>), (Value::Null, DataType::None));
    assert_eq!(property!(= Some(5)), (Value::Int(5), DataType::Long));
    assert_eq!(property!(:? = Some(5)), text("Some(5)"));
    assert_eq!(property!(:% = "t"), text("t"));
    assert_eq!(property!(:err = Failed::new()), text("no amount: invalid digit found in string"));
    assert_eq!(property!(:serde = 5_u8), (Value::Int(5), DataType::Long));
}

#[derive(Serialize)]
struct Point {
    y: f64,
    x: u128,
    name: Option<&'static str>,
}

#[derive(Serialize)]
struct Newtype(i32);

#[derive(Serialize)]
struct Pair(i32, char);

#[derive(Serialize)]
struct Unit;

#[derive(Serialize)]
enum Shape {
    Unit,
    Newtype(i32),
    Tuple(i32, bool),
    Struct { a: i32 },
}

#[test]
fn structures_keep_their_shape_order_and_numbers() {
    let list = |items| (Value::List(items), DataType::Other("list".into()));
    let map = |entries: Vec<(&'static str, Value)>| {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value)).collect();
        (Value::Map(entries), DataType::Other("map".into()))
    };
    let under = |variant: &'static str, value: Value| map(vec![(variant, value)]);
    let int = Value::Int;

    let point = Point { y: f64::NAN, x: 1 << 100, name: None };
    let expected = vec![("y", Value::Double(f64::NAN)), ("x", Value::BigInt(1 << 100)), ("name", Value::Null)];
    assert_eq!(property!(:serde = point), map(expected));
    assert_eq!(property!(:serde = Newtype(5)), (int(5), DataType::Long));
    assert_eq!(property!(:serde = Pair(5, 'x')), list(vec![int(5), Value::Text("x".into())]));
    assert_eq!(property!(:serde = Unit), (Value::Null, DataType::None));
    assert_eq!(property!(:serde = (1_i8, 2_u64, 0.1_f32)), list(vec![int(1), int(2), Value::Double(0.1)]));
    assert_eq!(property!(:serde = Shape::Unit), (Value::Text("Unit".into()), DataType::String));
    assert_eq!(property!(:serde = Shape::Newtype(5)), under("Newtype", int(5)));
    assert_eq!(property!(:serde = Shape::Tuple(5, true)), under("Tuple", list(vec![int(5), Value::Bool(true)]).0));
    assert_eq!(property!(:serde = Shape::Struct { a: 5 }), under("Struct", map(vec![("a", int(5))]).0));
    assert_eq!(property!(:serde = BTreeMap::from([(7, "seven")])), map(vec![("7", Value::Text("seven".into()))]));
    assert_eq!(property!(:serde = [u128::MAX]), list(vec![Value::Text(u128::MAX.to_string().into())]));
    assert_eq!(property!(:serde = [5_i128, 1 << 100]), list(vec![int(5), Value::BigInt(1 << 100)]));
    // What JSON has no form for is a text.
    assert_eq!(property!(:serde = BTreeMap::from([([1, 2], 3)])).1, DataType::String);
}

/// Is serialized as its text.
struct Shown<T>(T);

impl<T: fmt::Display> Serialize for Shown<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[test]
fn a_text_in_a_structure_that_panics_takes_nothing_with_it() {
    let both = [Shown(&5 as &dyn fmt::Display), Shown(&Panics), Shown(&6)];
    let texts = ["5", PANICKED, "6"].map(|text| Value::Text(text.into()));
    assert_eq!(property!(:serde = both).0, Value::List(texts.into()));
}

/// As serde_json's number with `arbitrary_precision`.
#[derive(Serialize)]
struct Exact {
    #[serde(rename = "$serde_json::private::Number")]
    digits: &'static str,
}

#[test]
fn a_number_of_arbitrary_precision_is_a_number() {
    let expected = Value::List(vec![Value::BigInt(1 << 70), Value::Double(0.5)]);
    let both = [Exact { digits: "1180591620717411303424" }, Exact { digits: "0.5" }];
    assert_eq!(property!(:serde = both).0, expected);
}

struct Unserializable;

impl Serialize for Unserializable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("not today"))
    }
}

#[test]
fn what_cannot_be_serialized_leaves_the_rest_intact() {
    let event = logged!(a = 1, k:serde = Unserializable, b = 2; "m");
    let names: Vec<_> = event.properties.iter().map(|property| &*property.name).collect();
    assert_eq!(names, ["a", "k", "b"]);
}

#[test]
fn a_panic_stays_inside_and_takes_nothing_with_it() {
    let event = logged!(a = 1, k:% = Panics, corrid:serde = Panics, corrid = "c", b = 2; "{}", Panics);
    assert_eq!(event.message, PANICKED);
    assert_eq!(event.correlators, ["c"]);
    let expected = [
        Property::new("a", 1_i64),
        Property::new("k", PANICKED),
        Property::new("corrid", PANICKED),
        Property::new("b", 2_i64),
    ];
    assert_eq!(event.properties, expected);
}

#[test]
fn a_display_that_fails_leaves_what_it_wrote() {
    struct Fails;
    impl fmt::Display for Fails {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("half")?;
            Err(fmt::Error)
        }
    }
    assert_eq!(logged!("the {Fails} of it").message, "the half[failed]");
}

/// Key-values of the program's own making.
struct Source(&'static str);

impl log::kv::Source for Source {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn log::kv::VisitSource<'kvs>) -> Result<(), log::kv::Error> {
        visitor.visit_pair(log::kv::Key::from_str(self.0), "first".into())?;
        panic!("this Source does")
    }
}

#[test]
fn key_values_of_any_source_are_taken_as_far_as_they_come() {
    let source = Source("k");
    let record = Record::builder().args(format_args!("m")).key_values(&source).build();
    let event = convert(&record);
    assert_eq!((&*event.message, event.properties), ("m", vec![Property::new("k", TypedValue::from("first"))]));
    assert_eq!(properties::look(&record, |_| false), Found::Others, "nobody knows what else there is");
}
