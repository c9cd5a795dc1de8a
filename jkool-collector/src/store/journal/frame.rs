//! The format of a group of entities: length, checksum, number of the first entity, and each entity with its time of
//! receipt.

use crate::store::{Record, Stored};
use bytes::{Buf, Bytes};
use jkool_model::Timestamp;
use std::sync::Arc;

/// The size of length and checksum.
pub(super) const HEAD: usize = 8;

/// Writes a group to `frame`.
pub(super) fn write(frame: &mut Vec<u8>, group: &[Arc<Stored>]) {
    frame.clear();
    frame.extend_from_slice(&[0; HEAD]);
    let first = group.first().map_or(0, |first| first.id.sequence());
    frame.extend_from_slice(&first.to_le_bytes());
    for stored in group {
        frame.extend_from_slice(&stored.received.as_usec().to_le_bytes());
        // A request body has at most some megabytes.
        frame.extend_from_slice(&u32::try_from(stored.json.len()).unwrap_or(u32::MAX).to_le_bytes());
        frame.extend_from_slice(&stored.json);
    }
    let (head, payload) = frame.split_at_mut(HEAD);
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    head[..4].copy_from_slice(&length.to_le_bytes());
    head[4..].copy_from_slice(&crc32fast::hash(payload).to_le_bytes());
}

/// The result of reading a group.
#[derive(Debug)]
pub(super) enum Read {
    /// A whole group, and its size in bytes.
    Group(Vec<Stored>, usize),
    /// The data ends within a group.
    Torn,
    /// Invalid data, with more data after it.
    Damaged,
}

/// Reads a group.
pub(super) fn read(bytes: &Bytes) -> Read {
    let mut head = bytes.slice(..HEAD.min(bytes.len()));
    if head.len() < HEAD || head.iter().all(|byte| *byte == 0) {
        return Read::Torn;
    }
    let (length, checksum) = (head.get_u32_le() as usize, head.get_u32_le());
    if bytes.len() - HEAD < length {
        return Read::Torn;
    }
    let payload = bytes.slice(HEAD..HEAD + length);
    if crc32fast::hash(&payload) != checksum {
        return if bytes.len() == HEAD + length { Read::Torn } else { Read::Damaged };
    }
    match entities(payload) {
        Some(entities) => Read::Group(entities, HEAD + length),
        None => Read::Damaged,
    }
}

fn entities(mut payload: Bytes) -> Option<Vec<Stored>> {
    let mut sequence = payload.try_get_u64_le().ok()?;
    let mut entities = Vec::new();
    while !payload.is_empty() {
        let received = Timestamp::from_usec(payload.try_get_i64_le().ok()?);
        let length = payload.try_get_u32_le().ok()? as usize;
        if payload.len() < length {
            return None;
        }
        // A copy, so that the file's bytes can be freed.
        let json = Bytes::copy_from_slice(&payload.split_to(length));
        let record = Record::parse(json, received).ok()?;
        entities.push(record.into_stored(sequence));
        sequence += 1;
    }
    Some(entities)
}
