//! Decodes a record to an entity. Pure.

use crate::source::Record;
use jkool_client::model::{Entity, Event, TrackingId, repair_json};

/// Reads a record, and sets what would otherwise differ each time the record is read: the id, if `source` names a
/// source that repeats records, and the time.
///
/// # Errors
/// Returns the reason if it is not an entity.
pub(crate) fn decode(record: &Record, source: Option<&str>) -> Result<Entity, String> {
    let json = record.body.trim_ascii();
    if json.is_empty() {
        return Err("it is empty".into());
    }
    let mut entity = read(json)?;
    let (id, time) = match &mut entity {
        // For example an object of another program.
        Entity::Event(event) if says_nothing(event) => return Err("it has no field of an event".into()),
        Entity::Event(event) => (&mut event.tracking_id, &mut event.time),
        Entity::Activity(activity) => (&mut activity.tracking_id, &mut activity.time),
        Entity::Snapshot(snapshot) => (&mut snapshot.tracking_id, &mut snapshot.time),
        _ => return Err("it is of an unknown kind".into()),
    };
    if let (None, Some(source)) = (&id, source) {
        *id = Some(id_of(source, record));
    }
    *time = time.or(record.time);
    match entity.validate() {
        // The client adds a missing source.
        Err(invalid) if invalid.field() != "source-fqn" => Err(invalid.to_string()),
        _ => Ok(entity),
    }
}

fn says_nothing(event: &Event) -> bool {
    let texts = [&event.operation, &event.message, &event.exception];
    texts.iter().all(|text| text.is_empty()) && event.properties.is_empty() && event.snapshots.is_empty()
}

fn read(json: &[u8]) -> Result<Entity, String> {
    serde_json::from_slice(json).or_else(|error| {
        let repaired = repair_json(json).and_then(|json| serde_json::from_slice(&json).ok());
        repaired.ok_or_else(|| error.to_string())
    })
}

/// An id that is the same each time the record is read, so that duplicates are recognized: a UUID of version 8 from the
/// 128-bit FNV-1a digest of the record's position.
fn id_of(source: &str, record: &Record) -> TrackingId {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let (partition, offset) = (record.position.partition.to_le_bytes(), record.position.offset.to_le_bytes());
    let bytes = source.bytes().chain(partition).chain(offset);
    let digest = bytes.fold(OFFSET, |digest, byte| (digest ^ u128::from(byte)).wrapping_mul(PRIME));
    let bits = digest & !(0xf << 76) & !(0x3 << 62) | 0x8 << 76 | 0x2 << 62;
    let hex = format!("{bits:032x}");
    TrackingId::from(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
}

#[cfg(test)]
mod tests {
    use super::decode;
    use crate::source::{Position, Record};
    use jkool_client::model::{Entity, Timestamp};

    fn record(offset: u64, body: &str) -> Record {
        let position = Position { partition: 1, offset };
        Record { position, body: body.into(), time: Some(Timestamp::from_usec(7)) }
    }

    #[test]
    fn what_has_no_id_gets_that_of_its_place() {
        let read = |offset, source| decode(&record(offset, r#"{"operation":"Pay"}"#), source).expect("an event");
        let id = |entity: &Entity| entity.tracking_id().map(|id| id.to_string());
        let first = read(5, Some("topic"));
        assert_eq!((id(&first), first.time()), (id(&read(5, Some("topic"))), Some(Timestamp::from_usec(7))));
        assert_eq!(id(&first).map(|id| id.len()), Some(36));
        assert_ne!(id(&first), id(&read(6, Some("topic"))));
        assert_ne!(id(&first), id(&read(5, Some("other"))));
        assert_eq!(id(&read(5, None)), None);
    }

    #[test]
    fn what_an_entity_says_stays() {
        let body = r#"{"operation":"Pay","tracking-id":"a-1","time-usec":3}"#;
        let entity = decode(&record(5, body), Some("topic")).expect("an event");
        assert_eq!(entity.tracking_id().map(ToString::to_string).as_deref(), Some("a-1"));
        assert_eq!(entity.time(), Some(Timestamp::from_usec(3)));
    }

    #[test]
    fn what_is_no_entity_is_told() {
        for (body, said) in [
            ("", "empty"),
            (" \n", "empty"),
            ("no JSON", "line 1"),
            (r#"{"level":"info"}"#, "no field of an event"),
            ("[1]", ""),
        ] {
            let error = decode(&record(5, body), None).expect_err(body);
            assert!(error.contains(said), "{body}: {error}");
        }
    }
}
