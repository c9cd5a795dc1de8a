//! The line of events between the program and the worker. Pure.
//!
//! Most events stand in it as JSON, one behind the other in blocks: to put one there is to copy a few hundred bytes, and the
//! worker takes blocks as they are. What has been sent leaves its blocks behind for what comes, so that steady traffic
//! allocates nothing.

use crate::emit::encode::{Encoder, Shape};
use crate::emit::line::Stamped;
use crate::queue::mark::Mark;
use jkool_model::Entity;
use std::collections::VecDeque;

/// What comes in.
#[derive(Debug)]
pub(crate) enum Incoming<'a> {
    /// The worker is to encode it.
    Entity(Entity),
    /// Encoded already; what is left in the buffer afterwards is of no use to anyone.
    Encoded(Shape, &'a mut Vec<u8>),
    /// A log line with its message and its operation.
    Line(Stamped, &'a str, &'a str),
}

/// An event in the queue.
#[derive(Debug)]
struct Queued {
    mark: Mark,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Entity(Entity),
    /// So many of the block's bytes.
    Encoded(Shape, usize),
    /// The same; they are its message and its operation.
    Line(Stamped, usize),
}

/// An event that is taken out.
#[derive(Debug)]
pub(crate) enum Taken<'a> {
    Entity(Entity),
    Encoded(Shape, &'a [u8]),
    /// A log line; the bytes are its message and its operation.
    Line(Stamped, &'a [u8]),
}

/// So many events, or about so many bytes, make a block: the worker takes four, or more, for a batch of the usual size.
const BLOCK_EVENTS: usize = 128;
const BLOCK_BYTES: usize = 128 << 10;

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
    /// How many of the bytes belong to events that were taken out.
    read: usize,
    /// What the events weigh.
    weight: usize,
    /// Belongs to one event, whose buffer it was.
    is_full_of_one: bool,
}

impl Block {
    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    /// The next event, oldest first.
    pub(crate) fn pop(&mut self) -> Option<(Mark, Taken<'_>)> {
        let Queued { mark, form } = self.events.pop_front()?;
        self.weight -= mark.weight;
        let taken = match form {
            Form::Entity(entity) => Taken::Entity(entity),
            Form::Encoded(shape, len) => Taken::Encoded(shape, read(&self.bytes, &mut self.read, len)),
            Form::Line(line, len) => Taken::Line(line, read(&self.bytes, &mut self.read, len)),
        };
        Some((mark, taken))
    }

    /// About what its events take as JSON, but for those that are not encoded.
    pub(crate) fn size(&self, encoder: &Encoder) -> usize {
        let size = |queued: &Queued| match queued.form {
            Form::Encoded(shape, len) => encoder.size(shape, len),
            Form::Line(line, len) => encoder.size_of_line(&line, len - line.message_len),
            Form::Entity(_) => 0,
        };
        self.events.iter().map(size).sum()
    }

    fn is_full(&self, more: usize) -> bool {
        self.is_full_of_one
            || self.events.len() >= BLOCK_EVENTS
            || (self.len() > 0 && self.bytes.len() + more > BLOCK_BYTES)
    }

    fn push(&mut self, mark: Mark, form: Form) {
        self.weight += mark.weight;
        self.events.push_back(Queued { mark, form });
    }

    /// How many of its oldest make up `max`, or about `bytes`; one at least.
    fn fitting(&self, max: usize, bytes: usize) -> usize {
        if self.len() <= max && self.weight <= bytes {
            return self.len();
        }
        let mut weight = 0;
        let fit = self.events.iter().take(max).take_while(|queued| {
            let fits = weight < bytes;
            weight += queued.mark.weight;
            fits
        });
        fit.count()
    }

    /// Moves its oldest events, so many of them, to another block.
    fn split(&mut self, max: usize, into: &mut Block) {
        for _ in 0..max {
            match self.pop() {
                Some((mark, Taken::Entity(entity))) => into.push(mark, Form::Entity(entity)),
                Some((mark, Taken::Encoded(shape, bytes))) => {
                    into.bytes.extend_from_slice(bytes);
                    into.push(mark, Form::Encoded(shape, bytes.len()));
                }
                Some((mark, Taken::Line(line, bytes))) => {
                    into.bytes.extend_from_slice(bytes);
                    into.push(mark, Form::Line(line, bytes.len()));
                }
                None => return,
            }
        }
    }

    /// What it takes when it is empty.
    fn room(&self) -> usize {
        self.bytes.capacity() + self.events.capacity() * size_of::<Queued>()
    }

    fn clear(&mut self) {
        self.events.clear();
        self.bytes.clear();
        (self.read, self.weight, self.is_full_of_one) = (0, 0, false);
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

/// All events that wait.
#[derive(Debug)]
pub(crate) struct Queue {
    blocks: VecDeque<Block>,
    spare: Spare,
    len: usize,
    /// What they weigh.
    weight: usize,
}

impl Queue {
    /// With at most so many bytes of empty blocks.
    pub(crate) fn new(max_spare: usize) -> Self {
        let spare = Spare { blocks: Vec::new(), bytes: 0, max_bytes: max_spare };
        Self { blocks: VecDeque::new(), spare, len: 0, weight: 0 }
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

    pub(crate) fn push(&mut self, incoming: Incoming<'_>, mark: Mark) {
        self.len += 1;
        self.weight += mark.weight;
        match incoming {
            Incoming::Entity(entity) => self.block_for(0).push(mark, Form::Entity(entity)),
            Incoming::Encoded(shape, bytes) if bytes.len() > MAX_COPY => {
                bytes.shrink_to_fit();
                let mut block = Block { bytes: std::mem::take(bytes), is_full_of_one: true, ..Block::default() };
                block.push(mark, Form::Encoded(shape, block.bytes.len()));
                self.blocks.push_back(block);
            }
            Incoming::Encoded(shape, bytes) => {
                let block = self.block_for(bytes.len());
                block.bytes.extend_from_slice(bytes);
                block.push(mark, Form::Encoded(shape, bytes.len()));
            }
            Incoming::Line(line, message, operation) => {
                let len = message.len() + operation.len();
                let block = self.block_for(len);
                block.bytes.extend_from_slice(message.as_bytes());
                block.bytes.extend_from_slice(operation.as_bytes());
                block.push(mark, Form::Line(line, len));
            }
        }
    }

    fn block_for(&mut self, bytes: usize) -> &mut Block {
        let last = self.blocks.back();
        if last.is_none_or(|last| last.is_full(bytes)) {
            // As much as the one before took.
            let room = last.map_or(0, |last| last.bytes.len().min(BLOCK_BYTES));
            self.blocks.push_back(self.spare.block(room));
        }
        let last = self.blocks.len() - 1;
        &mut self.blocks[last]
    }

    /// Drops the oldest.
    pub(crate) fn drop_oldest(&mut self) -> Option<Mark> {
        let front = self.blocks.front_mut()?;
        let (mark, _) = front.pop()?;
        self.len -= 1;
        self.weight -= mark.weight;
        if front.len() == 0 {
            let empty = self.blocks.pop_front();
            self.reuse(empty);
        }
        Some(mark)
    }

    /// The oldest events, up to `max` of them and about as many as weigh `bytes`: whole blocks, and what is missing of the
    /// next one.
    pub(crate) fn take(&mut self, max: usize, bytes: usize) -> Vec<Block> {
        let (mut taken, mut len, mut weight) = (Vec::new(), 0, 0);
        while let Some(front) = self.blocks.front_mut().filter(|_| len < max && weight < bytes) {
            let fitting = front.fitting(max - len, bytes - weight);
            let block = if fitting == front.len() {
                self.blocks.pop_front().unwrap_or_default()
            } else {
                let mut part = self.spare.block(0);
                front.split(fitting, &mut part);
                part
            };
            len += block.len();
            weight += block.weight;
            taken.push(block);
        }
        self.len -= len;
        self.weight -= weight;
        taken
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
