//! Some events that wait, one behind the other. Pure.
//!
//! Most are bytes: to put one there is to copy a few hundred bytes, and the worker takes blocks as they are. A block holds
//! either whole lines of JSON, which travel as they stand, or what the worker has yet to make JSON of.

use crate::emit::encode::Encoder;
use crate::emit::line::{Stamped, Texts};
use crate::queue::mark::{Mark, Since};
use crate::queue::receipts::ReceiptId;
use jkool_model::Entity;
use jkool_transport::Kind;
use std::collections::VecDeque;
use std::ops::Range;

/// What an event is known by while it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Admitted {
    /// Its place among the flushes.
    pub(crate) generation: u64,
    /// About how many bytes it takes.
    pub(crate) weight: usize,
    /// When it came, in nanoseconds; 0 where nobody asks for the oldest.
    pub(crate) arrived: u64,
    pub(crate) receipt: Option<ReceiptId>,
}

impl From<Admitted> for Mark {
    fn from(Admitted { generation, weight, receipt, .. }: Admitted) -> Self {
        Self { generation, weight, receipt, ..Self::default() }
    }
}

/// An event that the worker has yet to make JSON of.
#[derive(Debug)]
struct Raw {
    admitted: Admitted,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Entity(Entity),
    /// Its texts are among the block's bytes.
    Line(Stamped),
}

/// An event whose JSON is so many of the block's bytes, and a line break. Small, since each is written by one core and read
/// by another.
#[derive(Debug)]
struct Encoded {
    admitted: Admitted,
    kind: Kind,
    len: usize,
    /// Where among the block's keys its own stands.
    key: Range<usize>,
}

/// An event that is taken out.
#[derive(Debug)]
pub(crate) enum Taken<'a> {
    Entity(Entity),
    /// Its JSON and its partition key.
    Encoded(Kind, &'a [u8], &'a [u8]),
    /// A log line; the bytes are its texts.
    Line(Stamped, &'a [u8]),
}

/// So many events, or about so many bytes, make a block: small change beside the limits of the queue, even with one for each
/// shard, and large enough to be written to a socket by itself.
pub(super) const BLOCK_EVENTS: usize = 128;
pub(super) const BLOCK_BYTES: usize = 64 << 10;

/// What the bytes of a block take at most, unless a single event takes more.
pub(crate) const MAX_BLOCK_ROOM: usize = BLOCK_BYTES + BLOCK_BYTES / 8;

/// A block grows as it likes up to that.
const SMALL: usize = 16 << 10;

/// More than this of one event is not copied: its buffer becomes a block.
pub(super) const MAX_COPY: usize = 8 << 10;

/// What an encoded event of that size takes here besides its bytes. Its place beside others is small change.
pub(crate) fn overhead(bytes: usize) -> usize {
    if bytes > MAX_COPY { size_of::<Block>() + 4 * size_of::<Encoded>() } else { 0 }
}

/// Some events, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// Either raw events stand here or encoded ones.
    raw: VecDeque<Raw>,
    events: VecDeque<Encoded>,
    pub(super) bytes: Vec<u8>,
    /// The partition keys of encoded events. Neighbours with the same key share one.
    pub(super) keys: Vec<u8>,
    /// How many of the bytes belong to events that were taken out.
    pub(super) read: usize,
    /// What the events weigh.
    weight: usize,
    /// It is for what is encoded, and held such before: an empty one has the room of its kind.
    encoded: bool,
    /// Belongs to one event, whose buffer it was.
    is_full_of_one: bool,
    /// When its first event came.
    pub(super) since: Since,
    /// The shard that wrote on it last: what it writes on next is best still near its core.
    pub(super) home: usize,
}

/// The JSON of a block's events, and where in it each of them stands.
#[derive(Debug)]
pub(crate) struct Lines {
    bytes: Vec<u8>,
    keys: Vec<u8>,
    events: VecDeque<Encoded>,
    read: usize,
    home: usize,
}

impl Block {
    /// The same, empty, on that buffer.
    pub(crate) fn on(self, bytes: Vec<u8>) -> Self {
        Self { bytes, ..self }
    }

    /// The same, empty, for what is encoded or for what is not.
    pub(super) fn begun(self, encoded: bool) -> Self {
        Self { encoded, ..self }
    }

    /// A block of one event, whose buffer it gets: its line, with a line break.
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

    /// When the first of its events came.
    pub(crate) fn since(&self) -> Since {
        self.since
    }

    /// The next event, oldest first.
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

    /// About what its events take as JSON, but for those that are not encoded.
    pub(crate) fn size(&self, encoder: &Encoder) -> usize {
        let raw = self.raw.iter().map(|raw| match raw.form {
            Form::Line(line) => encoder.size_of_line(&line),
            Form::Entity(_) => 0,
        });
        raw.sum::<usize>() + self.events.iter().map(|event| event.len + 1).sum::<usize>()
    }

    /// Its events as lines, when all are encoded, and little of the room that they stand in is empty or used up: that would be
    /// memory that nobody counts.
    #[expect(clippy::result_large_err, reason = "a block is moved either way, once for all its events")]
    pub(crate) fn into_lines(mut self) -> Result<Lines, Self> {
        if !self.encoded || (self.bytes.len() - self.read) * 2 < self.bytes.capacity() {
            return Err(self);
        }
        self.weight = 0;
        Ok(Lines { bytes: self.bytes, keys: self.keys, events: self.events, read: self.read, home: self.home })
    }

    /// Whether there is no room for an event of that weight, of which so many bytes are to stand here.
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

    /// Makes room for so many bytes more. One that has grown a little gets all that it will take if its events go on as they
    /// began: to grow step by step is to copy, and leaves holes in the heap.
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

    /// An event whose line is here already.
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

    /// When its oldest came.
    pub(super) fn oldest(&self) -> Option<u64> {
        Some(self.admitted().next()?.arrived)
    }

    /// How much its bytes take, those of events that were taken out too.
    pub(super) fn written(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it is for what is encoded.
    pub(super) fn is_for(&self, encoded: bool) -> bool {
        self.encoded == encoded
    }

    /// How many of its oldest make up `max`, or about `bytes`; one at least.
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

    /// Moves its oldest events, so many of them, to another block.
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

    /// What it takes when it is empty.
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
    /// Each event with the part of the bytes that is its JSON, and its key.
    pub(crate) fn events(&self) -> impl Iterator<Item = (Admitted, Kind, Range<usize>, &[u8])> {
        let mut end = self.read;
        self.events.iter().map(move |Encoded { admitted, kind, len, key }| {
            let part = end..end + len;
            end = part.end + 1;
            (*admitted, *kind, part, &self.keys[key.clone()])
        })
    }

    /// The bytes, line below line.
    pub(crate) fn take_bytes(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// What is left when the bytes have gone their own way, empty.
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

/// How much a block of encoded events holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct BlockSize {
    pub(super) events: usize,
    pub(super) weight: usize,
}
