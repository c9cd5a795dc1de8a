//! Builds payloads from queued events: adds fields, runs the hook, validates, encodes.

use crate::delivery::batch_buffer::{BatchBuffer, buffers_of};
use crate::emit::catch_panic::catch_panic;
use crate::emit::clock;
use crate::emit::encode::{Encoder, payload_weight};
use crate::queue::batch::Batch;
use crate::queue::block::{Block, MAX_BLOCK_ROOM, Taken};
use crate::queue::consumer::Consumer;
use crate::queue::lane::Lane;
use crate::queue::ledger::End;
use crate::queue::mark::Mark;
use crate::queue::shared::Shared;
use crate::report::diagnostics::Diagnostics;
use crate::report::loss::LossReason;
use jkool_model::Entity;
use jkool_transport::Payload;
use std::collections::VecDeque;

/// The hook that gets each event on the delivery thread before it is encoded: it returns the event, changed or not, or drops
/// it.
pub(crate) type BeforeSend = Box<dyn Fn(Entity) -> Option<Entity> + Send>;

pub(crate) struct Prepare {
    before_send: Option<BeforeSend>,
    buffer: BatchBuffer,
    /// Empty blocks whose buffers are being sent, to be reused when these return.
    hollow: VecDeque<Block>,
}

/// The maximum number of them: in an outage the buffers of many batches do not return.
const MAX_HOLLOW: usize = 32;

impl Prepare {
    pub(crate) fn new(before_send: Option<BeforeSend>) -> Self {
        Self { before_send, buffer: BatchBuffer::default(), hollow: VecDeque::new() }
    }

    /// Returns the payloads of the events in `blocks`. Events that do not become one are counted.
    pub(crate) fn batch(
        &mut self,
        (blocks, lane): (Vec<Block>, Lane),
        shared: &Shared,
        queue: &mut Consumer,
        diagnostics: &mut Diagnostics,
    ) -> Batch {
        let mut dropped = Vec::new();
        let since = blocks.iter().map(Block::since).min().unwrap_or_default();
        let mut batch = Batch::with_capacity(blocks.iter().map(Block::len).sum());
        let mut open = Vec::new();
        for block in blocks {
            match block.into_lines() {
                Ok(lines) => {
                    self.encode(&mut open, &mut batch, &mut dropped, shared, queue, diagnostics);
                    let hollow = self.buffer.pass_on(lines, &mut batch);
                    if self.hollow.len() < MAX_HOLLOW {
                        self.hollow.push_back(hollow);
                    }
                }
                Err(block) => open.push(block),
            }
        }
        self.encode(&mut open, &mut batch, &mut dropped, shared, queue, diagnostics);
        let thought = batch.weight();
        for (payload, mark) in batch.payloads.iter().zip(&mut batch.marks) {
            (mark.weight, mark.lane, mark.since) = (payload_weight(payload), lane, since);
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

    /// Writes the payloads of events that are not sent from their block into one buffer.
    fn encode(
        &mut self,
        blocks: &mut Vec<Block>,
        batch: &mut Batch,
        dropped: &mut Vec<(Mark, End)>,
        shared: &Shared,
        queue: &mut Consumer,
        diagnostics: &mut Diagnostics,
    ) {
        let (Self { before_send, buffer, .. }, encoder) = (self, &shared.encoder);
        if blocks.is_empty() {
            return;
        }
        buffer.make_room_for(blocks.iter().map(|block| block.size(encoder)).sum());
        for mut block in blocks.drain(..) {
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
            queue.reuse(block);
        }
        buffer.finish(batch);
    }

    /// Takes payloads that have ended, to reuse their buffers.
    pub(crate) fn reuse(&mut self, payloads: Vec<Payload>, queue: &mut Consumer) {
        for buffer in buffers_of(payloads) {
            // The buffer of a block returns to a block: to its own, if batches return in order.
            let hollow = if buffer.capacity() <= MAX_BLOCK_ROOM { self.hollow.pop_front() } else { None };
            match hollow {
                Some(block) => queue.reuse(block.on(buffer)),
                None => self.buffer.keep(buffer),
            }
        }
    }
}

/// Completes an event with the client's fields and runs the hook.
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

#[cfg(test)]
mod tests {
    use super::{MAX_HOLLOW, Prepare};
    use crate::emit::defaults::Defaults;
    use crate::emit::encode::Encoder;
    use crate::emit::host::Host;
    use crate::emit::more::More;
    use crate::queue::consumer::{Consumer, Taken};
    use crate::queue::ledger::End;
    use crate::queue::limits::Limits;
    use crate::queue::overflow::OverflowPolicy;
    use crate::queue::shared::Shared;
    use crate::queue::wait::Goal;
    use crate::report::diagnostics::Diagnostics;
    use jkool_model::{Event, Severity};
    use std::sync::Arc;
    use std::time::Duration;

    /// Batches whose payloads are kept elsewhere, as those that go to the spool, leave nothing behind here.
    #[test]
    fn bytes_that_never_come_back_leave_nothing_behind() {
        let source = Some("APPL=a".parse().unwrap());
        let defaults = Defaults::new(source, None, "".into(), Vec::new(), Host::look(|_| None)).unwrap();
        let limits = Limits {
            events: 10_000,
            bytes: 16 << 20,
            overflow: OverflowPolicy::DropNewest,
            shed_below: Severity::None,
            priority: None,
            flush_interval: Duration::ZERO,
            wake_at: 100,
            batch_events: 100,
            batch_bytes: 1 << 20,
            shards: 1,
        };
        let shared = Arc::new(Shared::new(limits, false, Encoder::new(defaults, false, 1)));
        let (mut queue, mut prepare) = (Consumer::new(Arc::clone(&shared)), Prepare::new(None));
        let mut diagnostics = Diagnostics::new(false, false, None);
        let now = crate::emit::clock::now();
        for round in 0..10 * MAX_HOLLOW {
            for _ in 0..100 {
                let mut event = Event::default();
                event.operation = "op".into();
                shared.emit(event.into(), More::NOTHING);
            }
            shared.start_wait(Duration::from_secs(60), Goal::Delivered, now);
            let Taken::Events(blocks, lane) = queue.take(100, false, now) else { panic!("a batch") };
            let batch = prepare.batch((blocks, lane), &shared, &mut queue, &mut diagnostics);
            assert_eq!(batch.len(), 100);
            shared.account(|ledger| ledger.end_all(&batch.marks, End::Delivered));
            if round == 0 {
                assert_eq!(prepare.hollow.len(), 1, "it travels as it stood");
            }
        }
        assert!(prepare.hollow.len() <= MAX_HOLLOW);
    }
}
