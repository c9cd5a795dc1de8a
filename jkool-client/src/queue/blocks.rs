//! The queued events of a shard: a list of blocks, oldest first. Pure.

use crate::emit::encode::Shape;
use crate::emit::line::{Stamped, Texts};
use crate::queue::block::{Admitted, BLOCK_BYTES, BLOCK_EVENTS, Block, BlockSize, MAX_COPY};
use crate::queue::limits::Limits;
use crate::queue::mark::Since;
use crate::queue::spare::Spare;
use jkool_model::Entity;
use std::collections::VecDeque;

/// An event to be queued.
#[derive(Debug)]
pub(crate) enum Incoming<'a> {
    /// The worker has to encode it.
    Entity(Entity),
    /// A line of JSON, followed by the partition key; the buffer may be overwritten afterwards.
    Encoded(Shape, &'a mut Vec<u8>),
    /// A log line with its texts.
    Line(&'a Stamped, Texts<'a>),
}

/// The queued events of a shard.
#[derive(Debug)]
pub(crate) struct Queue {
    blocks: VecDeque<Block>,
    size: BlockSize,
    /// The expected size of the next block of encoded events, which is that of the blocks before.
    room: usize,
    spare: Spare,
    max_spare: usize,
    len: usize,
    /// The total weight.
    weight: usize,
}

impl Queue {
    /// With at most this number of bytes of empty blocks.
    pub(crate) fn new(limits: &Limits, max_spare: usize) -> Self {
        // A block holds as many events as a batch; a small batch does not need a block of its own.
        let parts = limits.batch_events.div_ceil(BLOCK_EVENTS);
        let events = if parts > 1 { limits.batch_events.div_ceil(parts) } else { BLOCK_EVENTS };
        let size = BlockSize { events, weight: limits.batch_bytes.min(BLOCK_BYTES) };
        Self { blocks: VecDeque::new(), size, room: 0, spare: Spare::default(), max_spare, len: 0, weight: 0 }
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

    /// `now` is only called for the first event of a block.
    pub(crate) fn push(&mut self, incoming: Incoming<'_>, admitted: Admitted, now: impl Fn() -> Since) {
        self.len += 1;
        self.weight += admitted.weight;
        match incoming {
            Incoming::Entity(entity) => self.block_for(admitted.weight, 0, false, now).push_entity(admitted, entity),
            Incoming::Encoded(shape, bytes) if bytes.len() > MAX_COPY => {
                let key = bytes.split_off(bytes.len() - shape.key_len);
                bytes.reserve_exact(1);
                bytes.push(b'\n');
                bytes.shrink_to_fit();
                self.blocks.push_back(Block::of_one(admitted, shape.kind, std::mem::take(bytes), &key, now()));
            }
            Incoming::Encoded(shape, bytes) => {
                let (json, key) = bytes.split_at(bytes.len() - shape.key_len);
                let size = self.size;
                let block = self.block_for(admitted.weight, json.len() + 1, true, now);
                block.make_room(json.len() + 1, &size);
                block.push_encoded(admitted, shape.kind, json, key);
            }
            Incoming::Line(line, texts) => {
                let block = self.block_for(admitted.weight, line.texts_len(), false, now);
                block.push_line(admitted, *line, &texts);
            }
        }
    }

    fn block_for(&mut self, weight: usize, bytes: usize, encoded: bool, now: impl Fn() -> Since) -> &mut Block {
        let size = self.size;
        let last = self.blocks.back();
        if last.is_none_or(|last| !last.is_for(encoded) || last.is_full(weight, bytes, &size)) {
            let room = if encoded { self.room } else { 0 };
            self.blocks.push_back(self.spare.block(encoded, room));
            if let Some(begun) = self.blocks.back_mut() {
                begun.since = now();
            }
        }
        let last = self.blocks.len() - 1;
        &mut self.blocks[last]
    }

    /// When the oldest event was queued.
    pub(crate) fn oldest(&self) -> Option<u64> {
        self.blocks.front()?.oldest()
    }

    /// When the first event was queued, or slightly earlier.
    pub(crate) fn since(&self) -> Option<Since> {
        Some(self.blocks.front()?.since)
    }

    /// Drops the oldest event.
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

    /// Appends the oldest events to `taken`, until it has `max` events or about `bytes`. Splitting a block copies its
    /// events, so a batch that is at least half full ends before a block that does not fit.
    pub(crate) fn take(&mut self, max: usize, bytes: usize, taken: &mut Vec<Block>) {
        let mut len: usize = taken.iter().map(Block::len).sum();
        let mut weight: usize = taken.iter().map(Block::weight).sum();
        while let Some(front) = self.blocks.front_mut().filter(|_| len < max && weight < bytes) {
            let fitting = front.fitting(max - len, bytes - weight);
            let block = if fitting == front.len() {
                if front.is_for(true) {
                    // Slightly more, because the sizes vary and growing copies the block.
                    self.room = (front.written() + front.written() / 16).max(self.room / 2);
                }
                self.blocks.pop_front().unwrap_or_default()
            } else if len * 2 >= max || weight * 2 >= bytes {
                return;
            } else {
                let mut part = self.spare.block(front.is_for(true), 0);
                front.split(fitting, &mut part);
                part.since = front.since;
                part
            };
            self.len -= block.len();
            self.weight -= block.weight();
            len += block.len();
            weight += block.weight();
            taken.push(block);
        }
    }

    /// Takes back empty blocks.
    pub(crate) fn reuse(&mut self, blocks: impl IntoIterator<Item = Block>) {
        blocks.into_iter().for_each(|block| self.spare.keep(block, self.max_spare));
    }

    pub(crate) fn clear(&mut self) {
        self.blocks.clear();
        (self.len, self.weight) = (0, 0);
    }
}

#[cfg(test)]
mod tests;
