//! Values and texts at their limits: nothing is lost on the way out and in again.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use common::wire;
use jkool_model::{DataType, Entity, Event, Property, Snapshot, Timestamp, TypedValue, Value, ValueType};
use serde_json::{Value as Json, json};
use std::thread;
use std::time::{Duration, SystemTime};

fn survives(event: &Event) {
    let written = serde_json::to_string(event).unwrap();
    assert!(!written.contains(['\n', '\r']));
    assert_eq!(serde_json::from_str::<Event>(&written).unwrap(), *event);
}

fn message(text: impl Into<jkool_model::Text>) -> Event {
    Event::builder().source("APPL=a".parse().unwrap()).message(text).build().unwrap()
}

#[test]
fn a_message_survives_whatever_its_length_and_characters() {
    survives(&message("x".repeat(10 << 20)));
    survives(&message("🚀\n".repeat(1 << 16)));
    let control: String =
        (0..0xA0).chain(0x2027..0x2030).chain([0xFEFF, 0xFFFD, 0xFFFF]).filter_map(char::from_u32).collect();
    survives(&message(control));
    survives(&message("say \"hi\" and 'bye' back\\slash /slash \\u0041 \\ud800 👩‍👩‍👧‍👦 שלום"));
    survives(&message(char::MAX.to_string()));
}

/// The property as its JSON, and back.
fn check(property: Property, json: &str) {
    let written = serde_json::to_string(&property).unwrap();
    // By meaning, as a float may be spelled with more or fewer characters.
    let expected: Json = serde_json::from_str(&format!(r#"{{"name":"p",{json}}}"#)).unwrap();
    assert_eq!(wire(&property), expected);
    assert_eq!(serde_json::from_str::<Property>(&written).unwrap(), property, "{json}");
}

#[test]
fn each_rust_type_has_its_name_and_keeps_each_digit() {
    let p = |value: TypedValue| Property::new("p", value);
    for (value, json) in [
        (true.into(), r#""type":"bool","value":true"#),
        (i8::MIN.into(), r#""type":"byte","value":-128"#),
        (u8::MAX.into(), r#""type":"short","value":255"#),
        (i16::MIN.into(), r#""type":"short","value":-32768"#),
        (u16::MAX.into(), r#""type":"int","value":65535"#),
        (i32::MIN.into(), r#""type":"int","value":-2147483648"#),
        (u32::MAX.into(), r#""type":"long","value":4294967295"#),
        (9_007_199_254_740_993_i64.into(), r#""type":"long","value":9007199254740993"#),
        (i64::MAX.into(), r#""type":"long","value":9223372036854775807"#),
        (i64::MIN.into(), r#""type":"long","value":-9223372036854775808"#),
        (isize::MIN.into(), r#""type":"long","value":-9223372036854775808"#),
        (42_u64.into(), r#""type":"long","value":42"#),
        (u64::MAX.into(), r#""type":"bint","value":"18446744073709551615""#),
        (usize::MAX.into(), r#""type":"bint","value":"18446744073709551615""#),
        (5_i128.into(), r#""type":"bint","value":"5""#),
        (i128::MIN.into(), r#""type":"bint","value":"-170141183460469231731687303715884105728""#),
        (5_u128.into(), r#""type":"bint","value":"5""#),
        (u128::MAX.into(), r#""type":"bint","value":"340282366920938463463374607431768211455""#),
        (1e-7_f32.into(), r#""type":"float","value":1e-7"#),
        (f32::MAX.into(), r#""type":"float","value":3.4028235e38"#),
        (f32::from_bits(1).into(), r#""type":"float","value":1e-45"#),
        (f32::NAN.into(), r#""type":"float","value":"NaN""#),
        (f32::NEG_INFINITY.into(), r#""type":"float","value":"-Infinity""#),
        (0.1.into(), r#""type":"double","value":0.1"#),
        (5.0.into(), r#""type":"double","value":5.0"#),
        (f64::MAX.into(), r#""type":"double","value":1.7976931348623157e308"#),
        (f64::from_bits(1).into(), r#""type":"double","value":5e-324"#),
        ((-0.0).into(), r#""type":"double","value":-0.0"#),
        (f64::NAN.into(), r#""type":"double","value":"NaN""#),
        (f64::INFINITY.into(), r#""type":"double","value":"Infinity""#),
        ('ß'.into(), r#""type":"char","value":"ß""#),
        ("t".into(), r#""type":"string","value":"t""#),
        (String::from("42").into(), r#""type":"string","value":"42""#),
        (Timestamp::from_usec(7).into(), r#""type":"date.usec","value":7"#),
        ((SystemTime::UNIX_EPOCH - Duration::from_micros(1)).into(), r#""type":"date.usec","value":-1"#),
        (().into(), r#""type":"none","value":null"#),
        (Option::<i32>::None.into(), r#""type":"none","value":null"#),
        (Some(1).into(), r#""type":"int","value":1"#),
        (Value::List(vec![Value::Null]).into(), r#""type":"list","value":[null]"#),
        (Value::Map(vec![("k".into(), Value::Int(1))]).into(), r#""type":"map","value":{"k":1}"#),
    ] {
        check(p(value), json);
    }
    check(p(26.into()).value_type(ValueType::AgeYear), r#""type":"int","value":26,"value-type":"age.year""#);
}

#[test]
fn text_that_spells_its_type_becomes_native() {
    let read = |data_type: &str, text: &str| {
        let json = json!({"name": "p", "type": data_type, "value": text}).to_string();
        wire(&serde_json::from_str::<Property>(&json).unwrap())["value"].clone()
    };
    for (data_type, text, value) in [
        ("long", "9007199254740993", json!(9_007_199_254_740_993_i64)),
        ("int", "-1", json!(-1)),
        ("int", "1.5", json!("1.5")),
        ("int", "99999999999999999999", json!("99999999999999999999")),
        ("double", "1.0E-7", json!(1e-7)),
        ("double", "5.0", json!(5.0)),
        ("double", "1E400", json!("1E400")),
        ("double", "NaN", json!("NaN")),
        ("double", "inf", json!("inf")),
        ("float", "1.5", json!(1.5)),
        ("float", "1e39", json!(1e39)),
        ("bool", "true", json!(true)),
        ("bool", "yes", json!("yes")),
        ("bint", "007", json!("7")),
        ("bdec", "1.10", json!("1.10")),
        ("date", "Thu Jun 23 06:19:21 UTC 2016", json!("Thu Jun 23 06:19:21 UTC 2016")),
        ("string", "42", json!("42")),
    ] {
        assert_eq!(read(data_type, text), value, "{data_type} {text}");
    }
}

#[test]
fn numbers_are_exact_when_serde_json_hands_over_their_digits() {
    // What it does when any crate of a program switches its `arbitrary_precision` on.
    let read = |digits: &str| {
        let json = json!({"$serde_json::private::Number": digits}).to_string();
        serde_json::from_str::<Value>(&json).unwrap()
    };
    assert_eq!(read("42"), Value::Int(42));
    assert_eq!(read("-9223372036854775808"), Value::Int(i64::MIN));
    assert_eq!(read("18446744073709551615"), Value::BigInt(u64::MAX.into()));
    assert_eq!(read("123456789012345678901234567890"), Value::BigInt(123_456_789_012_345_678_901_234_567_890));
    assert_eq!(read("1.5e3"), Value::Double(1500.0));
    assert_eq!(read(&"9".repeat(60)), Value::Text("9".repeat(60).into()));
    assert_eq!(read("1e400"), Value::Text("1e400".into()));
    let number = |digits: i64| json!({"$serde_json::private::Number": digits.to_string()});
    let json = json!({"time-usec": number(7), "pid": number(8), "properties": [{"name": "p", "value": number(9)}]});
    let event: Event = serde_json::from_str(&json.to_string()).unwrap();
    assert_eq!((event.time, event.pid), (Some(Timestamp::from_usec(7)), Some(8)));
    assert_eq!(event.properties, [Property::new("p", 9)]);
}

#[test]
fn a_value_deeper_than_anybody_reads_is_cut() {
    // Dropping goes down to the bottom, on the large stack here; writing must not.
    let deep = || {
        let value = (0..10_000).fold(Value::Null, |value, depth| match depth % 2 {
            0 => Value::List(vec![value]),
            _ => Value::Map(vec![("k".into(), value)]),
        });
        let written = thread::scope(|scope| {
            let write = || (serde_json::to_string(&value).unwrap(), value.to_string());
            thread::Builder::new().stack_size(256 << 10).spawn_scoped(scope, write).unwrap().join().unwrap()
        });
        let expected = format!("{}\"[depth]\"{}", r#"{"k":["#.repeat(16), "]}".repeat(16));
        assert_eq!(written, (expected.clone(), expected));
    };
    thread::Builder::new().stack_size(32 << 20).spawn(deep).unwrap().join().unwrap();

    let nested = |depth: usize| (0..depth).fold(Value::Null, |value, _| Value::List(vec![value]));
    let event = Event::builder().snapshot(Snapshot::builder("s").property("p", nested(32)).build());
    survives(&event.source("APPL=a".parse().unwrap()).build().unwrap());
    assert!(!nested(32).to_string().contains("depth") && nested(33).to_string().contains("depth"));
}

#[test]
fn reading_goes_as_deep_as_the_reader_lets_it() {
    let read = |depth: usize| {
        let value = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let json = format!(r#"{{"properties":[{{"name":"p","value":{value}}}],"msg-text":{value}}}"#);
        serde_json::from_str::<Entity>(&json).map(|entity| serde_json::to_string(&entity).unwrap())
    };
    assert!(read(100).unwrap().contains("[depth]"));
    assert!(read(1_000_000).unwrap_err().to_string().contains("recursion limit exceeded at line 1"));
}

#[test]
fn a_value_is_shown_as_text_or_json() {
    let text = |text: &'static str| Value::Text(text.into());
    for (value, shown) in [
        (text("plain \"text\""), r#"plain "text""#),
        (Value::Double(f64::NAN), "NaN"),
        (Value::Double(1e300), "1e300"),
        (Value::BigInt(i128::MAX), "170141183460469231731687303715884105727"),
        (Value::List(vec![text("a\"\\\n\u{1}\u{7f}🚀"), Value::Null]), r#"["a\"\\\n\u0001\u007f🚀",null]"#),
        (Value::Map(vec![("k\t".into(), Value::Double(f64::INFINITY))]), r#"{"k\u0009":"Infinity"}"#),
        (Value::List(vec![Value::Bool(true), Value::Int(-1), Value::Double(0.5)]), "[true,-1,0.5]"),
    ] {
        assert_eq!(value.to_string(), shown);
    }
}

#[test]
fn a_value_answers_for_what_it_is() {
    let all =
        [Value::Int(1), Value::BigInt(2), Value::Double(0.5), Value::Bool(true), Value::Text("t".into()), Value::Null];
    assert_eq!(all.each_ref().map(Value::as_i64), [Some(1), None, None, None, None, None]);
    assert_eq!(all.each_ref().map(Value::as_f64), [Some(1.0), Some(2.0), Some(0.5), None, None, None]);
    assert_eq!(all.each_ref().map(Value::as_bool), [None, None, None, Some(true), None, None]);
    assert_eq!(all.each_ref().map(Value::as_str), [None, None, None, None, Some("t"), None]);
    assert_eq!(Value::Double(f64::NAN), Value::Double(f64::NAN));
    assert_ne!(Value::Int(1), Value::Double(1.0));
}

#[test]
fn a_value_is_made_to_fit_its_type() {
    for (value, data_type, fitting) in [
        (Value::Int(5), DataType::Double, Value::Double(5.0)),
        (Value::Int((1 << 53) + 1), DataType::Double, Value::Int((1 << 53) + 1)),
        (Value::Int(5), DataType::BigInt, Value::BigInt(5)),
        (Value::Double(5.0), DataType::Long, Value::Int(5)),
        (Value::Double(5.5), DataType::Long, Value::Double(5.5)),
        (Value::Double(0.1), DataType::Float, Value::Double(0.1)),
        (Value::Double(0.1_f32.into()), DataType::Float, Value::Double(0.1)),
        (Value::Double(1e300), DataType::Float, Value::Double(1e300)),
        (Value::Text("5".into()), DataType::String, Value::Text("5".into())),
        (Value::Bool(true), DataType::Int, Value::Bool(true)),
    ] {
        assert_eq!(TypedValue::new(value, data_type).value, fitting);
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{text}")]
struct Told {
    text: &'static str,
    source: Option<Box<Told>>,
}

#[test]
fn an_error_is_told_with_its_causes() {
    let told = |text, source: Option<Told>| Told { text, source: source.map(Box::new) };
    let error = told("order refused", Some(told("no stock", Some(told("store 7 is closed", None)))));
    let event = Event::builder().source("APPL=a".parse().unwrap()).error(&error).build().unwrap();
    assert_eq!(event.exception, "order refused: no stock: store 7 is closed");
}
