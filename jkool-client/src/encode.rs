//! From an entity to the bytes that travel.

use bytes::Bytes;
use jkool_model::{Activity, Entity, Event, OpType, Property, Snapshot, SourceFqn, Text, TrackingId, Value};
use jkool_transport::{Kind, Payload};

/// About how many bytes an entity takes in the queue: itself, its texts, and what its lists have room for.
pub(crate) fn weight(entity: &Entity) -> usize {
    macro_rules! trackable {
        ($entity:ident, $($text:ident)*) => {
            texts(&[
                &$entity.operation, &$entity.source_short_name, &$entity.source_url, &$entity.exception, &$entity.resource,
                &$entity.location, &$entity.user, &$entity.guid, &$entity.tracking_sign, $(&$entity.$text,)*
            ])
                + ids(&[&$entity.tracking_id, &$entity.parent_id])
                + source(&$entity.source)
                + list(&$entity.correlators)
                + properties(&$entity.properties)
                + $entity.snapshots.capacity() * size_of::<Snapshot>()
                + $entity.snapshots.iter().map(snapshot).sum::<usize>()
        };
    }
    match entity {
        Entity::Event(event) => {
            size_of::<Event>()
                + list(&event.tags)
                + trackable!(event, message mime_type encoding charset relation_type relation_a relation_b)
        }
        Entity::Activity(activity) => size_of::<Activity>() + list(&activity.id_set) + trackable!(activity,),
        Entity::Snapshot(alone) => size_of::<Snapshot>() + snapshot(alone),
        _ => 0,
    }
}

fn texts(texts: &[&Text]) -> usize {
    texts.iter().map(|text| text.len()).sum()
}

/// An id of somebody's own is a text; ours needs no room beside itself.
fn ids(ids: &[&Option<TrackingId>]) -> usize {
    ids.iter().filter_map(|id| id.as_ref()).map(TrackingId::heap_size).sum()
}

fn source(source: &Option<SourceFqn>) -> usize {
    source.as_ref().map_or(0, |source| source.as_str().len())
}

fn list(list: &Vec<Text>) -> usize {
    list.capacity() * size_of::<Text>() + list.iter().map(|text| text.len()).sum::<usize>()
}

/// What a snapshot takes beside itself.
fn snapshot(snapshot: &Snapshot) -> usize {
    let Snapshot { name, category, source_short_name, source_url, guid, tracking_sign, .. } = snapshot;
    texts(&[name, category, source_short_name, source_url, guid, tracking_sign])
        + ids(&[&snapshot.tracking_id, &snapshot.parent_id])
        + source(&snapshot.source)
        + properties(&snapshot.properties)
}

/// What a list of properties takes beside itself.
pub(crate) fn properties(properties: &Vec<Property>) -> usize {
    let words = |property: &Property| property.name.len() + value(&property.value);
    properties.capacity() * size_of::<Property>() + properties.iter().map(words).sum::<usize>()
}

fn value(of: &Value) -> usize {
    match of {
        Value::Text(text) => text.len(),
        Value::List(items) => items.capacity() * size_of::<Value>() + items.iter().map(value).sum::<usize>(),
        Value::Map(entries) => {
            entries.capacity() * size_of::<(Text, Value)>()
                + entries.iter().map(|(key, of)| key.len() + value(of)).sum::<usize>()
        }
        _ => 0,
    }
}

/// What an encoded entity takes beside its bytes.
const PAYLOAD_OVERHEAD: usize = 208;

pub(crate) fn payload_weight(payload: &Payload) -> usize {
    PAYLOAD_OVERHEAD + payload.body().len() + payload.key().map_or(0, str::len)
}

/// Encodes an entity, once and for all: every retry sends these bytes. They are made in `scratch`, which is there for the next
/// too, so that a payload takes no more room than it needs.
pub(crate) fn encode(entity: Entity, scratch: &mut Vec<u8>) -> Result<Payload, serde_json::Error> {
    let kind = match entity.op_type() {
        OpType::Activity => Kind::Activity,
        OpType::Snapshot if matches!(entity, Entity::Snapshot(_)) => Kind::Snapshot,
        OpType::Dataset if matches!(entity, Entity::Snapshot(_)) => Kind::Dataset,
        OpType::Log => Kind::Log,
        _ => Kind::Event,
    };
    scratch.clear();
    serde_json::to_writer(&mut *scratch, &entity)?;
    let payload = Payload::new(kind, Bytes::copy_from_slice(scratch));
    scratch.shrink_to(MAX_SCRATCH);
    let key = match entity {
        Entity::Event(event) => event.operation,
        Entity::Activity(activity) => activity.operation,
        Entity::Snapshot(snapshot) => snapshot.category,
        _ => return Ok(payload),
    };
    Ok(if key.is_empty() { payload } else { payload.with_key(key.into_owned()) })
}

/// One event of many megabytes does not keep so much for the rest of the program's life.
const MAX_SCRATCH: usize = 64 << 10;

/// A text shorter than this is not what makes an event too large.
const SHORTEST: usize = 256;

/// The same event with the longer of its message and exception cut to half, on a character's boundary, and marked. `None`
/// when that is no help.
pub(crate) fn shorten(payload: &Payload) -> Option<Payload> {
    if !matches!(payload.kind(), Kind::Event | Kind::Log) {
        return None;
    }
    let mut event: Event = serde_json::from_slice(payload.body()).ok()?;
    let text = if event.message.len() >= event.exception.len() { &mut event.message } else { &mut event.exception };
    *text = halve(text)?.into();
    encode(event.into(), &mut Vec::new()).ok()
}

fn halve(text: &str) -> Option<String> {
    let (kept, cut_before) = split_mark(text);
    if kept.len() < SHORTEST {
        return None;
    }
    let mut end = kept.len() / 2;
    while !kept.is_char_boundary(end) {
        end -= 1;
    }
    Some(format!("{}...[truncated {} bytes]", &kept[..end], cut_before + kept.len() - end))
}

/// A text and how much was cut from it before.
fn split_mark(text: &str) -> (&str, usize) {
    let mark = text.strip_suffix(" bytes]").and_then(|rest| rest.rsplit_once("...[truncated "));
    match mark.and_then(|(kept, cut)| Some((kept, cut.parse().ok()?))) {
        Some(found) => found,
        None => (text, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::{encode, halve, shorten, weight};
    use jkool_model::{Activity, Event, LogType, OpType, Snapshot, Value};
    use jkool_transport::Kind;

    fn event(message: String) -> Event {
        Event::builder().operation("op").message(message).source("APPL=a".parse().unwrap()).build().unwrap()
    }

    #[test]
    fn each_kind_has_its_route_and_key() {
        let kind = |entity: jkool_model::Entity| {
            let payload = encode(entity, &mut Vec::new()).unwrap();
            (payload.kind(), payload.key().map(str::to_owned))
        };
        let key = |key: &str| Some(key.to_owned());
        assert_eq!(kind(event("m".into()).into()), (Kind::Event, key("op")));
        let log = Event::builder().log_type(LogType::Audit).source("APPL=a".parse().unwrap()).build().unwrap();
        assert_eq!(kind(log.into()), (Kind::Log, None));
        let odd = Event::builder().op_type(OpType::Snapshot).source("APPL=a".parse().unwrap()).build().unwrap();
        assert_eq!(kind(odd.into()), (Kind::Event, None));
        let activity = Activity::builder().operation("act").source("APPL=a".parse().unwrap()).build().unwrap();
        assert_eq!(kind(activity.into()), (Kind::Activity, key("act")));
        let snapshot = Snapshot::builder("s").category("c");
        assert_eq!(kind(snapshot.clone().build().into()), (Kind::Snapshot, key("c")));
        assert_eq!(kind(snapshot.dataset().build().into()), (Kind::Dataset, key("c")));
    }

    #[test]
    fn every_text_weighs() {
        let long = || "x".repeat(1_000_000);
        let base = || Event::builder().source("APPL=a".parse().unwrap());
        let bare = weight(&base().build().unwrap().into());
        assert!(bare < 2_000, "{bare}");
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
            base().property("p", Value::List(vec![Value::Text(long().into())])),
            base().property("p", Value::Map(vec![(long().into(), Value::Null)])),
            base().snapshot(Snapshot::builder(long()).build()),
            base().snapshot(Snapshot::builder("s").category(long()).build()),
            base().snapshot(Snapshot::builder("s").property("p", long()).build()),
            base().source(format!("APPL={}", long()).parse().unwrap()),
        ] {
            let event = event.build().unwrap();
            let weight = weight(&event.clone().into());
            assert!((1_000_000..1_010_000).contains(&weight), "{weight}: {:.200}", format!("{event:?}"));
        }
        let activity =
            Activity::builder().operation("a").source("APPL=a".parse().unwrap()).child(long()).build().unwrap();
        assert!(weight(&activity.into()) >= 1_000_000);
        assert!(weight(&Snapshot::builder(long()).build().into()) >= 1_000_000);
    }

    #[test]
    fn a_message_is_cut_on_a_character_and_says_how_much_is_gone() {
        let text = "é".repeat(1000);
        let once = halve(&text).unwrap();
        assert_eq!(once, format!("{}...[truncated 1000 bytes]", "é".repeat(500)));
        assert_eq!(halve(&once).unwrap(), format!("{}...[truncated 1500 bytes]", "é".repeat(250)));
        assert_eq!(halve(&"é".repeat(301)).unwrap(), format!("{}...[truncated 302 bytes]", "é".repeat(150)));
        assert_eq!(halve("short"), None);
    }

    #[test]
    fn only_the_text_of_a_shortened_event_changes() {
        let whole = event("x".repeat(100_000));
        let mut short: Event =
            serde_json::from_slice(shorten(&encode(whole.clone().into(), &mut Vec::new()).unwrap()).unwrap().body())
                .unwrap();
        assert!(short.message.ends_with("...[truncated 50000 bytes]"));
        short.message.clone_from(&whole.message);
        assert_eq!(short, whole);
    }
}
