//! From queued events to the payloads that travel: decorated, shown to the hook, checked, encoded.

use crate::delivery::batch_buffer::{BatchBuffer, buffer_of};
use crate::emit::catch_panic::catch_panic;
use crate::emit::clock;
use crate::emit::encode::{Encoder, payload_weight};
use crate::queue::batch::Batch;
use crate::queue::blocks::{Block, Lines, Taken};
use crate::queue::consumer::Consumer;
use crate::queue::ledger::End;
use crate::queue::mark::Mark;
use crate::queue::shared::Shared;
use crate::report::diagnostics::Diagnostics;
use crate::report::loss::LossReason;
use jkool_model::Entity;
use jkool_transport::Payload;

/// Looks at each event on the delivery thread before it is encoded: gives it back, changed or not, or drops it.
pub(crate) type BeforeSend = Box<dyn Fn(Entity) -> Option<Entity> + Send>;

pub(crate) struct Prepare {
    before_send: Option<BeforeSend>,
    buffer: BatchBuffer,
    /// Blocks whose bytes travel as they stood there.
    hollow: Vec<Block>,
}

impl Prepare {
    pub(crate) fn new(before_send: Option<BeforeSend>) -> Self {
        Self { before_send, buffer: BatchBuffer::default(), hollow: Vec::new() }
    }

    /// The payloads of what is in `blocks`, all on one buffer; what becomes none is counted.
    pub(crate) fn batch(
        &mut self,
        mut blocks: Vec<Block>,
        shared: &Shared,
        queue: &mut Consumer,
        diagnostics: &mut Diagnostics,
    ) -> Batch {
        let mut dropped = Vec::new();
        let mut batch = match only_lines(&mut blocks) {
            Some(lines) => {
                let (batch, hollow) = self.buffer.batch_of(lines);
                self.hollow.push(hollow);
                batch
            }
            None => self.encode(&mut blocks, &mut dropped, &shared.encoder, diagnostics),
        };
        blocks.into_iter().for_each(|block| queue.reuse(block));
        let thought = batch.weight();
        for (payload, mark) in batch.payloads.iter().zip(&mut batch.marks) {
            mark.weight = payload_weight(payload);
        }
        let weight = batch.weight();
        if thought != weight || !dropped.is_empty() {
            shared.account(|ledger| {
                ledger.reweigh(thought, weight);
                dropped.into_iter().for_each(|(mark, end)| ledger.end(&mark, end));
            });
        }
        batch
    }

    fn encode(
        &mut self,
        blocks: &mut [Block],
        dropped: &mut Vec<(Mark, End)>,
        encoder: &Encoder,
        diagnostics: &mut Diagnostics,
    ) -> Batch {
        let Self { before_send, buffer, .. } = self;
        buffer.make_room_for(blocks.iter().map(|block| block.size(encoder)).sum());
        for block in blocks {
            while let Some((admitted, event)) = block.pop() {
                let mark = admitted.into();
                match event {
                    Taken::Encoded(kind, json, key) => buffer.write_encoded(mark, kind, json, key),
                    Taken::Line(line, bytes) => buffer.write_line(mark, &line, bytes, encoder),
                    Taken::Entity(entity) => match complete(entity, before_send, encoder, diagnostics) {
                        Ok(entity) => buffer.write_entity(mark, &entity),
                        Err(reason) => dropped.push((mark, End::Dropped(reason))),
                    },
                }
            }
        }
        buffer.take_batch()
    }

    /// These payloads have ended: what they stood on can be used again.
    pub(crate) fn reuse(&mut self, payloads: Vec<Payload>, queue: &mut Consumer) {
        let Some(buffer) = buffer_of(payloads) else { return };
        match self.hollow.pop() {
            Some(block) => queue.reuse(block.on(buffer)),
            None => self.buffer.keep(buffer),
        }
    }
}

/// The lines of the only block, when they travel as they stand.
fn only_lines(blocks: &mut Vec<Block>) -> Option<Lines> {
    if blocks.len() != 1 {
        return None;
    }
    match blocks.pop()?.into_lines() {
        Ok(lines) => Some(lines),
        Err(block) => {
            blocks.push(block);
            None
        }
    }
}

/// An event with all that the client and its hook make of it.
fn complete(
    mut entity: Entity,
    before_send: &Option<BeforeSend>,
    encoder: &Encoder,
    diagnostics: &mut Diagnostics,
) -> Result<Entity, LossReason> {
    encoder.defaults.apply(&mut entity, &encoder.ids, clock::timestamp);
    if let Some(before_send) = before_send {
        entity = catch_panic(|| before_send(entity)).ok_or(LossReason::HookPanic)?.ok_or(LossReason::BeforeSend)?;
    }
    match entity.validate() {
        Ok(()) => Ok(entity),
        Err(invalid) => {
            diagnostics.refused(&invalid);
            Err(LossReason::Invalid)
        }
    }
}
