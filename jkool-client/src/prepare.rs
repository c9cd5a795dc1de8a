//! From a queued entity to the payload that travels: decorated, shown to the hook, checked, encoded.

use crate::caught::caught;
use crate::defaults::Defaults;
use crate::delivery::Batch;
use crate::encode::{encode, payload_weight};
use crate::intake::Queued;
use crate::ledger::End;
use crate::notices::Notices;
use crate::shared::Shared;
use crate::{LossReason, clock};
use jkool_model::Entity;
use jkool_transport::Payload;

/// Looks at each event on the delivery thread before it is encoded: gives it back, changed or not, or drops it.
pub(crate) type BeforeSend = Box<dyn Fn(Entity) -> Option<Entity> + Send>;

pub(crate) struct Prepare {
    pub(crate) defaults: Defaults,
    pub(crate) before_send: Option<BeforeSend>,
    /// Where events are encoded.
    pub(crate) scratch: Vec<u8>,
}

impl Prepare {
    /// The payloads of `events`; what becomes none is counted.
    pub(crate) fn batch(&mut self, events: Vec<Queued>, shared: &Shared, notices: &mut Notices) -> Batch {
        let mut batch = Batch::default();
        let mut dropped = Vec::new();
        for Queued { entity, mark } in events {
            match self.payload(entity, notices) {
                Ok(payload) => batch.push(payload, mark),
                Err(reason) => dropped.push((mark, End::Dropped(reason))),
            }
        }
        shared.account(|ledger| {
            for (payload, mark) in batch.payloads.iter().zip(&mut batch.marks) {
                ledger.reweigh(mark, payload_weight(payload));
            }
            dropped.into_iter().for_each(|(mark, end)| ledger.end(mark, end));
        });
        batch
    }

    fn payload(&mut self, mut entity: Entity, notices: &mut Notices) -> Result<Payload, LossReason> {
        self.defaults.apply(&mut entity, clock::timestamp);
        if let Some(before_send) = &self.before_send {
            entity = caught(|| before_send(entity)).ok_or(LossReason::HookPanic)?.ok_or(LossReason::BeforeSend)?;
        }
        let invalid: Box<dyn std::error::Error> = match entity.validate() {
            Ok(()) => match encode(entity, &mut self.scratch) {
                Ok(payload) => return Ok(payload),
                Err(error) => error.into(),
            },
            Err(error) => error.into(),
        };
        notices.refused(invalid.as_ref());
        Err(LossReason::Invalid)
    }
}
