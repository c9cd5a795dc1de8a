//! The line of events between the program and the worker. Pure.
//!
//! Most events stand in it as bytes, one behind the other in blocks: to put one there is to copy a few hundred bytes, and the
//! worker takes blocks as they are. A block holds either whole lines of JSON, which travel as they stand, or what the worker
//! has yet to make JSON of. What has been sent leaves its blocks behind for what comes, so that steady traffic allocates
//! nothing.

use crate::emit::encode::{Encoder, Shape};
use crate::emit::line::Stamped;
use crate::queue::limits::Limits;
use crate::queue::mark::Mark;
use jkool_model::Entity;
use jkool_transport::Kind;
use std::collections::VecDeque;
use std::ops::Range;

/// What comes in.
#[derive(Debug)]
pub(crate) enum Incoming<'a> {
    /// The worker is to encode it.
    Entity(Entity),
    /// A line of JSON, and behind it the partition key; what is left in the buffer afterwards is of no use to anyone.
    Encoded(Shape, &'a mut Vec<u8>),
    /// A log line with its message and its operation.
    Line(&'a Stamped, &'a str, &'a str),
}

/// What an event is known by while it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Admitted {
    /// Its place among the flushes.
    pub(crate) generation: u64,
    /// About how many bytes it takes.
    pub(crate) weight: usize,
    /// When it came, in nanoseconds; 0 where nobody asks for the oldest.
    pub(crate) arrived: u64,
}

impl From<Admitted> for Mark {
    fn from(Admitted { generation, weight, .. }: Admitted) -> Self {
        Self { generation, weight, slot: None }
    }
}

/// An event in the queue.
#[derive(Debug)]
struct Queued {
    admitted: Admitted,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Entity(Entity),
    /// So many of the block's bytes and a line break, and where among the block's keys its own stands.
    Encoded(Kind, usize, Range<usize>),
    /// So many of the block's bytes: its message and its operation.
    Line(Stamped, usize),
}

/// An event that is taken out.
#[derive(Debug)]
pub(crate) enum Taken<'a> {
    Entity(Entity),
    /// Its JSON and its partition key.
    Encoded(Kind, &'a [u8], &'a [u8]),
    /// A log line; the bytes are its message and its operation.
    Line(Stamped, &'a [u8]),
}

/// So many events, or about so many bytes, that are to be encoded make a block.
const BLOCK_EVENTS: usize = 128;
const BLOCK_BYTES: usize = 128 << 10;

/// A block grows as it likes up to that.
const SMALL: usize = 16 << 10;

/// More than this of one event is not copied: its buffer becomes a block.
const MAX_COPY: usize = 8 << 10;

/// What an encoded event of that size takes here besides its bytes. Its place beside others is small change.
pub(crate) fn overhead(bytes: usize) -> usize {
    if bytes > MAX_COPY { size_of::<Block>() + 4 * size_of::<Queued>() } else { 0 }
}

/// Some events, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Block {
    events: VecDeque<Queued>,
    bytes: Vec<u8>,
    /// The partition keys of encoded events. Neighbours with the same key share one.
    keys: Vec<u8>,
    /// How many of the bytes belong to events that were taken out.
    read: usize,
    /// What the events weigh.
    weight: usize,
    /// All that it holds is encoded.
    encoded: bool,
    /// Belongs to one event, whose buffer it was.
    is_full_of_one: bool,
}

/// The JSON of a block's events, and where in it each of them stands.
#[derive(Debug)]
pub(crate) struct Lines {
    bytes: Vec<u8>,
    keys: Vec<u8>,
    events: VecDeque<Queued>,
    read: usize,
}

impl Block {
    /// The same, empty, on that buffer.
    pub(crate) fn on(self, bytes: Vec<u8>) -> Self {
        Self { bytes, ..self }
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    pub(crate) fn weight(&self) -> usize {
        self.weight
    }

    pub(crate) fn is_encoded(&self) -> bool {
        self.encoded
    }

    /// The next event, oldest first.
    pub(crate) fn pop(&mut self) -> Option<(Admitted, Taken<'_>)> {
        let Queued { admitted, form } = self.events.pop_front()?;
        self.weight -= admitted.weight;
        let taken = match form {
            Form::Entity(entity) => Taken::Entity(entity),
            Form::Encoded(kind, len, key) => {
                let json = read(&self.bytes, &mut self.read, len);
                // The line break.
                self.read += 1;
                Taken::Encoded(kind, json, &self.keys[key])
            }
            Form::Line(line, len) => Taken::Line(line, read(&self.bytes, &mut self.read, len)),
        };
        Some((admitted, taken))
    }

    /// About what its events take as JSON, but for those that are not encoded.
    pub(crate) fn size(&self, encoder: &Encoder) -> usize {
        let size = |queued: &Queued| match queued.form {
            Form::Encoded(_, len, _) => len + 1,
            Form::Line(line, len) => encoder.size_of_line(&line, len - line.message_len),
            Form::Entity(_) => 0,
        };
        self.events.iter().map(size).sum()
    }

    /// Its events as lines, when all are encoded, and little of the room that they stand in is empty or used up: that would be
    /// memory that nobody counts.
    pub(crate) fn into_lines(mut self) -> Result<Lines, Self> {
        if !self.encoded || (self.bytes.len() - self.read) * 2 < self.bytes.capacity() {
            return Err(self);
        }
        self.weight = 0;
        Ok(Lines { bytes: self.bytes, keys: self.keys, events: self.events, read: self.read })
    }

    /// Whether there is no room for an event of that weight, of which so many bytes are to stand here.
    fn is_full(&self, weight: usize, bytes: usize, size: &BlockSize) -> bool {
        let full = if self.encoded {
            self.len() >= size.events || self.weight + weight > size.weight
        } else {
            self.len() >= BLOCK_EVENTS || self.bytes.len() + bytes > BLOCK_BYTES
        };
        self.is_full_of_one || (full && self.len() > 0)
    }

    /// So many of a batch that it need not wait for company, and is not to be taken apart.
    fn travels_alone(&self, max: usize, bytes: usize) -> bool {
        let fits = self.len() <= max && self.weight <= bytes;
        self.encoded && fits && (self.len() * 2 >= max || self.weight * 2 >= bytes)
    }

    fn push(&mut self, admitted: Admitted, form: Form) {
        self.weight += admitted.weight;
        self.events.push_back(Queued { admitted, form });
    }

    /// Makes room for so many bytes more. One that has grown a little gets all that it will take if its events go on as they
    /// began: to grow step by step is to copy, and leaves holes in the heap.
    fn make_room(&mut self, bytes: usize, size: &BlockSize) {
        let (len, events) = (self.bytes.len(), self.events.len());
        if len + bytes > self.bytes.capacity() && len >= SMALL {
            let expected = (len / events.max(1) * size.events).min(size.weight);
            self.bytes.reserve_exact((expected + expected / 8).saturating_sub(len).max(bytes));
        }
    }

    fn push_encoded(&mut self, admitted: Admitted, kind: Kind, json: &[u8], key: &[u8]) {
        self.bytes.extend_from_slice(json);
        self.bytes.push(b'\n');
        self.push_placed(admitted, kind, json.len(), key);
    }

    /// An event whose line is here already.
    fn push_placed(&mut self, admitted: Admitted, kind: Kind, len: usize, key: &[u8]) {
        let key = match self.events.back() {
            Some(Queued { form: Form::Encoded(_, _, last), .. }) if self.keys[last.clone()] == *key => last.clone(),
            _ => {
                let start = self.keys.len();
                self.keys.extend_from_slice(key);
                start..self.keys.len()
            }
        };
        self.push(admitted, Form::Encoded(kind, len, key));
    }

    /// How many of its oldest make up `max`, or about `bytes`; one at least.
    fn fitting(&self, max: usize, bytes: usize) -> usize {
        if self.len() <= max && self.weight <= bytes {
            return self.len();
        }
        let mut weight = 0;
        let fit = self.events.iter().take(max).take_while(|queued| {
            let fits = weight < bytes;
            weight += queued.admitted.weight;
            fits
        });
        fit.count()
    }

    /// Moves its oldest events, so many of them, to another block.
    fn split(&mut self, max: usize, into: &mut Block) {
        into.encoded = self.encoded;
        for _ in 0..max {
            match self.pop() {
                Some((admitted, Taken::Entity(entity))) => into.push(admitted, Form::Entity(entity)),
                Some((admitted, Taken::Encoded(kind, json, key))) => into.push_encoded(admitted, kind, json, key),
                Some((admitted, Taken::Line(line, bytes))) => {
                    into.bytes.extend_from_slice(bytes);
                    into.push(admitted, Form::Line(line, bytes.len()));
                }
                None => return,
            }
        }
    }

    /// What it takes when it is empty.
    pub(crate) fn room(&self) -> usize {
        self.bytes.capacity() + self.keys.capacity() + self.events.capacity() * size_of::<Queued>()
    }

    pub(crate) fn clear(&mut self) {
        self.events.clear();
        self.bytes.clear();
        self.keys.clear();
        (self.read, self.weight, self.encoded, self.is_full_of_one) = (0, 0, false, false);
    }
}

impl Lines {
    /// Each event with the part of the bytes that is its JSON, and its key.
    pub(crate) fn events(&self) -> impl Iterator<Item = (Admitted, Kind, Range<usize>, &[u8])> {
        let mut end = self.read;
        self.events.iter().filter_map(move |queued| {
            let Form::Encoded(kind, len, key) = &queued.form else { return None };
            let part = end..end + len;
            end = part.end + 1;
            Some((queued.admitted, *kind, part, &self.keys[key.clone()]))
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    /// The bytes, line below line.
    pub(crate) fn take_bytes(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// What is left when the bytes have gone their own way, empty.
    pub(crate) fn into_block(self) -> Block {
        let mut block = Block { events: self.events, keys: self.keys, ..Block::default() };
        block.clear();
        block
    }
}

fn read<'b>(bytes: &'b [u8], from: &mut usize, len: usize) -> &'b [u8] {
    let start = *from;
    *from += len;
    &bytes[start..*from]
}

/// Empty blocks that wait for use.
#[derive(Debug)]
struct Spare {
    blocks: Vec<Block>,
    /// What they take, and may take.
    bytes: usize,
    max_bytes: usize,
}

impl Spare {
    /// A block, with room for about so much when it has to be made: one that grows is copied, and leaves holes in the heap.
    fn block(&mut self, room: usize) -> Block {
        let Some(block) = self.blocks.pop() else {
            return Block { bytes: Vec::with_capacity(room), ..Block::default() };
        };
        self.bytes -= block.room();
        block
    }

    fn keep(&mut self, mut block: Block) {
        if self.bytes + block.room() <= self.max_bytes {
            block.clear();
            self.bytes += block.room();
            self.blocks.push(block);
        }
    }
}

/// How much a block of encoded events holds: a batch.
#[derive(Debug, Clone, Copy)]
struct BlockSize {
    events: usize,
    weight: usize,
}

/// The events that wait in a shard.
#[derive(Debug)]
pub(crate) struct Queue {
    blocks: VecDeque<Block>,
    size: BlockSize,
    /// What the next block will take, if it is like those before.
    room: usize,
    spare: Spare,
    len: usize,
    /// What they weigh.
    weight: usize,
}

impl Queue {
    /// With at most so many bytes of empty blocks.
    pub(crate) fn new(limits: &Limits, max_spare: usize) -> Self {
        // A batch of one event each is not worth a block.
        let size = BlockSize { events: limits.batch_events.max(BLOCK_EVENTS), weight: limits.batch_bytes };
        let spare = Spare { blocks: Vec::new(), bytes: 0, max_bytes: max_spare };
        Self { blocks: VecDeque::new(), size, room: 0, spare, len: 0, weight: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn weight(&self) -> usize {
        self.weight
    }

    pub(crate) fn push(&mut self, incoming: Incoming<'_>, admitted: Admitted) {
        self.len += 1;
        self.weight += admitted.weight;
        match incoming {
            Incoming::Entity(entity) => self.block_for(admitted.weight, 0, false).push(admitted, Form::Entity(entity)),
            Incoming::Encoded(shape, bytes) if bytes.len() > MAX_COPY => {
                let mut block = Block { encoded: true, is_full_of_one: true, ..Block::default() };
                let key = bytes.split_off(bytes.len() - shape.key_len);
                bytes.reserve_exact(1);
                bytes.push(b'\n');
                bytes.shrink_to_fit();
                block.bytes = std::mem::take(bytes);
                block.push_placed(admitted, shape.kind, block.bytes.len() - 1, &key);
                self.blocks.push_back(block);
            }
            Incoming::Encoded(shape, bytes) => {
                let (json, key) = bytes.split_at(bytes.len() - shape.key_len);
                let size = self.size;
                let block = self.block_for(admitted.weight, json.len() + 1, true);
                block.make_room(json.len() + 1, &size);
                block.push_encoded(admitted, shape.kind, json, key);
            }
            Incoming::Line(line, message, operation) => {
                let len = message.len() + operation.len();
                let block = self.block_for(admitted.weight, len, false);
                block.bytes.extend_from_slice(message.as_bytes());
                block.bytes.extend_from_slice(operation.as_bytes());
                block.push(admitted, Form::Line(*line, len));
            }
        }
    }

    fn block_for(&mut self, weight: usize, bytes: usize, encoded: bool) -> &mut Block {
        let size = self.size;
        let last = self.blocks.back();
        if last.is_none_or(|last| last.encoded != encoded || last.is_full(weight, bytes, &size)) {
            let block = self.spare.block(self.room);
            self.blocks.push_back(Block { encoded, ..block });
        }
        let last = self.blocks.len() - 1;
        &mut self.blocks[last]
    }

    /// When the oldest came.
    pub(crate) fn oldest(&self) -> Option<u64> {
        Some(self.blocks.front()?.events.front()?.admitted.arrived)
    }

    /// Drops the oldest.
    pub(crate) fn drop_oldest(&mut self) -> Option<Admitted> {
        let front = self.blocks.front_mut()?;
        let (admitted, _) = front.pop()?;
        self.len -= 1;
        self.weight -= admitted.weight;
        if front.len() == 0 {
            let empty = self.blocks.pop_front();
            self.reuse(empty);
        }
        Some(admitted)
    }

    /// Appends to `taken` the oldest events, up to `max` of them and about as many as weigh `bytes`, what is there already
    /// among them: whole blocks, and what is missing of the next one. What makes a batch by itself is left alone.
    pub(crate) fn take(&mut self, max: usize, bytes: usize, taken: &mut Vec<Block>) {
        let mut len: usize = taken.iter().map(Block::len).sum();
        let mut weight: usize = taken.iter().map(|block| block.weight).sum();
        while let Some(front) = self.blocks.front_mut().filter(|_| len < max && weight < bytes) {
            let alone = front.travels_alone(max, bytes);
            if alone && len > 0 {
                return;
            }
            let fitting = front.fitting(max - len, bytes - weight);
            let block = if fitting == front.len() || alone {
                // A little more, for the next is not of quite the same size, and one that grows is copied.
                self.room = (front.bytes.len() + front.bytes.len() / 16).max(self.room / 2);
                self.blocks.pop_front().unwrap_or_default()
            } else {
                let mut part = self.spare.block(0);
                front.split(fitting, &mut part);
                part
            };
            self.len -= block.len();
            self.weight -= block.weight;
            len += block.len();
            weight += block.weight;
            taken.push(block);
            if alone {
                return;
            }
        }
    }

    /// Takes back blocks that are no longer needed.
    pub(crate) fn reuse(&mut self, blocks: impl IntoIterator<Item = Block>) {
        blocks.into_iter().for_each(|block| self.spare.keep(block));
    }

    pub(crate) fn clear(&mut self) {
        self.blocks.clear();
        (self.len, self.weight) = (0, 0);
    }
}

#[cfg(test)]
mod tests;
