//! The file format of a segment, which is written once and read whatever happened to it since. Pure.
//!
//! ```text
//! header   magic 8, version u16, flags u16 (1: its events go first), count u32, writer u64, number u64, checksum u32
//! marks    count × u32: zero as long as the record is open
//! records  count × (magic 4, index u32, kind u8, key's length u32 (MAX: no key), body's length u32,
//!                   checksum of these u32, checksum of the whole u32, key, body)
//! ```
//!
//! Numbers are little-endian and checksums are CRC-32 (IEEE). Each checksum except the header's also covers the identity of the
//! segment, so that data in a wrong place is not accepted. Later versions must keep the header, or they look like damage.

use crate::queue::lane::Lane;
use bytes::Bytes;
use crc32fast::Hasher;
use jkool_transport::{Kind, Payload};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::{fmt, io};

/// Bytes that no UTF-8 text contains, so logged data cannot look like them.
const MAGIC: [u8; 8] = *b"\xFFjkool\xFE\n";
const RECORD_MAGIC: [u8; 4] = *b"\xFFrec";

const VERSION: u16 = 1;
const HEADER: usize = 36;
const MARK: usize = 4;
const RECORD: usize = 25;

/// The flags of the header.
fn flags(lane: Lane) -> u16 {
    match lane {
        Lane::Normal => 0,
        Lane::Priority => 1,
    }
}

const NO_KEY: u32 = u32::MAX;

/// The number of a kind is its position.
const KINDS: [Kind; 5] = [Kind::Event, Kind::Activity, Kind::Snapshot, Kind::Log, Kind::Dataset];

/// The identity of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Identity {
    pub(crate) writer: u64,
    /// Counts from 1.
    pub(crate) number: u64,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{:016x}", self.writer, self.number)
    }
}

impl Identity {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (writer, number) = name.split_once('-')?;
        Some(Self { writer: parse_hex(writer)?, number: parse_hex(number)? })
    }

    /// The initial state of this segment's checksums.
    fn hasher(self) -> Hasher {
        let mut hasher = Hasher::new();
        hasher.update(&self.writer.to_le_bytes());
        hasher.update(&self.number.to_le_bytes());
        hasher
    }
}

/// Parses a number in the form of `{:016x}`, and no other.
pub(crate) fn parse_hex(text: &str) -> Option<u64> {
    let digits = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    u64::from_str_radix(text, 16).ok().filter(|_| digits)
}

/// The approximate size of a payload in a segment, in bytes.
pub(crate) fn weight(payload: &Payload) -> u64 {
    (MARK + RECORD + payload.key().map_or(0, str::len) + payload.body().len()) as u64
}

pub(crate) fn encode(identity: Identity, lane: Lane, payloads: &[&Payload]) -> io::Result<Vec<u8>> {
    let fits = |size: usize| u32::try_from(size).ok().filter(|size| *size != NO_KEY).ok_or(io::ErrorKind::FileTooLarge);
    let count =
        fits(payloads.len()).and_then(|count| if count > 0 { Ok(count) } else { Err(io::ErrorKind::InvalidInput) })?;
    let size: u64 = payloads.iter().map(|payload| weight(payload)).sum();
    let mut bytes = Vec::with_capacity(HEADER + size as usize);
    bytes.extend(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(flags(lane).to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend(identity.writer.to_le_bytes());
    bytes.extend(identity.number.to_le_bytes());
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    bytes.resize(HEADER + payloads.len() * MARK, 0);
    for (index, payload) in (0..count).zip(payloads) {
        let kind = KINDS.iter().position(|kind| *kind == payload.kind()).ok_or(io::ErrorKind::InvalidInput)?;
        let key = payload.key().map_or(Ok(NO_KEY), |key| fits(key.len()))?;
        let body = fits(payload.body().len())?;
        bytes.extend(RECORD_MAGIC);
        let head = bytes.len();
        bytes.extend(index.to_le_bytes());
        bytes.push(kind as u8);
        bytes.extend(key.to_le_bytes());
        bytes.extend(body.to_le_bytes());
        let mut hasher = identity.hasher();
        hasher.update(&bytes[head..]);
        bytes.extend(hasher.clone().finalize().to_le_bytes());
        let key = payload.key().unwrap_or_default().as_bytes();
        hasher.update(key);
        hasher.update(payload.body());
        bytes.extend(hasher.finalize().to_le_bytes());
        bytes.extend(key);
        bytes.extend(payload.body());
    }
    Ok(bytes)
}

/// The mark of a record that has ended. No byte of it is zero, so an open record's mark differs in four bytes.
pub(crate) fn mark(identity: Identity, index: u32) -> [u8; MARK] {
    let mut hasher = identity.hasher();
    hasher.update(&index.to_le_bytes());
    hasher.update(b"ended");
    (hasher.finalize() | 0x0101_0101).to_le_bytes()
}

/// The offset of a mark.
pub(crate) fn mark_offset(index: u32) -> u64 {
    HEADER as u64 + MARK as u64 * u64::from(index)
}

fn mark_in(bytes: &[u8], index: u32) -> Option<[u8; MARK]> {
    bytes.get(usize::try_from(mark_offset(index)).ok()?..)?.first_chunk().copied()
}

/// The parsed header of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    Whole {
        identity: Identity,
        lane: Lane,
        count: u32,
    },
    /// A newer version wrote it.
    Newer,
    Damaged,
}

impl Head {
    /// The number of bytes that [`read`](Self::read) needs.
    pub(crate) const LEN: u64 = HEADER as u64;

    pub(crate) fn read(bytes: &[u8]) -> Self {
        Self::parse(bytes).unwrap_or(Head::Damaged)
    }

    fn parse(mut bytes: &[u8]) -> Option<Self> {
        let checksum = crc32fast::hash(bytes.get(..HEADER - 4)?);
        let magic = take(&mut bytes)?;
        let version = u16::from_le_bytes(take(&mut bytes)?);
        let flags = u16::from_le_bytes(take(&mut bytes)?);
        let count = u32::from_le_bytes(take(&mut bytes)?);
        let writer = u64::from_le_bytes(take(&mut bytes)?);
        let number = u64::from_le_bytes(take(&mut bytes)?);
        if magic != MAGIC || u32::from_le_bytes(take(&mut bytes)?) != checksum {
            return None;
        }
        let lane = Lane::ALL.into_iter().find(|lane| self::flags(*lane) == flags);
        Some(match lane.filter(|_| version == VERSION) {
            Some(lane) => Head::Whole { identity: Identity { writer, number }, lane, count },
            None => Head::Newer,
        })
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

/// An intact record.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    kind: Kind,
    key: Option<&'a str>,
    body: &'a [u8],
}

impl Record<'_> {
    /// A copy, so that one payload does not keep its whole segment in memory.
    pub(crate) fn payload(&self) -> Payload {
        let payload = Payload::new(self.kind, Bytes::copy_from_slice(self.body));
        match self.key {
            Some(key) => payload.with_key(key),
            None => payload,
        }
    }
}

/// The intact parts of a segment, whatever is damaged around them.
#[derive(Debug)]
pub(crate) struct Contents<'a> {
    pub(crate) identity: Identity,
    /// By index, including those that have ended.
    pub(crate) records: BTreeMap<u32, Record<'a>>,
    /// The number of marks that can be written without overwriting a record.
    pub(crate) marks: u32,
    /// The number of damaged bytes; without a header, at least its length.
    pub(crate) damaged: u64,
}

/// Reads any bytes as a segment with this file name.
pub(crate) fn read(bytes: &[u8], name: Identity) -> Contents<'_> {
    let by_name = read_as(bytes, name);
    match Head::read(bytes) {
        // Renamed, or with an overwritten header: its records decide which.
        Head::Whole { identity, .. } if identity != name => {
            let by_header = read_as(bytes, identity);
            if by_header.records.len() >= by_name.records.len() { by_header } else { by_name }
        }
        _ => by_name,
    }
}

/// Reads any bytes as this segment.
pub(crate) fn read_as(bytes: &[u8], identity: Identity) -> Contents<'_> {
    scan(bytes, identity, &mut (WASTE * bytes.len()))
}

/// Searches for records, and reads at most `budget` bytes without finding one.
fn scan<'a>(bytes: &'a [u8], identity: Identity, budget: &mut usize) -> Contents<'a> {
    let hasher = identity.hasher();
    let mut records = BTreeMap::new();
    let (mut first, mut whole, mut at) = (bytes.len(), 0, 0);
    while let Some(found) = bytes[at..].windows(RECORD_MAGIC.len()).position(|bytes| bytes == RECORD_MAGIC) {
        at += found;
        let Some((index, record, len)) = record(&bytes[at..], &hasher, budget) else {
            at += 1;
            continue;
        };
        first = first.min(at);
        at += len;
        // A record that was found before is doubled.
        if let Entry::Vacant(vacant) = records.entry(index) {
            vacant.insert(record);
            whole += len;
        }
    }
    let room = (first.saturating_sub(HEADER) / MARK) as u32;
    let mut contents = Contents { identity, records, marks: room, damaged: 0 };
    match Head::read(bytes) {
        Head::Whole { identity: of, count, .. } if of == identity => {
            contents.marks = room.min(count);
            let wrong = (0..contents.marks).filter(|index| !is_mark(bytes, identity, *index)).count();
            whole += first.min(usize::try_from(mark_offset(count)).unwrap_or(usize::MAX)) - wrong * MARK;
            contents.damaged = bytes.len().saturating_sub(whole) as u64;
        }
        // A missing header is damage too.
        _ => contents.damaged = (bytes.len().saturating_sub(whole) as u64).max(Head::LEN),
    }
    contents
}

/// The maximum bytes that are read without finding a record, as a multiple of the length, however many incomplete records a
/// file contains. Random damage needs less than twice the length.
const WASTE: usize = 4;

/// Parses the record at the start of these bytes, and returns its length.
fn record<'a>(bytes: &'a [u8], hasher: &Hasher, budget: &mut usize) -> Option<(u32, Record<'a>, usize)> {
    let (mut head, rest) = bytes.split_at_checked(RECORD)?;
    let mut hasher = hasher.clone();
    hasher.update(&head[RECORD_MAGIC.len()..RECORD - 8]);
    take::<4>(&mut head)?;
    let index = u32::from_le_bytes(take(&mut head)?);
    let [kind] = take(&mut head)?;
    let key = u32::from_le_bytes(take(&mut head)?);
    let body = u32::from_le_bytes(take(&mut head)?);
    if u32::from_le_bytes(take(&mut head)?) != hasher.clone().finalize() {
        return None;
    }
    let key_len = if key == NO_KEY { 0 } else { usize::try_from(key).ok()? };
    let (key_bytes, rest) = rest.split_at_checked(key_len)?;
    let (body, _) = rest.split_at_checked(usize::try_from(body).ok()?)?;
    let left = budget.checked_sub(key_len + body.len())?;
    hasher.update(key_bytes);
    hasher.update(body);
    if u32::from_le_bytes(take(&mut head)?) != hasher.finalize() {
        *budget = left;
        return None;
    }
    let key = if key == NO_KEY { None } else { Some(std::str::from_utf8(key_bytes).ok()?) };
    let record = Record { kind: *KINDS.get(usize::from(kind))?, key, body };
    Some((index, record, RECORD + key_len + body.len()))
}

/// Whether a record has ended.
pub(crate) fn has_ended(bytes: &[u8], identity: Identity, index: u32) -> bool {
    mark_in(bytes, index) == Some(mark(identity, index))
}

/// Whether the bytes in the place of a mark are one.
pub(crate) fn is_mark(bytes: &[u8], identity: Identity, index: u32) -> bool {
    mark_in(bytes, index) == Some([0; MARK]) || has_ended(bytes, identity, index)
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
