//! What an entity of another client means, in our spelling: written from the notes on the wire (the columns "Send" and
//! "Accept" and the lists of words), not from the code that it checks.

use serde_json::{Map, Value as Json, json};

/// What a JSON object is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Event,
    Activity,
    Snapshot,
    Property,
}

/// Tells by the shape. A log entry or an event can have the type SNAPSHOT; then it has an operation.
pub(crate) fn kind(json: &Json) -> Kind {
    let has = |key: &str| json.get(key).is_some();
    match json["type"].as_str().unwrap_or_default() {
        "ACTIVITY" => Kind::Activity,
        "SNAPSHOT" | "DATASET" if has("name") && !has("operation") => Kind::Snapshot,
        _ if has("name") && has("value") => Kind::Property,
        _ => Kind::Event,
    }
}

/// The keys that we send, from sections 2 and 3 of the notes.
const SHARED: &str = "operation severity tracking-id parent-id corrid source-fqn source-ssn source-url time-usec \
    start-time-usec end-time-usec elapsed-time-usec wait-time-usec comp-code reason-code exception resource location user \
    pid tid ttl-sec _guid tracking-sign properties snapshots type";
const OF_EVENTS: &str = "msg-text msg-tag msg-age msg-size mime-type encoding charset log-type relate-type relate-afqn \
    relate-bfqn";
const OF_ACTIVITIES: &str = "status id-set";
const OF_SNAPSHOTS: &str = "name category type time-usec properties parent-id tracking-id _guid tracking-sign severity ttl-sec \
    source-fqn source-ssn source-url";

fn is_sent(kind: Kind, key: &str) -> bool {
    let lists: &[&str] = match kind {
        Kind::Event => &[SHARED, OF_EVENTS],
        Kind::Activity => &[SHARED, OF_ACTIVITIES],
        Kind::Snapshot => &[OF_SNAPSHOTS],
        Kind::Property => &["name type value value-type"],
    };
    lists.iter().any(|list| list.split_ascii_whitespace().any(|known| known == key))
}

/// Our spelling of an event, activity, snapshot or property.
pub(crate) fn normal(kind: Kind, json: &Json) -> Json {
    if kind == Kind::Property {
        return property(json);
    }
    let renamed = rename(kind, json.as_object().unwrap());
    let mut ours = Map::new();
    for (key, value) in &renamed {
        if let Some(value) = field(kind, key, value) {
            ours.insert(key.clone(), value);
        }
    }
    let default = match kind {
        Kind::Event => "EVENT",
        Kind::Activity => "ACTIVITY",
        Kind::Snapshot | Kind::Property => "SNAPSHOT",
    };
    ours.entry("type").or_insert(json!(default));
    if kind != Kind::Snapshot {
        ours.entry("severity").or_insert(json!("INFO"));
    }
    Json::Object(ours)
}

fn rename(kind: Kind, json: &Map<String, Json>) -> Map<String, Json> {
    let ours = |key: &str| {
        match key {
            "corr-id" => "corrid",
            "wait-time-used" => "wait-time-usec",
            "msg-age-usec" => "msg-age",
            "parent-tracking-id" if kind != Kind::Snapshot => "parent-id",
            other => other,
        }
        .to_owned()
    };
    json.iter().map(|(key, value)| (ours(key), value.clone())).collect()
}

/// The value of a field in our spelling; none when it says nothing or when we don't send such a key.
fn field(kind: Kind, key: &str, value: &Json) -> Option<Json> {
    if value.is_null() || !is_sent(kind, key) {
        return None;
    }
    match key {
        "source-fqn" => source(value.as_str()?),
        "severity" => severity(&text(value)?),
        "comp-code" => match text(value)?.to_uppercase().as_str() {
            "OK" | "SUCCESS" => Some(json!("SUCCESS")),
            known @ ("WARNING" | "ERROR") => Some(json!(known)),
            _ => None,
        },
        "type" | "log-type" | "status" => text(value).map(|word| json!(word.to_uppercase())),
        "corrid" | "id-set" => texts(value),
        "msg-tag" => match texts(value)?.as_array()?.as_slice() {
            [one] => Some(one.clone()),
            several => Some(json!(several)),
        },
        "properties" => list(value, |item| match item {
            Json::Array(items) => items.iter().map(property).collect(),
            Json::Object(dict) => {
                dict.iter().map(|(name, value)| property(&json!({"name": name, "value": value}))).collect()
            }
            _ => Vec::new(),
        }),
        "snapshots" => list(value, |item| match item {
            Json::Array(items) => items.iter().map(|item| normal(Kind::Snapshot, item)).collect(),
            bare => vec![normal(Kind::Snapshot, bare)],
        }),
        "time-usec" | "start-time-usec" | "end-time-usec" => number(value).filter(|usec| *usec != 0).map(Json::from),
        "elapsed-time-usec" | "wait-time-usec" | "reason-code" | "pid" | "tid" | "ttl-sec" | "msg-age" | "msg-size" => {
            number(value).map(Json::from)
        }
        _ => text(value).map(Json::from),
    }
}

fn list(value: &Json, items: impl Fn(&Json) -> Vec<Json>) -> Option<Json> {
    Some(items(value)).filter(|items| !items.is_empty()).map(Json::Array)
}

fn text(value: &Json) -> Option<String> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Some(text).filter(|text| !text.is_empty())
}

fn texts(value: &Json) -> Option<Json> {
    let items = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    let texts: Vec<_> = items.iter().filter(|item| !item.is_null()).filter_map(text).collect();
    Some(json!(texts)).filter(|_| !texts.is_empty())
}

fn number(value: &Json) -> Option<i64> {
    match value {
        // The one time in ISO form that was recorded.
        Json::String(text) if text == "2016-03-09T12:00:00" => Some(1_457_524_800_000_000),
        Json::String(text) => text.parse().ok(),
        other => other.as_i64(),
    }
}

fn severity(word: &str) -> Option<Json> {
    const WORDS: [&str; 11] =
        ["NONE", "TRACE", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "FAILURE", "CRITICAL", "FATAL", "HALT"];
    let level = word.strip_prefix("Level ").and_then(|level| level.parse::<u32>().ok());
    Some(match (level, word.to_uppercase().as_str()) {
        (Some(level), _) => {
            json!(["TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"][(level as usize / 10).min(5)])
        }
        (None, known) if WORDS.contains(&known) => json!(known),
        _ => json!("INFO"),
    })
}

/// A text that is no source name becomes the name of a GENERIC source.
fn source(text: &str) -> Option<Json> {
    match text {
        "" => None,
        name if name.split('#').all(|element| element.contains('=')) => Some(json!(name)),
        free => Some(json!(format!("GENERIC={free}"))),
    }
}

const DATA_TYPES: [&str; 14] = [
    "string",
    "int",
    "long",
    "double",
    "float",
    "bool",
    "byte",
    "short",
    "char",
    "date",
    "date.usec",
    "bint",
    "bdec",
    "none",
];
const VALUE_TYPES: &str = "none temp.f temp.c rate.sec currency currency.usd currency.eur currency.uk size size.byte size.kb \
    size.mb size.gb size.tb size.meter size.km size.foot size.mile age age.nsec age.usec age.msec age.sec age.min age.hour \
    age.day age.week age.month age.year timestamp speed.kmh speed.mph mass.lb mass.oz mass.g mass.kg addr addr.ip addr.ip.v4 \
    addr.ip.v6 counter counter.msec gauge derive absolute flag percent id guid crypto crypto.btc crypto.eth crypto.eth.wei \
    crypto.eos crypto.ltc";

fn data_type(word: &str) -> Option<&str> {
    match word {
        "integer" => Some("int"),
        "boolean" => Some("bool"),
        "BigInteger" => Some("bint"),
        "BigDecimal" => Some("bdec"),
        other => DATA_TYPES.into_iter().find(|known| known.eq_ignore_ascii_case(other)),
    }
}

/// Every value type of the notes, for a test that goes through them all.
pub(crate) fn value_types() -> impl Iterator<Item = &'static str> {
    VALUE_TYPES.split_ascii_whitespace()
}

fn property(json: &Json) -> Json {
    let word = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
    let (mut data, mut measure) = (word("type"), word("value-type"));
    if data_type(&data).is_none() && value_types().any(|known| known == data) && data_type(&measure).is_some() {
        std::mem::swap(&mut data, &mut measure);
    }
    let value = &json["value"];
    let data = match data_type(&data).map(str::to_owned).unwrap_or(data) {
        untold if untold.is_empty() => of_untold(value).to_owned(),
        told => told,
    };
    let mut ours = json!({"name": json["name"], "value": native(&data, value), "type": data});
    if !matches!(measure.as_str(), "" | "none") {
        ours["value-type"] = json!(measure);
    }
    ours
}

fn of_untold(value: &Json) -> &'static str {
    match value {
        Json::Null => "none",
        Json::Bool(_) => "bool",
        Json::Number(number) if number.as_i64().is_some_and(|int| i32::try_from(int).is_ok()) => "int",
        Json::Number(number) if number.is_i64() => "long",
        Json::Number(number) if number.is_f64() => "double",
        Json::Number(_) => "bint",
        Json::String(_) => "string",
        Json::Array(_) => "list",
        Json::Object(_) => "map",
    }
}

/// The value as native JSON, by its declared type. What is no number stays a text; so do `NaN` and the infinities.
fn native(data_type: &str, value: &Json) -> Json {
    let number = match value {
        Json::String(text) => serde_json::from_str(text).unwrap_or(Json::Null),
        other => other.clone(),
    };
    match data_type {
        "byte" | "short" | "int" | "long" if number.is_i64() => number,
        "double" if number.is_number() => json!(number.as_f64()),
        "float" if number.is_number() => {
            let float = number.as_f64().unwrap() as f32;
            json!(float.to_string().parse::<f64>().unwrap())
        }
        "bool" if number.is_boolean() => number,
        "bint" if value.is_i64() || value.is_u64() => json!(value.to_string()),
        _ => value.clone(),
    }
}
