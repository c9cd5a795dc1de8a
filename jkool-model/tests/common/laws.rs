//! What must hold whatever comes in: the tests try it with random input, `fuzz/` with searched input.

use jkool_model::{DataType, Entity, Event, Property, Snapshot, SourceFqn, SourceType, Value, replace_lone_surrogates};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use std::borrow::Cow;
use std::fmt::Debug;

/// Of any bytes: what is read as an entity is valid or says why not, is written as one line, and is read and written as the
/// same again.
pub(crate) fn entity(input: &[u8]) {
    let Ok(entity) = serde_json::from_slice::<Entity>(input) else { return };
    match &entity {
        Entity::Event(event) => alone(input, &**event),
        Entity::Activity(activity) => alone(input, &**activity),
        Entity::Snapshot(snapshot) => alone(input, &**snapshot),
        other => panic!("nobody checks {other:?}"),
    }
    if let Err(fault) = entity.validate() {
        assert!(fault.to_string().contains(fault.field()), "{fault}");
    }

    let written = serde_json::to_string(&entity).unwrap();
    assert!(!written.contains(['\n', '\r']), "{written}");
    let again = read::<Entity>(&written);
    assert_eq!(serde_json::to_string(&again).unwrap(), written);
    if is_kept(&entity) && !written.contains("[depth]") {
        assert_eq!(again, entity, "{written}");
    }
    assert_eq!(read::<Entity>(&written), again, "{written}");
}

/// A reader that knows the kind beforehand reads the same.
fn alone<T: DeserializeOwned + PartialEq + Debug>(input: &[u8], found: &T) {
    assert_eq!(&serde_json::from_slice::<T>(input).unwrap(), found);
}

fn read<T: DeserializeOwned>(written: &str) -> T {
    serde_json::from_str(written).unwrap_or_else(|error| panic!("{error}: {written}"))
}

/// Whether it has no value that is by design read as another: a whole number of more than 64 bits is a text on the wire, and
/// only `bint` beside it says what it was.
fn is_kept(entity: &Entity) -> bool {
    let kept = |properties: &[Property]| properties.iter().all(property_is_kept);
    let of_all = |snapshots: &[Snapshot]| snapshots.iter().all(|snapshot| kept(&snapshot.properties));
    match entity {
        Entity::Event(event) => kept(&event.properties) && of_all(&event.snapshots),
        Entity::Activity(activity) => kept(&activity.properties) && of_all(&activity.snapshots),
        Entity::Snapshot(snapshot) => kept(&snapshot.properties),
        _ => false,
    }
}

fn property_is_kept(property: &Property) -> bool {
    fn has_large(value: &Value) -> bool {
        match value {
            Value::BigInt(_) => true,
            Value::List(items) => items.iter().any(has_large),
            Value::Map(entries) => entries.iter().any(|(_, value)| has_large(value)),
            _ => false,
        }
    }
    match &property.value {
        Value::BigInt(_) => property.data_type == DataType::BigInt,
        value => !has_large(value),
    }
}

/// Of any text: a source name is its own text and is built of its own elements; what is none says where, in few words. An
/// event takes either.
pub(crate) fn source(text: &str) {
    let parsed = text.parse::<SourceFqn>();
    match &parsed {
        Ok(source) => source_survives(source, text),
        Err(fault) => {
            assert!(text.is_char_boundary(fault.offset), "{fault:?}");
            assert!(fault.element <= text.split('#').count(), "{fault:?}");
            assert_eq!(fault.element == 0, text.is_empty());
            assert!(fault.to_string().len() < 400, "{fault}");
        }
    }

    let read = serde_json::from_value::<Event>(json!({"source-fqn": text})).unwrap().source;
    let is_blank = text.split('#').all(|element| element.trim().is_empty());
    assert_eq!(read.is_none(), is_blank);
    match (parsed, read) {
        (Ok(parsed), read) => assert_eq!(read, Some(parsed)),
        (Err(_), Some(read)) => source_survives(&read, &read.to_string()),
        (Err(_), None) => {}
    }
}

fn source_survives(source: &SourceFqn, text: &str) {
    assert_eq!(source.as_str(), text);
    assert_eq!(text.parse().as_ref(), Ok(source));
    assert_eq!(&read::<SourceFqn>(&serde_json::to_string(source).unwrap()), source);
    assert_eq!(source.elements().count(), text.split('#').count());
    let built = source.elements().fold(SourceFqn::builder(), |builder, (kind, name)| builder.element(kind, name));
    assert_eq!(built.build().as_ref(), Ok(source));
    for kind in SourceType::ALL {
        let first = source.elements().find(|(found, _)| found == kind).map(|(_, name)| name);
        assert_eq!(source.get(*kind), first);
    }
    let filled = source.fill_placeholders(|_| Some("x".to_owned())).unwrap();
    assert!(!filled.has_placeholders());
    assert_eq!(filled == *source, !source.has_placeholders());
}

/// Of any text: no half character stays, nothing else changes, and what was valid JSON stays as it is.
pub(crate) fn surrogates(text: &str) {
    let mended = replace_lone_surrogates(text);
    assert_eq!(mended.len(), text.len());
    assert_eq!(replace_lone_surrogates(&mended), mended);
    assert_eq!(matches!(mended, Cow::Borrowed(_)), mended == text);
    let mut at = 0;
    while let Some(found) = text.bytes().zip(mended.bytes()).skip(at).position(|(was, is)| was != is) {
        // The first letter that can differ is the one behind the `\u`.
        at += found;
        let start = mended[..=at].rfind("\\u").unwrap();
        assert!(mended[start..].starts_with("\\ufffd") && at < start + 6, "{mended}");
        assert!(text[start..].starts_with("\\ud") || text[start..].starts_with("\\uD"), "{text}");
        at = start + 6;
    }
    if serde_json::from_str::<Json>(text).is_ok() {
        assert_eq!(mended, text);
    }
    if let Err(error) = serde_json::from_str::<Json>(&mended) {
        assert!(!error.to_string().contains("surrogate"), "{error}: {mended}");
    }
}

/// Reads what it writes, as it wrote it.
pub(crate) fn writes_what_it_reads<T: DeserializeOwned + Serialize>(input: &[u8]) {
    let Ok(first) = serde_json::from_slice::<T>(input) else { return };
    let written = serde_json::to_string(&first).unwrap();
    assert!(!written.contains(['\n', '\r']), "{written}");
    assert_eq!(serde_json::to_string(&read::<T>(&written)).unwrap(), written);
}
