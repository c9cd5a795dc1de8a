//! From an entity to the bytes that travel.

use jkool_model::{Entity, Event, OpType, Property, Snapshot, Value};
use jkool_transport::{Kind, Payload};

/// About how many bytes an entity takes in the queue. Texts dominate; the rest is a constant a piece.
pub(crate) fn weight(entity: &Entity) -> usize {
    match entity {
        Entity::Event(event) => {
            size_of::<Event>()
                + event.message.len()
                + event.exception.len()
                + properties_weight(&event.properties)
                + event.snapshots.iter().map(snapshot_weight).sum::<usize>()
        }
        Entity::Activity(activity) => {
            size_of::<jkool_model::Activity>()
                + activity.exception.len()
                + activity.id_set.iter().map(|id| id.len() + size_of::<jkool_model::Text>()).sum::<usize>()
                + properties_weight(&activity.properties)
                + activity.snapshots.iter().map(snapshot_weight).sum::<usize>()
        }
        Entity::Snapshot(snapshot) => snapshot_weight(snapshot),
        _ => 0,
    }
}

fn snapshot_weight(snapshot: &Snapshot) -> usize {
    size_of::<Snapshot>() + properties_weight(&snapshot.properties)
}

fn properties_weight(properties: &[Property]) -> usize {
    properties.iter().map(|property| size_of::<Property>() + property.name.len() + value_weight(&property.value)).sum()
}

fn value_weight(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::List(items) => items.iter().map(|item| size_of::<Value>() + value_weight(item)).sum(),
        Value::Map(entries) => {
            entries.iter().map(|(key, value)| size_of::<(String, Value)>() + key.len() + value_weight(value)).sum()
        }
        _ => 0,
    }
}

/// What an encoded entity takes beside its bytes.
const PAYLOAD_OVERHEAD: usize = 128;

pub(crate) fn payload_weight(payload: &Payload) -> usize {
    PAYLOAD_OVERHEAD + payload.body().len()
}

/// Encodes an entity, once and for all: every retry sends these bytes.
pub(crate) fn encode(entity: Entity) -> Result<Payload, serde_json::Error> {
    let kind = match entity.op_type() {
        OpType::Activity => Kind::Activity,
        OpType::Snapshot if matches!(entity, Entity::Snapshot(_)) => Kind::Snapshot,
        OpType::Dataset if matches!(entity, Entity::Snapshot(_)) => Kind::Dataset,
        OpType::Log => Kind::Log,
        _ => Kind::Event,
    };
    let payload = Payload::new(kind, serde_json::to_vec(&entity)?);
    let key = match entity {
        Entity::Event(event) => event.operation,
        Entity::Activity(activity) => activity.operation,
        Entity::Snapshot(snapshot) => snapshot.category,
        _ => return Ok(payload),
    };
    Ok(if key.is_empty() { payload } else { payload.with_key(key.into_owned()) })
}

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
    encode(event.into()).ok()
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
    use super::{encode, halve, shorten};
    use jkool_model::{Activity, Event, LogType, OpType, Snapshot};
    use jkool_transport::Kind;

    fn event(message: String) -> Event {
        Event::builder().operation("op").message(message).source("APPL=a".parse().unwrap()).build().unwrap()
    }

    #[test]
    fn each_kind_has_its_route_and_key() {
        let kind = |entity: jkool_model::Entity| {
            let payload = encode(entity).unwrap();
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
            serde_json::from_slice(shorten(&encode(whole.clone().into()).unwrap()).unwrap().body()).unwrap();
        assert!(short.message.ends_with("...[truncated 50000 bytes]"));
        short.message.clone_from(&whole.message);
        assert_eq!(short, whole);
    }
}
