//! From queued events to the payloads that travel: decorated, shown to the hook, checked, encoded.

use crate::delivery::batch_buffer::BatchBuffer;
use crate::emit::catch_panic::catch_panic;
use crate::emit::clock;
use crate::emit::encode::{Encoder, payload_weight};
use crate::queue::batch::Batch;
use crate::queue::blocks::{Block, Taken};
use crate::queue::ledger::End;
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
}

impl Prepare {
    pub(crate) fn new(before_send: Option<BeforeSend>) -> Self {
        Self { before_send, buffer: BatchBuffer::default() }
    }

    /// The payloads of what is in `blocks`, all on one buffer; what becomes none is counted.
    pub(crate) fn batch(&mut self, mut blocks: Vec<Block>, shared: &Shared, diagnostics: &mut Diagnostics) -> Batch {
        let Self { before_send, buffer } = self;
        buffer.make_room_for(blocks.iter().map(|block| block.size(&shared.encoder)).sum());
        let mut dropped = Vec::new();
        for block in &mut blocks {
            while let Some((mark, event)) = block.pop() {
                match event {
                    Taken::Encoded(shape, json) => buffer.write_encoded(mark, shape, json, &shared.encoder),
                    Taken::Line(line, bytes) => buffer.write_line(mark, &line, bytes, &shared.encoder),
                    Taken::Entity(entity) => match complete(entity, before_send, &shared.encoder, diagnostics) {
                        Ok(entity) => buffer.write_entity(mark, &entity),
                        Err(reason) => dropped.push((mark, End::Dropped(reason))),
                    },
                }
            }
        }
        let mut batch = buffer.take_batch();
        // Callers wait for the lock meanwhile: what can be done before is done before.
        let thought = batch.weight();
        for (payload, mark) in batch.payloads.iter().zip(&mut batch.marks) {
            mark.weight = payload_weight(payload);
        }
        let weight = batch.weight();
        shared.account_and_reuse(blocks, |ledger| {
            ledger.reweigh(thought, weight);
            dropped.into_iter().for_each(|(mark, end)| ledger.end(mark, end));
        });
        batch
    }

    /// These payloads have ended: what they stood on can be used again.
    pub(crate) fn reuse(&mut self, payloads: Vec<Payload>) {
        self.buffer.reuse(payloads);
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
