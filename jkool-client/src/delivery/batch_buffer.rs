//! The bytes of a batch, as lines, so that they can be sent in one request without a copy.

use crate::emit::encode::{self, Encoder};
use crate::emit::line::{Stamped, utf8};
use crate::queue::batch::Batch;
use crate::queue::block::{Block, Lines};
use crate::queue::mark::Mark;
use bytes::Bytes;
use jkool_model::Entity;
use jkool_transport::{Kind, Payload};
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

/// The lines of a batch that is being written.
#[derive(Default)]
pub(crate) struct BatchBuffer {
    bytes: Vec<u8>,
    /// The initial capacity.
    planned: usize,
    lines: Vec<Line>,
    /// The last key, because most keys equal the one before.
    key: Option<Arc<str>>,
    /// Buffers whose lines were sent, for reuse.
    spare: Vec<Vec<u8>>,
}

struct Line {
    mark: Mark,
    kind: Kind,
    key: Option<Arc<str>>,
    part: Range<usize>,
}

/// The number and sizes of the buffers that are kept for reuse. A new large buffer comes from the operating system page by
/// page, which takes longer than writing to it; a small one does not.
const MAX_SPARE: usize = 4;
const SPARE_SIZES: RangeInclusive<usize> = 16 << 10..=2 << 20;

/// The encoder needs more room than it writes.
const MARGIN: usize = 2 << 10;

/// Returns the buffers of these payloads, emptied, if no other payload uses them.
pub(crate) fn buffers_of(payloads: Vec<Payload>) -> impl Iterator<Item = Vec<u8>> {
    let mut sheets = payloads.into_iter().map(Payload::into_sheet).peekable();
    std::iter::from_fn(move || {
        loop {
            let sheet = sheets.next()?;
            if sheets.peek().is_some_and(|next| next.as_ptr() == sheet.as_ptr()) {
                // It is not the last payload in its buffer.
                continue;
            }
            if let Ok(mut buffer) = sheet.try_into_mut() {
                // An empty buffer is converted without a copy.
                buffer.clear();
                return Some(buffer.into());
            }
        }
    })
}

impl BatchBuffer {
    /// Keeps a buffer for reuse.
    pub(crate) fn keep(&mut self, buffer: Vec<u8>) {
        if SPARE_SIZES.contains(&buffer.capacity()) {
            self.spare.push(buffer);
        }
        if self.spare.len() > MAX_SPARE {
            // Larger ones are more useful.
            self.spare.sort_by_key(|spare| std::cmp::Reverse(spare.capacity()));
            self.spare.truncate(MAX_SPARE);
        }
    }

    /// Starts a batch, with just enough room for what is encoded: unused capacity would be memory that is not counted.
    pub(crate) fn make_room_for(&mut self, room: usize) {
        let fits = |spare: &Vec<u8>| spare.capacity() >= room && spare.capacity() / 2 <= room;
        self.bytes = match self.spare.iter().position(fits) {
            Some(place) => self.spare.swap_remove(place),
            // Slightly more, so that the next batch, whose size differs slightly, fits too.
            None if SPARE_SIZES.contains(&room) => Vec::with_capacity(room + room / 16 + MARGIN),
            None => Vec::with_capacity(room),
        };
        self.planned = self.bytes.capacity();
    }

    pub(crate) fn write_encoded(&mut self, mark: Mark, kind: Kind, json: &[u8], key: &[u8]) {
        self.write(mark, kind, key, |line| line.extend_from_slice(json));
    }

    pub(crate) fn write_line(&mut self, mark: Mark, line: &Stamped, bytes: &[u8], encoder: &Encoder) {
        let texts = line.texts(bytes);
        self.write(mark, line.kind(), texts.operation.as_bytes(), |json| encoder.append_line(line, &texts, json));
    }

    pub(crate) fn write_entity(&mut self, mark: Mark, entity: &Entity) {
        self.write(mark, encode::kind(entity), encode::key(entity).as_bytes(), |json| entity.append_json(json));
    }

    fn write(&mut self, mark: Mark, kind: Kind, key: &[u8], json: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        json(&mut self.bytes);
        let part = start..self.bytes.len();
        let key = self.key(key);
        self.lines.push(Line { mark, kind, key, part });
        self.bytes.push(b'\n');
    }

    fn key(&mut self, key: &[u8]) -> Option<Arc<str>> {
        if self.key.as_deref().unwrap_or_default().as_bytes() != key {
            self.key = (!key.is_empty()).then(|| utf8(key).into());
        }
        self.key.clone()
    }

    /// Adds the payloads of encoded lines without copying them. Returns their block, without its buffer.
    pub(crate) fn pass_on(&mut self, mut lines: Lines, batch: &mut Batch) -> Block {
        let bytes = Bytes::from(lines.take_bytes());
        for (admitted, kind, part, key) in lines.events() {
            let payload = Payload::part_of(kind, &bytes, part);
            let key = self.key(key);
            batch.push(if let Some(key) = key { payload.with_key(key) } else { payload }, admitted.into());
        }
        lines.into_block()
    }

    /// Adds the payloads of the lines that were written.
    pub(crate) fn finish(&mut self, batch: &mut Batch) {
        let mut bytes = std::mem::take(&mut self.bytes);
        if bytes.capacity() > self.planned {
            bytes.shrink_to_fit();
        }
        let bytes = Bytes::from(bytes);
        for Line { mark, kind, key, part } in self.lines.drain(..) {
            let payload = Payload::part_of(kind, &bytes, part);
            batch.push(if let Some(key) = key { payload.with_key(key) } else { payload }, mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BatchBuffer, MAX_SPARE, SPARE_SIZES, buffers_of};
    use crate::queue::batch::Batch;
    use crate::queue::mark::Mark;
    use jkool_model::{Entity, Event};

    fn mark() -> Mark {
        Mark::default()
    }

    fn batch(buffer: &mut BatchBuffer, messages: &[String]) -> Batch {
        buffer.make_room_for(messages.iter().map(|message| message.len() + 200).sum());
        for message in messages {
            let mut event = Event::default();
            (event.operation, event.message) = ("op".into(), message.clone().into());
            buffer.write_entity(mark(), &Entity::from(event));
        }
        let mut batch = Batch::default();
        buffer.finish(&mut batch);
        batch
    }

    fn reuse(buffer: &mut BatchBuffer, batch: Batch) {
        buffers_of(batch.payloads).for_each(|bytes| buffer.keep(bytes));
    }

    fn messages(len: usize) -> Vec<String> {
        (0..40).map(|number| format!("{number}{}", "x".repeat(len))).collect()
    }

    #[test]
    fn the_payloads_of_a_batch_follow_each_other_on_one_buffer() {
        let batch = batch(&mut BatchBuffer::default(), &messages(100));
        let ends = batch.payloads.windows(2).map(|pair| {
            let (first, second) = (pair[0].body().as_ptr_range(), pair[1].body().as_ptr_range());
            // The line break between them.
            assert_eq!(first.end.wrapping_add(1), second.start);
        });
        assert_eq!(ends.count(), 39);
        for (payload, message) in batch.payloads.iter().zip(messages(100)) {
            assert_eq!(serde_json::from_slice::<Event>(payload.body()).unwrap().message, message);
            assert_eq!(payload.key(), Some("op"));
        }
    }

    #[test]
    fn a_buffer_is_used_again_when_nobody_holds_it() {
        let mut buffer = BatchBuffer::default();
        let first = batch(&mut buffer, &messages(1_000));
        let place = first.payloads[0].body().as_ptr();
        reuse(&mut buffer, first);
        let second = batch(&mut buffer, &messages(900));
        assert_eq!(second.payloads[0].body().as_ptr(), place);
        let held = second.payloads[7].clone();
        reuse(&mut buffer, second);
        let third = batch(&mut buffer, &messages(900));
        assert_ne!(third.payloads[0].body().as_ptr(), place);
        assert_eq!(serde_json::from_slice::<Event>(held.body()).unwrap().message, messages(900)[7]);
    }

    #[test]
    fn few_buffers_are_kept_and_none_that_is_small_or_huge() {
        let mut buffer = BatchBuffer::default();
        let lens = [1, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 100_000];
        let batches: Vec<_> = lens.iter().map(|len| batch(&mut buffer, &messages(*len))).collect();
        batches.into_iter().for_each(|batch| reuse(&mut buffer, batch));
        assert_eq!(buffer.spare.len(), MAX_SPARE);
        assert!(buffer.spare.iter().all(|spare| SPARE_SIZES.contains(&spare.capacity()) && spare.capacity() > 120_000));
    }
}
