//! Properties that hold whatever happened to a segment: the tests check them with random bytes, `fuzz/` with a fuzzer.

use super::{Contents, Head, Identity, encode, has_ended, is_mark, mark, mark_offset, read, read_as, weight};
use crate::queue::lane::Lane;
use jkool_transport::{Kind, Payload};

const NAME: Identity = Identity { writer: 0x1234_5678, number: 1 };

/// For any bytes, with any name: nothing is read that is not there, what was read can be written again, and marking it as ended
/// changes nothing else.
pub(crate) fn any_bytes(bytes: &[u8]) {
    let other = match Head::read(bytes) {
        Head::Whole { identity, .. } => identity,
        Head::Newer | Head::Damaged => Identity { writer: 0, number: u64::MAX },
    };
    for name in [NAME, other] {
        let contents = read(bytes, name);
        assert!([name, other].contains(&contents.identity));
        let payloads = payloads(&contents);
        // A weight includes a mark.
        let size: u64 = payloads.iter().map(|payload| weight(payload) - 4).sum();
        assert!(size <= bytes.len() as u64);
        // A missing header counts as damaged.
        assert!(contents.damaged <= Head::LEN.max(bytes.len() as u64));
        marks_are_apart(bytes, &contents, &payloads);
        if !payloads.is_empty() {
            survive(&payloads, contents.identity);
        }
    }
}

fn payloads(contents: &Contents<'_>) -> Vec<Payload> {
    contents.records.values().map(|record| record.payload()).collect()
}

fn marks_are_apart(bytes: &[u8], contents: &Contents<'_>, payloads: &[Payload]) {
    let mut marked = bytes.to_vec();
    for index in 0..contents.marks {
        let at = mark_offset(index) as usize;
        marked[at..at + 4].copy_from_slice(&mark(contents.identity, index));
    }
    assert!((0..contents.marks).all(|index| has_ended(&marked, contents.identity, index)));
    let again = read_as(&marked, contents.identity);
    assert_eq!(self::payloads(&again), payloads);
    assert!(again.records.keys().eq(contents.records.keys()));
    assert!(again.damaged <= contents.damaged);
}

/// What is written is read, completely and as open.
fn survive(payloads: &[Payload], identity: Identity) -> Vec<u8> {
    let bytes = encode(identity, Lane::Normal, &payloads.iter().collect::<Vec<_>>()).unwrap();
    let weight: u64 = payloads.iter().map(weight).sum();
    assert_eq!(bytes.len() as u64, Head::LEN + weight);
    let contents = read(&bytes, identity);
    assert_eq!((contents.identity, contents.damaged), (identity, 0));
    assert_eq!(contents.marks as usize, payloads.len());
    assert_eq!(self::payloads(&contents), payloads);
    for index in 0..contents.marks {
        assert!(is_mark(&bytes, identity, index) && !has_ended(&bytes, identity, index));
    }
    bytes
}

/// For payloads and up to three damages, all derived from `plan`: each record without damage is read as it was written, and
/// nothing is read that was not written.
pub(crate) fn damaged(plan: &[u8]) {
    let mut plan = Plan(plan);
    let payloads: Vec<_> = (0..=plan.byte() % 6).map(|_| plan.payload()).collect();
    let written = survive(&payloads, NAME);
    // Each byte with the position that it was written to.
    let mut bytes: Vec<_> = written.iter().copied().zip(0..).map(|(byte, at)| (byte, Some(at))).collect();
    for _ in 0..plan.byte() % 4 {
        plan.damage(&mut bytes);
    }
    let (bytes, places): (Vec<u8>, Vec<Option<usize>>) = bytes.into_iter().unzip();
    let contents = read(&bytes, NAME);
    for (index, record) in &contents.records {
        assert_eq!(Some(&record.payload()), payloads.get(*index as usize));
    }
    let mut start = Head::LEN as usize + 4 * payloads.len();
    for (index, payload) in (0..).zip(&payloads) {
        let len = weight(payload) as usize - 4;
        let whole: Vec<_> = (start..start + len).map(Some).collect();
        if places.windows(len).any(|window| window == whole) {
            assert!(contents.records.contains_key(&index), "record {index} of {}", payloads.len());
        }
        start += len;
    }
    any_bytes(&bytes);
}

/// Bytes that determine the test case; zeros at the end.
struct Plan<'a>(&'a [u8]);

impl<'a> Plan<'a> {
    fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or_default()
    }

    fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A text, as JSON is: with bytes that no text contains it could contain a record, which is read if the one around it is
    /// damaged.
    fn text(&mut self, len: usize) -> String {
        String::from_utf8_lossy(self.bytes(len)).replace(char::is_control, " ")
    }

    fn place(&mut self, len: usize) -> usize {
        usize::from(u16::from_le_bytes([self.byte(), self.byte()])) % (len + 1)
    }

    fn payload(&mut self) -> Payload {
        const KINDS: [Kind; 5] = [Kind::Event, Kind::Activity, Kind::Snapshot, Kind::Log, Kind::Dataset];
        let (kind, key, body) = (self.byte(), self.byte(), self.byte());
        let key = (key % 3 > 0).then(|| self.text(usize::from(key / 8)));
        let payload = Payload::new(KINDS[usize::from(kind) % KINDS.len()], self.text(usize::from(body)));
        match key {
            Some(key) => payload.with_key(key),
            None => payload,
        }
    }

    fn damage(&mut self, bytes: &mut Vec<(u8, Option<usize>)>) {
        let (kind, a, b) = (self.byte() % 5, self.place(bytes.len()), self.place(bytes.len()));
        let (from, to) = (a.min(b), a.max(b));
        match kind {
            0 => bytes.truncate(to),
            1 => drop(bytes.drain(from..to)),
            2 => bytes.extend_from_within(from..to),
            3 => {
                let doubled = bytes[from..to].to_vec();
                bytes.splice(from..from, doubled);
            }
            _ => {
                let flip = self.byte() | 1;
                for (byte, place) in bytes.iter_mut().skip(from).take(1 + (to - from) % 8) {
                    (*byte, *place) = (*byte ^ flip, None);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RECORD_MAGIC, encode};
    use super::{NAME, any_bytes, damaged};
    use crate::queue::lane::Lane;
    use jkool_transport::{Kind, Payload};
    use proptest::collection::vec;
    use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
    use proptest::sample::Index;

    proptest! {
        // Segments in one file, whole or cut.
        #[test]
        fn the_laws_hold_for_pieces(pieces in vec((any::<[Index; 2]>(), any::<bool>(), prop_oneof![
            vec(any::<u8>(), 0..16),
            vec(".{0,9}", 1..4).prop_map(segment),
            Just(RECORD_MAGIC.to_vec()),
        ]), 0..6)) {
            let cut = |(ends, is_whole, piece): &([Index; 2], bool, Vec<u8>)| {
                let [a, b] = ends.map(|end| end.index(piece.len() + 1));
                if *is_whole { piece.clone() } else { piece[a.min(b)..a.max(b)].to_vec() }
            };
            any_bytes(&pieces.iter().flat_map(cut).collect::<Vec<_>>());
        }

        #[test]
        fn what_no_damage_hit_is_read(plan in vec(any::<u8>(), 0..300)) {
            damaged(&plan);
        }
    }

    fn segment(bodies: Vec<String>) -> Vec<u8> {
        let payloads: Vec<_> = bodies.into_iter().map(|body| Payload::new(Kind::Event, body).with_key("k")).collect();
        encode(NAME, Lane::Normal, &payloads.iter().collect::<Vec<_>>()).unwrap()
    }
}
