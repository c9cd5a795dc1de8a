//! Derives the id of an entity in a file, so that it is the same whenever the file is sent.

use jkool_client::model::{Entity, Timestamp, TrackingId};
use std::path::Path;

/// Gives ids and times to events without them, derived from the content of the file, so a file that is sent twice is
/// stored once.
///
/// An id is the digest of the file's name and of all records up to this one. Only the part of the name before the first
/// dot is used, so a rolled file keeps its ids.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    /// `None` if it is not a file: equal records there are different events.
    digest: Option<u128>,
    operation: String,
    time: Option<Timestamp>,
}

impl Identity {
    /// For a file; an event without a time gets that of the event before, the first ones `modified`.
    pub(super) fn of_file(path: &Path, modified: Option<Timestamp>) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let stem = name.split('.').find(|part| !part.is_empty()).unwrap_or("log").to_owned();
        Self { digest: Some(digest(OFFSET, stem.as_bytes())), operation: stem, time: modified }
    }

    /// For standard input.
    pub(super) fn of_stream() -> Self {
        Self { digest: None, operation: "log".to_owned(), time: None }
    }

    /// The digest at the position where a followed file continues.
    pub(super) fn digest(&self) -> u128 {
        self.digest.unwrap_or_default()
    }

    pub(super) fn go_on(&mut self, digest: u128) {
        self.digest = Some(digest);
    }

    /// Adds the bytes of the next record to the digest.
    pub(super) fn next(&mut self, record: &[u8]) {
        if let Some(before) = self.digest {
            self.digest = Some(digest(digest(before, b"\n"), record));
        }
    }

    /// Completes the entity with this index in the record.
    pub(super) fn complete(&mut self, entity: &mut Entity, index: usize) {
        let id = self.digest.map(|now| id(if index == 0 { now } else { digest(now, &index.to_le_bytes()) }));
        let (own_id, time) = match entity {
            Entity::Event(event) => {
                if event.operation.is_empty() {
                    event.operation = self.operation.clone().into();
                }
                (&mut event.tracking_id, &mut event.time)
            }
            Entity::Activity(activity) => (&mut activity.tracking_id, &mut activity.time),
            Entity::Snapshot(snapshot) => (&mut snapshot.tracking_id, &mut snapshot.time),
            _ => return,
        };
        if own_id.is_none() {
            *own_id = id;
        }
        match time {
            Some(time) => self.time = self.digest.and(Some(*time)),
            None => *time = self.time,
        }
    }
}

/// 128-bit FNV-1a: the same on every machine and in every version.
const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

fn digest(start: u128, bytes: &[u8]) -> u128 {
    bytes.iter().fold(start, |digest, byte| (digest ^ u128::from(*byte)).wrapping_mul(PRIME))
}

/// As a UUID of version 8.
fn id(digest: u128) -> TrackingId {
    let bits = digest & !(0xf << 76) & !(0x3 << 62) | 0x8 << 76 | 0x2 << 62;
    let hex = format!("{bits:032x}");
    TrackingId::from(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
}

#[cfg(test)]
mod tests {
    use super::Identity;
    use jkool_client::model::{Entity, Event, Timestamp};
    use std::path::Path;

    fn complete(identity: &mut Identity, record: &[u8]) -> Event {
        let mut entity = Entity::Event(Box::default());
        identity.next(record);
        identity.complete(&mut entity, 0);
        let Entity::Event(event) = entity else { panic!("an event") };
        *event
    }

    #[test]
    fn a_file_gives_the_same_ids_whenever_it_is_read_and_after_it_has_rolled() {
        let modified = Some(Timestamp::from_usec(5));
        let all = |path: &str| {
            let mut identity = Identity::of_file(Path::new(path), modified);
            [b"one", b"one", b"two"].map(|record| complete(&mut identity, record))
        };
        let first = all("/var/log/app.log");
        assert_eq!(first, all("/var/log/app.log.1.gz"));
        assert_ne!(first[0].tracking_id, first[1].tracking_id, "lines that are equal are two");
        assert_ne!(first[0].tracking_id, all("/var/log/other.log")[0].tracking_id);
        assert_eq!((&*first[0].operation, first[0].time), ("app", modified));
        assert_eq!(first[0].tracking_id.as_ref().expect("an id").to_string().len(), 36);
        let mut stream = Identity::of_stream();
        let event = complete(&mut stream, b"one");
        assert_eq!((event.tracking_id, event.time), (None, None));
    }
}
