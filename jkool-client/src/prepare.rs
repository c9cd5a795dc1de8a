//! From queued events to the payloads that travel: decorated, shown to the hook, checked, encoded.

use crate::caught::caught;
use crate::decoration::Decoration;
use crate::delivery::Batch;
use crate::encode::{self, Encoder, Shape, payload_weight};
use crate::ledger::{End, Mark};
use crate::notices::Notices;
use crate::queue::{Block, Taken};
use crate::shared::Shared;
use crate::{LossReason, clock};
use bytes::Bytes;
use jkool_model::Entity;
use jkool_transport::{Kind, Payload};
use std::ops::Range;
use std::sync::Arc;

/// Looks at each event on the delivery thread before it is encoded: gives it back, changed or not, or drops it.
pub(crate) type BeforeSend = Box<dyn Fn(Entity) -> Option<Entity> + Send>;

pub(crate) struct Prepare {
    pub(crate) before_send: Option<BeforeSend>,
}

/// The lines of a batch, as they are written one below the other.
#[derive(Default)]
struct Sheet {
    bytes: Vec<u8>,
    lines: Vec<(Mark, Kind, Option<Arc<str>>, Range<usize>)>,
    /// The last key, for most are like the one before.
    key: Option<Arc<str>>,
}

impl Prepare {
    /// The payloads of what is in `blocks`, all on one sheet; what becomes none is counted.
    pub(crate) fn batch(&self, mut blocks: Vec<Block>, shared: &Shared, notices: &mut Notices) -> Batch {
        let mut sheet = Sheet::with_room_for(&blocks, &shared.encoder.decoration);
        let mut dropped = Vec::new();
        for block in &mut blocks {
            while let Some((mark, event)) = block.pop() {
                let written = match event {
                    Taken::Encoded(shape, json) => Ok(sheet.write_encoded(mark, shape, json, &shared.encoder)),
                    Taken::Entity(entity) => self.complete(entity, &shared.encoder, notices).map(|entity| {
                        sheet.write(mark, encode::kind(&entity), encode::key(&entity), |json| entity.append_json(json));
                    }),
                };
                if let Err(reason) = written {
                    dropped.push((mark, End::Dropped(reason)));
                }
            }
        }
        let mut batch = sheet.into_batch();
        shared.account_and_reuse(blocks, |ledger| {
            for (payload, mark) in batch.payloads.iter().zip(&mut batch.marks) {
                ledger.reweigh(mark, payload_weight(payload));
            }
            dropped.into_iter().for_each(|(mark, end)| ledger.end(mark, end));
        });
        batch
    }

    /// An event with all that the client and its hook make of it.
    fn complete(&self, mut entity: Entity, encoder: &Encoder, notices: &mut Notices) -> Result<Entity, LossReason> {
        encoder.defaults.apply(&mut entity, &encoder.ids, clock::timestamp);
        if let Some(before_send) = &self.before_send {
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
}

impl Sheet {
    /// Just enough for what is encoded; a sheet with much empty room would be memory that nobody counts.
    fn with_room_for(blocks: &[Block], decoration: &Decoration) -> Self {
        let encoded = blocks.iter().flat_map(Block::encoded);
        let line = |(shape, len): (Shape, usize)| len - shape.key_len + decoration.closing(shape.lacks) + 1;
        let events = blocks.iter().map(Block::len).sum();
        Self { bytes: Vec::with_capacity(encoded.map(line).sum()), lines: Vec::with_capacity(events), key: None }
    }

    fn write_encoded(&mut self, mark: Mark, shape: Shape, json: &[u8], encoder: &Encoder) {
        let (json, key) = json.split_at(json.len() - shape.key_len);
        // The bytes of a whole text.
        let key = std::str::from_utf8(key).unwrap_or_default();
        self.write(mark, shape.kind, key, |line| {
            line.extend_from_slice(json);
            encoder.decoration.close(shape.lacks, line, || encoder.ids.next());
        });
    }

    fn write(&mut self, mark: Mark, kind: Kind, key: &str, json: impl FnOnce(&mut Vec<u8>)) {
        if self.key.as_deref().unwrap_or_default() != key {
            self.key = (!key.is_empty()).then(|| key.into());
        }
        let start = self.bytes.len();
        json(&mut self.bytes);
        self.lines.push((mark, kind, self.key.clone(), start..self.bytes.len()));
        self.bytes.push(b'\n');
    }

    fn into_batch(mut self) -> Batch {
        if self.bytes.capacity() > self.bytes.len() + self.bytes.len() / 8 {
            self.bytes.shrink_to_fit();
        }
        let bytes = Bytes::from(self.bytes);
        let mut batch = Batch::with_capacity(self.lines.len());
        for (mark, kind, key, line) in self.lines {
            let payload = Payload::part_of(kind, &bytes, line);
            batch.push(
                match key {
                    Some(key) => payload.with_key(key),
                    None => payload,
                },
                mark,
            );
        }
        batch
    }
}
