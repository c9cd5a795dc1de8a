//! From queued events to the payloads that travel: decorated, shown to the hook, checked, encoded.

use crate::caught::caught;
use crate::delivery::Batch;
use crate::encode::{Encoder, payload_weight};
use crate::ledger::End;
use crate::notices::Notices;
use crate::queue::{Block, Taken};
use crate::shared::Shared;
use crate::sheet::Sheet;
use crate::{LossReason, clock};
use jkool_model::Entity;
use jkool_transport::Payload;

/// Looks at each event on the delivery thread before it is encoded: gives it back, changed or not, or drops it.
pub(crate) type BeforeSend = Box<dyn Fn(Entity) -> Option<Entity> + Send>;

pub(crate) struct Prepare {
    before_send: Option<BeforeSend>,
    sheet: Sheet,
}

impl Prepare {
    pub(crate) fn new(before_send: Option<BeforeSend>) -> Self {
        Self { before_send, sheet: Sheet::default() }
    }

    /// The payloads of what is in `blocks`, all on one sheet; what becomes none is counted.
    pub(crate) fn batch(&mut self, mut blocks: Vec<Block>, shared: &Shared, notices: &mut Notices) -> Batch {
        let Self { before_send, sheet } = self;
        sheet.make_room_for(blocks.iter().map(|block| block.size(&shared.encoder)).sum());
        let mut dropped = Vec::new();
        for block in &mut blocks {
            while let Some((mark, event)) = block.pop() {
                match event {
                    Taken::Encoded(shape, json) => sheet.write_encoded(mark, shape, json, &shared.encoder),
                    Taken::Line(line, bytes) => sheet.write_line(mark, &line, bytes, &shared.encoder),
                    Taken::Entity(entity) => match complete(entity, before_send, &shared.encoder, notices) {
                        Ok(entity) => sheet.write_entity(mark, &entity),
                        Err(reason) => dropped.push((mark, End::Dropped(reason))),
                    },
                }
            }
        }
        let mut batch = sheet.take_batch();
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
        self.sheet.reuse(payloads);
    }
}

/// An event with all that the client and its hook make of it.
fn complete(
    mut entity: Entity,
    before_send: &Option<BeforeSend>,
    encoder: &Encoder,
    notices: &mut Notices,
) -> Result<Entity, LossReason> {
    encoder.defaults.apply(&mut entity, &encoder.ids, clock::timestamp);
    if let Some(before_send) = before_send {
        entity = caught(|| before_send(entity)).ok_or(LossReason::HookPanic)?.ok_or(LossReason::BeforeSend)?;
    }
    match entity.validate() {
        Ok(()) => Ok(entity),
        Err(invalid) => {
            notices.refused(&invalid);
            Err(LossReason::Invalid)
        }
    }
}
