//! JSON: entities of jKool, dead letters, and log records of other programs.

use super::fields::put;
use super::{Parsed, Wrong};
use jkool_client::model::{Entity, Event, Value as Field, repair_json};
use serde_json::{Map, Value};

/// The beginning of a line of a spool's `dead-letters.jsonl`: the reason. An event does not begin like this.
const DEAD_LETTER: &[u8] = br#"{"error":"#;

/// Fields that entities of jKool have, and logs of other programs do not.
const OWN: [&[u8]; 7] = [
    br#""operation""#,
    br#""msg-text""#,
    br#""tracking-id""#,
    br#""source-fqn""#,
    br#""corrid""#,
    br#""time-usec""#,
    br#""snapshots""#,
];

/// Reads an object, or an array of objects.
pub(super) fn parse(json: &[u8]) -> Result<Parsed, Wrong> {
    let json = json.trim_ascii_end();
    match read(json) {
        Ok(entities) => Ok(Parsed { entities, repaired: false }),
        Err(error) => match repair_json(json).map(|json| read(&json)) {
            Some(Ok(entities)) => Ok(Parsed { entities, repaired: true }),
            Some(Err(after)) => Err(wrong(&after)),
            None => Err(wrong(&error)),
        },
    }
}

fn wrong(error: &serde_json::Error) -> Wrong {
    let reason = error.to_string();
    // The position is already in the text before it.
    let end = reason.rfind(" at line ").unwrap_or(reason.len());
    Wrong { line: error.line().saturating_sub(1), column: error.column().max(1), reason: reason[..end].to_owned() }
}

fn read(json: &[u8]) -> Result<Vec<Entity>, serde_json::Error> {
    if json.trim_ascii_start().starts_with(b"[") {
        let values: Vec<Value> = serde_json::from_slice(json)?;
        return values.into_iter().map(entity).collect();
    }
    if json.starts_with(DEAD_LETTER) {
        return Ok(vec![entity(serde_json::from_slice(json)?)?]);
    }
    // Most lines are either jKool's, which are decoded directly, or clearly not.
    if is_own_text(json) {
        return Ok(vec![serde_json::from_slice(json)?]);
    }
    Ok(vec![entity(serde_json::from_slice(json)?)?])
}

/// Checks only the beginning, because long messages may follow.
fn is_own_text(json: &[u8]) -> bool {
    let head = &json[..json.len().min(400)];
    let has = |name: &[u8]| head.windows(name.len()).any(|part| part == name);
    !has(br#""level""#) && !has(br#""msg""#) && !has(br#""message""#) && OWN.iter().any(|name| has(name))
}

fn entity(mut value: Value) -> Result<Entity, serde_json::Error> {
    if value.get("error").is_some() && value.get("entity").is_some() && value.get("reason").is_some() {
        return serde_json::from_value(value["entity"].take());
    }
    match value {
        Value::Object(object) if !is_own(&object) => Ok(Entity::Event(Box::new(foreign(object)))),
        value => serde_json::from_value(value),
    }
}

fn is_own(object: &Map<String, Value>) -> bool {
    let own = ["msg-text", "tracking-id", "source-fqn", "corrid", "corr-id", "time-usec", "snapshots"];
    let other = ["level", "msg", "message", "severity_text", "@timestamp"];
    let has = |names: &[&str]| names.iter().any(|name| object.contains_key(*name));
    has(&own)
        || (object.contains_key("operation") && !has(&other))
        || object
            .get("type")
            .and_then(Value::as_str)
            .is_some_and(|word| ["SNAPSHOT", "ACTIVITY", "DATASET"].contains(&word))
}

/// A log record of another program.
fn foreign(object: Map<String, Value>) -> Event {
    let mut event = Event::default();
    for (name, value) in object {
        put_value(&mut event, &name, value);
    }
    event
}

/// Fields of a nested object get a name with a dot: `http.status`.
fn put_value(event: &mut Event, name: &str, value: Value) {
    match value {
        // serde_json limits the depth to 128 levels.
        Value::Object(object) => {
            object.into_iter().for_each(|(inner, value)| put_value(event, &format!("{name}.{inner}"), value))
        }
        value => put(event, name, field(value)),
    }
}

fn field(value: Value) -> Field {
    match value {
        Value::Null => Field::Null,
        Value::Bool(value) => Field::Bool(value),
        Value::String(text) => Field::Text(text.into()),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Field::Int(number),
            (_, Some(value)) if number.is_f64() => Field::Double(value),
            _ => Field::Text(number.to_string().into()),
        },
        Value::Array(values) if values.iter().all(|value| !value.is_object() && !value.is_array()) => {
            Field::List(values.into_iter().map(field).collect())
        }
        other => Field::Text(other.to_string().into()),
    }
}
