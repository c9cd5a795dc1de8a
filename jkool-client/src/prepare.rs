//! From queued events to the payloads that travel: decorated, shown to the hook, checked, encoded.

use crate::caught::caught;
use crate::delivery::Batch;
use crate::encode::{self, Encoder, Shape, payload_weight};
use crate::ledger::{End, Mark};
use crate::line::Stamped;
use crate::notices::Notices;
use crate::queue::{Block, Taken};
use crate::shared::Shared;
use crate::{LossReason, clock};
use bytes::Bytes;
use jkool_model::Entity;
use jkool_transport::{Kind, Payload};
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

/// Looks at each event on the delivery thread before it is encoded: gives it back, changed or not, or drops it.
pub(crate) type BeforeSend = Box<dyn Fn(Entity) -> Option<Entity> + Send>;

pub(crate) struct Prepare {
    before_send: Option<BeforeSend>,
    sheet: Sheet,
}

/// The lines of a batch, as they are written one below the other.
#[derive(Default)]
struct Sheet {
    bytes: Vec<u8>,
    /// Its room when it was begun.
    planned: usize,
    lines: Vec<Line>,
    /// The last key, for most are like the one before.
    key: Option<Arc<str>>,
    /// Sheets whose lines have been sent.
    spare: Vec<Vec<u8>>,
}

struct Line {
    mark: Mark,
    kind: Kind,
    key: Option<Arc<str>>,
    part: Range<usize>,
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

    /// These payloads have ended: what they stood on can be used again, if nobody holds it.
    pub(crate) fn reuse(&mut self, mut payloads: Vec<Payload>) {
        let sheet = payloads.pop().map(Payload::into_sheet);
        drop(payloads);
        if let Some(sheet) = sheet.filter(Bytes::is_unique) {
            self.sheet.keep(emptied(sheet));
        }
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

/// So many sheets wait for use, of such sizes. A new one comes from the operating system page by page, and that takes longer
/// than to write on it; a small one does not.
const MAX_SPARE: usize = 4;
const SPARE_SIZES: RangeInclusive<usize> = 16 << 10..=2 << 20;

/// The room of a sheet that nobody else holds.
fn emptied(mut sheet: Bytes) -> Vec<u8> {
    sheet.clear();
    sheet.into()
}

/// The bytes of what was a text when it came.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

impl Sheet {
    fn keep(&mut self, sheet: Vec<u8>) {
        if SPARE_SIZES.contains(&sheet.capacity()) {
            self.spare.push(sheet);
        }
        if self.spare.len() > MAX_SPARE {
            // The larger ones are of more use.
            self.spare.sort_by_key(|spare| std::cmp::Reverse(spare.capacity()));
            self.spare.truncate(MAX_SPARE);
        }
    }

    /// Just enough for what is encoded; a sheet with much empty room would be memory that nobody counts.
    fn make_room_for(&mut self, room: usize) {
        let fits = |spare: &Vec<u8>| spare.capacity() >= room && spare.capacity() / 2 <= room;
        self.bytes = match self.spare.iter().position(fits) {
            Some(place) => self.spare.swap_remove(place),
            // A little more, so that the next batch, which is not of quite the same size, fits too.
            None => Vec::with_capacity(room + room / 16),
        };
        self.planned = self.bytes.capacity();
    }

    fn write_encoded(&mut self, mark: Mark, shape: Shape, json: &[u8], encoder: &Encoder) {
        let (json, key) = json.split_at(json.len() - shape.key_len);
        self.write(mark, shape.kind, key, |line| {
            line.extend_from_slice(json);
            encoder.decoration.close(shape.lacks, line, || encoder.ids.next());
        });
    }

    fn write_line(&mut self, mark: Mark, line: &Stamped, bytes: &[u8], encoder: &Encoder) {
        let (message, operation) = bytes.split_at(line.message_len);
        self.write(mark, line.kind(), operation, |json| {
            encoder.append_line(line, text(message), text(operation), json);
        });
    }

    fn write_entity(&mut self, mark: Mark, entity: &Entity) {
        self.write(mark, encode::kind(entity), encode::key(entity).as_bytes(), |json| entity.append_json(json));
    }

    fn write(&mut self, mark: Mark, kind: Kind, key: &[u8], json: impl FnOnce(&mut Vec<u8>)) {
        if self.key.as_deref().unwrap_or_default().as_bytes() != key {
            self.key = (!key.is_empty()).then(|| text(key).into());
        }
        let start = self.bytes.len();
        json(&mut self.bytes);
        self.lines.push(Line { mark, kind, key: self.key.clone(), part: start..self.bytes.len() });
        self.bytes.push(b'\n');
    }

    fn take_batch(&mut self) -> Batch {
        let mut bytes = std::mem::take(&mut self.bytes);
        if bytes.capacity() > self.planned {
            bytes.shrink_to_fit();
        }
        let bytes = Bytes::from(bytes);
        let mut batch = Batch::with_capacity(self.lines.len());
        for Line { mark, kind, key, part } in self.lines.drain(..) {
            let payload = Payload::part_of(kind, &bytes, part);
            batch.push(if let Some(key) = key { payload.with_key(key) } else { payload }, mark);
        }
        batch
    }
}
