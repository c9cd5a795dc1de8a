//! A block of queued events. Pure.
//!
//! Most events are queued as bytes: adding one copies a few hundred bytes, and the worker takes whole blocks without
//! copying. A block contains either lines of JSON, which are sent unchanged, or events that the worker still has to
//! encode.

use crate::emit::encode::Encoder;
use crate::emit::line::{Stamped, Texts};
use crate::queue::mark::{Mark, Since};
use crate::queue::receipts::ReceiptId;
use jkool_model::Entity;
use jkool_transport::Kind;
use std::collections::VecDeque;
use std::ops::Range;

/// The entry of a queued event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Admitted {
    /// The generation of flushes that it belongs to.
    pub(crate) generation: u64,
    /// The approximate number of bytes.
    pub(crate) weight: usize,
    /// When it was queued, in nanoseconds; 0 if the age is not needed.
    pub(crate) arrived: u64,
    pub(crate) receipt: Option<ReceiptId>,
}

impl From<Admitted> for Mark {
    fn from(Admitted { generation, weight, receipt, .. }: Admitted) -> Self {
        Self { generation, weight, receipt, ..Self::default() }
    }
}

/// An event that the worker has to encode.
#[derive(Debug)]
struct Raw {
    admitted: Admitted,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Entity(Entity),
    /// Its texts are in the bytes of the block.
    Line(Stamped),
}

/// An event that is encoded: the length of its JSON and line break in the bytes of the block. It is small, because one
/// core writes and another one reads it.
#[derive(Debug)]
struct Encoded {
    admitted: Admitted,
    kind: Kind,
    len: usize,
    /// The position of its key among the keys of the block.
    key: Range<usize>,
}

/// An event that was removed from a block.
#[derive(Debug)]
pub(crate) enum Taken<'a> {
    Entity(Entity),
    /// The JSON and the partition key.
    Encoded(Kind, &'a [u8], &'a [u8]),
    /// A log line; the bytes are its texts.
    Line(Stamped, &'a [u8]),
}

/// The limits of a block, in events and bytes: small compared with the limits of the queue, even with one block per
/// shard, and large enough to be written to a socket alone.
pub(super) const BLOCK_EVENTS: usize = 128;
pub(super) const BLOCK_BYTES: usize = 64 << 10;

/// The maximum number of bytes in a block, unless a single event has more.
pub(crate) const MAX_BLOCK_ROOM: usize = BLOCK_BYTES + BLOCK_BYTES / 8;

/// A block grows by itself up to this size.
const SMALL: usize = 16 << 10;

/// A larger event is not copied: its buffer becomes a block.
pub(super) const MAX_COPY: usize = 8 << 10;

/// The memory of an encoded event of this size in addition to its bytes. Its entry is negligible.
pub(crate) fn overhead(bytes: usize) -> usize {
    if bytes > MAX_COPY { size_of::<Block>() + 4 * size_of::<Encoded>() } else { 0 }
}

/// Some events, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// Either raw or encoded events.
    raw: VecDeque<Raw>,
    events: VecDeque<Encoded>,
    pub(super) bytes: Vec<u8>,
    /// The partition keys of encoded events. Adjacent equal keys are stored once.
    pub(super) keys: Vec<u8>,
    /// The number of bytes of removed events.
    pub(super) read: usize,
    /// The total weight of the events.
    weight: usize,
    /// Whether it is for encoded events; an empty block keeps the memory for its kind.
    encoded: bool,
    /// The buffer belongs to a single event.
    is_full_of_one: bool,
    /// When its first event was queued.
    pub(super) since: Since,
    /// The shard that used it last, which should get it back because of the cache.
    pub(super) home: usize,
}

/// The JSON of a block's events, and the position of each.
#[derive(Debug)]
pub(crate) struct Lines {
    bytes: Vec<u8>,
    keys: Vec<u8>,
    events: VecDeque<Encoded>,
    read: usize,
    home: usize,
}

impl Block {
    /// Empty, with this buffer.
    pub(crate) fn on(self, bytes: Vec<u8>) -> Self {
        Self { bytes, ..self }
    }

    /// Empty, for encoded or for raw events.
    pub(super) fn begun(self, encoded: bool) -> Self {
        Self { encoded, ..self }
    }

    /// A block of one event with its own buffer, to which a line break is added.
    pub(super) fn of_one(admitted: Admitted, kind: Kind, line: Vec<u8>, key: &[u8], since: Since) -> Self {
        let len = line.len() - 1;
        let mut block = Self { bytes: line, encoded: true, is_full_of_one: true, since, ..Self::default() };
        block.push_placed(admitted, kind, len, key);
        block
    }

    pub(crate) fn len(&self) -> usize {
        self.raw.len() + self.events.len()
    }

    fn admitted(&self) -> impl Iterator<Item = &Admitted> {
        let raw = self.raw.iter().map(|raw| &raw.admitted);
        raw.chain(self.events.iter().map(|event| &event.admitted))
    }

    pub(crate) fn weight(&self) -> usize {
        self.weight
    }

    /// When its first event was queued.
    pub(crate) fn since(&self) -> Since {
        self.since
    }

    /// Removes the oldest event.
    pub(crate) fn pop(&mut self) -> Option<(Admitted, Taken<'_>)> {
        if let Some(Encoded { admitted, kind, len, key }) = self.events.pop_front() {
            self.weight -= admitted.weight;
            let json = read(&self.bytes, &mut self.read, len);
            // The line break.
            self.read += 1;
            return Some((admitted, Taken::Encoded(kind, json, &self.keys[key])));
        }
        let Raw { admitted, form } = self.raw.pop_front()?;
        self.weight -= admitted.weight;
        let taken = match form {
            Form::Entity(entity) => Taken::Entity(entity),
            Form::Line(line) => Taken::Line(line, read(&self.bytes, &mut self.read, line.texts_len())),
        };
        Some((admitted, taken))
    }

    /// The approximate size of its JSON, without events that are not encoded.
    pub(crate) fn size(&self, encoder: &Encoder) -> usize {
        let raw = self.raw.iter().map(|raw| match raw.form {
            Form::Line(line) => encoder.size_of_line(&line),
            Form::Entity(_) => 0,
        });
        raw.sum::<usize>() + self.events.iter().map(|event| event.len + 1).sum::<usize>()
    }

    /// Its events as lines, if all are encoded and most of the buffer is in use: the rest would be memory that is not
    /// counted.
    #[expect(clippy::result_large_err, reason = "a block is moved either way, once for all its events")]
    pub(crate) fn into_lines(mut self) -> Result<Lines, Self> {
        if !self.encoded || (self.bytes.len() - self.read) * 2 < self.bytes.capacity() {
            return Err(self);
        }
        self.weight = 0;
        Ok(Lines { bytes: self.bytes, keys: self.keys, events: self.events, read: self.read, home: self.home })
    }

    /// Whether there is no room for an event of this weight with this number of bytes.
    pub(super) fn is_full(&self, weight: usize, bytes: usize, size: &BlockSize) -> bool {
        let full = if self.encoded {
            self.len() >= size.events || self.weight + weight > size.weight
        } else {
            self.len() >= BLOCK_EVENTS || self.bytes.len() + bytes > BLOCK_BYTES
        };
        self.is_full_of_one || (full && self.len() > 0)
    }

    fn push_raw(&mut self, admitted: Admitted, form: Form) {
        self.weight += admitted.weight;
        self.raw.push_back(Raw { admitted, form });
    }

    /// Reserves room for further bytes. A block that has already grown is reserved completely, assuming that the next
    /// events are similar: growing step by step copies the bytes and fragments the heap.
    pub(super) fn make_room(&mut self, bytes: usize, size: &BlockSize) {
        let (len, events) = (self.bytes.len(), self.len());
        if len + bytes > self.bytes.capacity() && len >= SMALL {
            let expected = (len / events.max(1) * size.events).min(size.weight);
            self.bytes.reserve_exact((expected + expected / 8).saturating_sub(len).max(bytes));
        }
    }

    pub(super) fn push_entity(&mut self, admitted: Admitted, entity: Entity) {
        self.push_raw(admitted, Form::Entity(entity));
    }

    pub(super) fn push_line(&mut self, admitted: Admitted, line: Stamped, texts: &Texts<'_>) {
        texts.append(&mut self.bytes);
        self.push_raw(admitted, Form::Line(line));
    }

    pub(super) fn push_encoded(&mut self, admitted: Admitted, kind: Kind, json: &[u8], key: &[u8]) {
        self.bytes.extend_from_slice(json);
        self.bytes.push(b'\n');
        self.push_placed(admitted, kind, json.len(), key);
    }

    /// Adds the entry of an event whose line has been written.
    fn push_placed(&mut self, admitted: Admitted, kind: Kind, len: usize, key: &[u8]) {
        let key = match self.events.back() {
            Some(last) if self.keys[last.key.clone()] == *key => last.key.clone(),
            _ => {
                let start = self.keys.len();
                self.keys.extend_from_slice(key);
                start..self.keys.len()
            }
        };
        self.weight += admitted.weight;
        self.events.push_back(Encoded { admitted, kind, len, key });
    }

    /// When its oldest event was queued.
    pub(super) fn oldest(&self) -> Option<u64> {
        Some(self.admitted().next()?.arrived)
    }

    /// The memory of its bytes, including those of removed events.
    pub(super) fn written(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it is for encoded events.
    pub(super) fn is_for(&self, encoded: bool) -> bool {
        self.encoded == encoded
    }

    /// The number of oldest events that make up `max`, or about `bytes`; at least one.
    pub(super) fn fitting(&self, max: usize, bytes: usize) -> usize {
        if self.len() <= max && self.weight <= bytes {
            return self.len();
        }
        let mut weight = 0;
        let fit = self.admitted().take(max).take_while(|admitted| {
            let fits = weight < bytes;
            weight += admitted.weight;
            fits
        });
        fit.count()
    }

    /// Moves this number of oldest events to another block.
    pub(super) fn split(&mut self, max: usize, into: &mut Block) {
        for _ in 0..max {
            match self.pop() {
                Some((admitted, Taken::Entity(entity))) => into.push_entity(admitted, entity),
                Some((admitted, Taken::Encoded(kind, json, key))) => into.push_encoded(admitted, kind, json, key),
                Some((admitted, Taken::Line(line, bytes))) => {
                    into.bytes.extend_from_slice(bytes);
                    into.push_raw(admitted, Form::Line(line));
                }
                None => return,
            }
        }
    }

    /// The memory of the empty block.
    pub(crate) fn room(&self) -> usize {
        let events = self.events.capacity() * size_of::<Encoded>() + self.raw.capacity() * size_of::<Raw>();
        self.bytes.capacity() + self.keys.capacity() + events
    }

    pub(crate) fn clear(&mut self) {
        self.raw.clear();
        self.events.clear();
        self.bytes.clear();
        self.keys.clear();
        (self.read, self.weight, self.is_full_of_one) = (0, 0, false);
    }
}

impl Lines {
    /// Each event with the range of its JSON, and its key.
    pub(crate) fn events(&self) -> impl Iterator<Item = (Admitted, Kind, Range<usize>, &[u8])> {
        let mut end = self.read;
        self.events.iter().map(move |Encoded { admitted, kind, len, key }| {
            let part = end..end + len;
            end = part.end + 1;
            (*admitted, *kind, part, &self.keys[key.clone()])
        })
    }

    /// The bytes, as lines.
    pub(crate) fn take_bytes(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// The empty block that is left after its bytes were taken.
    pub(crate) fn into_block(self) -> Block {
        let Self { events, keys, home, .. } = self;
        let mut block = Block { events, keys, home, encoded: true, ..Block::default() };
        block.clear();
        block
    }
}

fn read<'b>(bytes: &'b [u8], from: &mut usize, len: usize) -> &'b [u8] {
    let start = *from;
    *from += len;
    &bytes[start..*from]
}

/// The capacity of a block of encoded events.
#[derive(Debug, Clone, Copy)]
pub(super) struct BlockSize {
    pub(super) events: usize,
    pub(super) weight: usize,
}
