//! No input, however broken, makes a reader panic; what it reads, it can write.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use common::laws;
use common::lines::{bodies, files, lines};
use jkool_model::{
    Activity, ActivityStatus, CompCode, DataType, Event, LogType, OpType, Property, Severity, Snapshot, SourceFqn,
    SourceType, Timestamp, Value, ValueType, replace_lone_surrogates,
};
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::{Index, select};
use serde_json::{Map, Number, Value as Json, json};
use std::borrow::Cow;

const KEYS: &str = "operation severity tracking-id parent-id parent-tracking-id corrid corr-id source-fqn source-ssn source-url \
    time-usec start-time-usec end-time-usec elapsed-time-usec wait-time-usec wait-time-used comp-code reason-code exception \
    resource location user pid tid ttl-sec _guid tracking-sign properties snapshots type msg-text msg-tag msg-age msg-age-usec \
    msg-size mime-type encoding charset log-type relate-type relate-afqn relate-bfqn status id-set name category value value-type \
    valid type-no count fqn source $serde_json::private::Number";

const WORDS: &str = "EVENT ACTIVITY SNAPSHOT DATASET LOG INFO OK APPL=a#SERVER=s APPL=#x appl=a 2016-03-09T12:00:00 9999-12-31 \
    NaN -Infinity 1e400 9223372036854775808 -1 0 true int long float double bint bool none counter age.year flag";

const TYPES: &str =
    "none string int long float double bool byte short bint bdec char date.usec list map x counter age.year";

fn word(words: &'static str) -> impl Strategy<Value = String> {
    select(words.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>())
}

fn hostile_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_map(|double| Number::from_f64(double).map_or(Json::Null, Json::Number)),
        ".{0,6}".prop_map(Json::from),
        word(WORDS).prop_map(Json::from),
    ];
    let key = || prop_oneof![9 => word(KEYS), 1 => ".{0,3}"];
    let nested = leaf.prop_recursive(5, 48, 8, move |inner| {
        let object = vec((key(), inner.clone()), 0..8).prop_map(|entries| Json::Object(Map::from_iter(entries)));
        prop_oneof![1 => vec(inner, 0..4).prop_map(Json::from), 3 => object]
    });
    // Bare words are of no interest: an object in nearly every case.
    (nested, vec((word(KEYS), word(WORDS)), 0..3)).prop_map(|(json, extra)| match json {
        Json::Object(mut fields) => {
            fields.extend(extra.into_iter().map(|(key, word)| (key, json!(word))));
            Json::Object(fields)
        }
        other => other,
    })
}

fn read_as_anything(input: &[u8]) {
    laws::entity(input);
    laws::writes_what_it_reads::<Event>(input);
    laws::writes_what_it_reads::<Activity>(input);
    laws::writes_what_it_reads::<Snapshot>(input);
    laws::writes_what_it_reads::<Property>(input);
    laws::writes_what_it_reads::<SourceFqn>(input);
    if let Ok(value) = serde_json::from_slice::<Value>(input) {
        let _shown = (value.to_string(), serde_json::to_string(&value).unwrap());
    }
}

fn parse_as_anything(text: &str) {
    laws::source(text);
    laws::surrogates(text);
    let _parsed = (text.parse::<Timestamp>(), text.parse::<SourceType>());
    let _words = (text.parse::<Severity>(), text.parse::<OpType>(), text.parse::<CompCode>());
    let _others = (text.parse::<ActivityStatus>(), text.parse::<LogType>());
    assert_eq!(ValueType::from(text).as_str().to_lowercase(), text.to_lowercase());
    assert!(text.is_empty() || !DataType::from(text).as_str().is_empty());
}

fn recorded() -> impl Strategy<Value = Vec<u8>> {
    let all = files().into_iter().flat_map(|file| lines(&file)).flat_map(|line| bodies(&line));
    // One of them has 70 000 times the same letter.
    select(all.filter(|body| body.len() < 5000).collect::<Vec<_>>())
}

fn mutate(bytes: &mut Vec<u8>, kind: u8, place: Index, other: Index, byte: u8) {
    if bytes.is_empty() {
        return bytes.push(byte);
    }
    let (place, other) = (place.index(bytes.len()), other.index(bytes.len()));
    match kind % 6 {
        0 => bytes[place] = byte,
        1 => bytes.insert(place, byte),
        2 => drop(bytes.remove(place)),
        3 => bytes.truncate(place),
        4 => bytes.swap(place, other),
        _ => bytes.extend_from_within(place.min(other)..place.max(other)),
    }
}

/// What a JSON string says in UTF-16, and one way to write it: escaped or not, halves and all.
fn text_with_halves() -> impl Strategy<Value = (Vec<u16>, String)> {
    let escaped = |units: &[u16]| units.iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
    let whole = (prop_oneof![any::<char>(), Just('\\'), Just('"'), Just('🚀')], any::<bool>());
    let whole = whole.prop_map(move |(character, escape)| {
        let units = character.encode_utf16(&mut [0; 2]).to_vec();
        let raw = serde_json::to_string(&character).unwrap();
        let json = if escape { escaped(&units) } else { raw[1..raw.len() - 1].to_owned() };
        (units, json)
    });
    let half = (0xD800..0xE000_u16).prop_map(move |unit| (vec![unit], escaped(&[unit])));
    vec(prop_oneof![whole, half], 0..12).prop_map(|parts| {
        let (units, json): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        (units.concat(), json.concat())
    })
}

/// Inputs that a search found, or that were thought of beside those.
#[test]
fn inputs_that_broke_a_law() {
    for json in [
        r#"{"type":"ACTIVITY","type":null}"#,
        r#"{"type":"ACTIVITY","type":" "}"#,
        r#"{"type":"SNAPSHOT","name":""}"#,
        r#"{"type":"SNAPSHOT","name":null}"#,
        r#"{"properties":[{"name":"n","type":"double","value":18446744073709551615}]}"#,
        r#"{"properties":[{"name":"n","type":"float","value":18446744073709551615}]}"#,
    ] {
        read_as_anything(json.as_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn known_keys_with_any_values(json in hostile_json()) {
        read_as_anything(json.to_string().as_bytes());
    }

    #[test]
    fn what_tells_kinds_apart_several_times(fields in vec((
        select(&["type", "name", "operation", "category"][..]),
        select(&["null", r#""""#, r#"" ""#, r#""ACTIVITY""#, r#""SNAPSHOT""#, r#""LOG""#, r#""n""#, "7", "[]"][..]),
    ), 0..6)) {
        let fields: Vec<_> = fields.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        read_as_anything(format!("{{{}}}", fields.join(",")).as_bytes());
    }

    #[test]
    fn properties_of_any_type(
        (data_type, value_type) in (word(TYPES), word(TYPES)),
        value in prop_oneof![
            hostile_json(),
            any::<u64>().prop_map(Json::from),
            any::<i128>().prop_map(|int| json!(int.to_string())),
            any::<f64>().prop_map(|double| json!(double.to_string())),
            word(WORDS).prop_map(Json::from),
        ],
    ) {
        let property = json!({"name": "n", "type": data_type, "value-type": value_type, "value": value});
        read_as_anything(json!({"properties": [property]}).to_string().as_bytes());
    }

    #[test]
    fn recorded_lines_with_broken_bytes(
        mut bytes in recorded(),
        mutations in vec(any::<(u8, Index, Index, u8)>(), 1..6),
    ) {
        for (kind, place, other, byte) in mutations {
            mutate(&mut bytes, kind, place, other, byte);
        }
        read_as_anything(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        laws::surrogates(&text);
        read_as_anything(replace_lone_surrogates(&text).as_bytes());
    }

    #[test]
    fn any_text(key in word(KEYS), text in prop_oneof![
        any::<String>(),
        "[-+0-9TZ:. ]{0,30}",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})?",
        "((APPL|SERVER|user|X)?=?.{0,5}#?){0,5}",
        "Level .{0,4}",
    ]) {
        parse_as_anything(&text);
        read_as_anything(text.as_bytes());
        read_as_anything(json!({key: text}).to_string().as_bytes());
        read_as_anything(json!({"source-fqn": text, "time-usec": text, "severity": text}).to_string().as_bytes());
    }

    #[test]
    fn half_characters_are_replaced_and_nothing_else((units, json) in text_with_halves()) {
        let json = format!("{{\"msg-text\":\"{json}\"}}");
        laws::surrogates(&json);
        let mended = replace_lone_surrogates(&json);
        let event: Event = serde_json::from_str(&mended).unwrap();
        prop_assert_eq!(&*event.message, String::from_utf16_lossy(&units));
        prop_assert_eq!(matches!(mended, Cow::Borrowed(_)), String::from_utf16(&units).is_ok());
        prop_assert_eq!(serde_json::from_str::<Event>(&json).is_ok(), String::from_utf16(&units).is_ok());
    }

    #[test]
    fn valid_json_stays_as_it_is(json in hostile_json()) {
        let text = json.to_string();
        laws::surrogates(&text);
        prop_assert_eq!(&*replace_lone_surrogates(&text), &text);
    }
}
