//! Empty blocks that wait for use, so that steady traffic allocates nothing. Pure.

use crate::queue::block::Block;

#[derive(Debug, Default)]
pub(crate) struct Spare {
    blocks: Vec<Block>,
    /// What they take.
    bytes: usize,
}

impl Spare {
    /// A block of that kind, with room for about so much when it has to be made: one that grows is copied, and leaves holes
    /// in the heap.
    pub(super) fn block(&mut self, encoded: bool, room: usize) -> Block {
        self.take(encoded).unwrap_or_else(|| Block::default().begun(encoded).on(Vec::with_capacity(room)))
    }

    /// A block of that kind, if there is one. Those of encoded events are much larger than the others.
    pub(super) fn take(&mut self, encoded: bool) -> Option<Block> {
        let place = self.blocks.iter().rposition(|block| block.is_for(encoded))?;
        let block = self.blocks.swap_remove(place);
        self.bytes -= block.room();
        Some(block)
    }

    /// Keeps a block, unless all together would take more than `max` bytes.
    pub(super) fn keep(&mut self, mut block: Block, max: usize) {
        if self.bytes + block.room() <= max {
            block.clear();
            self.bytes += block.room();
            self.blocks.push(block);
        }
    }

    /// What they take, counted anew, and whether all are empty.
    #[cfg(test)]
    pub(super) fn look(&self) -> (usize, bool) {
        let room: usize = self.blocks.iter().map(Block::room).sum();
        assert_eq!(room, self.bytes);
        (room, self.blocks.iter().all(|block| block.len() == 0 && block.weight() == 0))
    }
}
