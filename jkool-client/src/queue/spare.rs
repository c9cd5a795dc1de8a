//! Empty blocks for reuse, so that steady traffic allocates nothing. Pure.

use crate::queue::block::Block;

#[derive(Debug, Default)]
pub(crate) struct Spare {
    blocks: Vec<Block>,
    /// Their memory.
    bytes: usize,
}

impl Spare {
    /// A block of this kind. A new one gets this capacity, because growing copies it and fragments the heap.
    pub(super) fn block(&mut self, encoded: bool, room: usize) -> Block {
        let last = self.blocks.iter().rposition(|block| block.is_for(encoded));
        let block = last.map(|place| self.take_at(place));
        block.unwrap_or_else(|| Block::default().begun(encoded).on(Vec::with_capacity(room)))
    }

    /// A block of this kind for a shard, if there is one; preferably one that the shard used before. Blocks of encoded
    /// events are much larger than others.
    pub(super) fn take(&mut self, encoded: bool, home: usize) -> Option<Block> {
        let last =
            |here: bool| self.blocks.iter().rposition(|block| block.is_for(encoded) && (!here || block.home == home));
        let place = last(true).or_else(|| last(false))?;
        Some(self.take_at(place))
    }

    fn take_at(&mut self, place: usize) -> Block {
        let block = self.blocks.swap_remove(place);
        self.bytes -= block.room();
        block
    }

    /// Keeps a block, unless the total would exceed `max` bytes.
    pub(super) fn keep(&mut self, mut block: Block, max: usize) {
        if self.bytes + block.room() <= max {
            block.clear();
            self.bytes += block.room();
            self.blocks.push(block);
        }
    }

    /// Their recomputed memory, and whether all are empty.
    #[cfg(test)]
    pub(super) fn look(&self) -> (usize, bool) {
        let room: usize = self.blocks.iter().map(Block::room).sum();
        assert_eq!(room, self.bytes);
        (room, self.blocks.iter().all(|block| block.len() == 0 && block.weight() == 0))
    }
}
