//! Empty blocks that wait for use, so that steady traffic allocates nothing. Pure.

use crate::queue::block::Block;

#[derive(Debug, Default)]
pub(crate) struct Spare {
    blocks: Vec<Block>,
    /// What they take.
    bytes: usize,
}

impl Spare {
    /// A block, with room for about so much when it has to be made: one that grows is copied, and leaves holes in the heap.
    pub(super) fn block(&mut self, room: usize) -> Block {
        let Some(block) = self.blocks.pop() else { return Block::default().on(Vec::with_capacity(room)) };
        self.bytes -= block.room();
        block
    }

    /// Keeps a block, unless all together would take more than `max` bytes.
    pub(super) fn keep(&mut self, mut block: Block, max: usize) {
        if self.bytes + block.room() <= max {
            block.clear();
            self.bytes += block.room();
            self.blocks.push(block);
        }
    }

    /// Up to so many blocks.
    pub(super) fn some(&mut self, blocks: usize) -> impl Iterator<Item = Block> {
        let first = self.blocks.len().saturating_sub(blocks);
        self.bytes -= self.blocks[first..].iter().map(Block::room).sum::<usize>();
        self.blocks.drain(first..)
    }

    /// What they take, counted anew, and whether all are empty.
    #[cfg(test)]
    pub(super) fn look(&self) -> (usize, bool) {
        let room: usize = self.blocks.iter().map(Block::room).sum();
        assert_eq!(room, self.bytes);
        (room, self.blocks.iter().all(|block| block.len() == 0 && block.weight() == 0))
    }
}
