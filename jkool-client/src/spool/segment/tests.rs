//! The format: what is written is read, and any bytes are read as something.

use super::{
    Head, Identity, KINDS, RECORD_MAGIC, WASTE, encode, has_ended, mark, mark_offset, read, read_as, scan, weight,
};
use crate::queue::lane::Lane;
use jkool_transport::{Kind, Payload};
use proptest::prelude::{Just, Strategy, any, prop, prop_assert_eq, proptest};

const ID: Identity = Identity { writer: 0x0123_4567_89AB_CDEF, number: 7 };

fn payloads(bytes: &[u8], name: Identity) -> Vec<(u32, Payload)> {
    read(bytes, name).records.iter().map(|(index, record)| (*index, record.payload())).collect()
}

fn encoded(payloads: &[Payload]) -> Vec<u8> {
    encode(ID, Lane::Normal, &payloads.iter().collect::<Vec<_>>()).unwrap()
}

fn any_payload() -> impl Strategy<Value = Payload> {
    let kind = prop::sample::select(&KINDS[..]);
    let body = prop::collection::vec(prop::sample::select(&[0_u8, 0xFF, b'r', b'e', b'c', b'{'][..]), 0..40);
    let body = prop::strategy::Union::new([body.boxed(), prop::collection::vec(any::<u8>(), 0..300).boxed()]);
    (kind, prop::option::of(any::<String>()), body).prop_map(|(kind, key, body)| {
        let payload = Payload::new(kind, body);
        match key {
            Some(key) => payload.with_key(key),
            None => payload,
        }
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(written in prop::collection::vec(any_payload(), 1..20)) {
        let bytes = encoded(&written);
        let count = written.len() as u32;
        assert_eq!(bytes.len() as u64, Head::LEN + written.iter().map(weight).sum::<u64>());
        assert_eq!(Head::read(&bytes), Head::Whole { identity: ID, lane: Lane::Normal, count });
        let contents = read(&bytes, Identity { writer: 1, number: 1 });
        assert_eq!((contents.identity, contents.damaged, contents.marks), (ID, 0, count));
        let found: Vec<_> = payloads(&bytes, ID);
        prop_assert_eq!(found, (0..).zip(written).collect::<Vec<_>>());
        assert!((0..count).all(|index| !has_ended(&bytes, ID, index)));
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let contents = read(&bytes, ID);
        assert_eq!((contents.records.len(), contents.damaged), (0, Head::LEN.max(bytes.len() as u64)));
    }

    /// Pieces of segments in any order, with anything between them: each whole record once, and no other.
    #[test]
    fn whole_records_are_found_among_anything(
        written in prop::collection::vec(any_payload(), 1..6),
        pieces in prop::collection::vec((any::<[prop::sample::Index; 2]>(), prop::collection::vec(any::<u8>(), 0..9)), 0..8),
        header in prop::strategy::Union::new([Just(true), Just(false)])
    ) {
        let bytes = encoded(&written);
        let mut mixed = if header { bytes[..Head::LEN as usize].to_vec() } else { Vec::new() };
        for (ends, between) in pieces {
            let [a, b] = ends.map(|end| end.index(bytes.len() + 1));
            mixed.extend(&bytes[a.min(b)..a.max(b)]);
            mixed.extend(between);
        }
        for (index, payload) in payloads(&mixed, ID) {
            assert_eq!(payload, written[index as usize]);
        }
    }
}

/// Files are read by later versions: this is how they look for good. The checksums were computed by Python's `zlib.crc32`.
#[test]
fn the_format_does_not_change_unawares() {
    let bytes = encoded(&[Payload::new(Kind::Log, "{}").with_key("k"), Payload::new(Kind::Event, "")]);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let header = "ff6a6b6f6f6cfe0a_0100_0000_02000000_efcdab8967452301_0700000000000000_";
    assert!(hex.starts_with(&header.replace('_', "")), "{hex}");
    let (head, body) = hex.split_at(72);
    let records: Vec<&str> = body[16..].split("ff726563").collect();
    assert_eq!((&head[64..], &body[..16], records.len()), ("67a17cd7", "0000000000000000", 3));
    assert_eq!(records[1], "0000000003010000000200000043cbe44a584b09a46b7b7d");
    assert_eq!(records[2], "0100000000ffffffff0000000080c6815280c68152");
    assert_eq!(mark(ID, 1), [0x8D, 0x9B, 0x29, 0xBD]);
    assert_eq!(mark_offset(1), 40);
}

#[test]
fn nothing_is_a_mark_but_a_mark() {
    for number in 0..2_000 {
        let identity = Identity { number, ..ID };
        let ended = mark(identity, 3);
        assert!(
            ended.iter().all(|byte| *byte != 0),
            "a flipped byte of an open record's mark could be this: {ended:?}"
        );
        assert_ne!(ended, mark(identity, 4));
        assert_ne!(ended, mark(Identity { number: number + 1, ..ID }, 3));
    }
}

#[test]
fn a_record_counts_only_where_it_was_written() {
    let one = encoded(&[Payload::new(Kind::Event, "{}")]);
    let elsewhere = Identity { number: 8, ..ID };
    assert!(read_as(&one, elsewhere).records.is_empty());
    let mut both = encode(elsewhere, Lane::Normal, &[&Payload::new(Kind::Event, "[]")]).unwrap();
    both.extend(&one[Head::LEN as usize + 4..]);
    let contents = read(&both, elsewhere);
    assert_eq!((contents.records.len(), contents.damaged), (1, one.len() as u64 - Head::LEN - 4));
}

#[test]
fn a_newer_format_is_told_from_damage() {
    for place in [8, 10] {
        let mut bytes = encoded(&[Payload::new(Kind::Event, "{}")]);
        bytes[place] += 2;
        assert_eq!(Head::read(&bytes), Head::Damaged);
        let checksum = crc32fast::hash(&bytes[..32]).to_le_bytes();
        bytes[32..36].copy_from_slice(&checksum);
        assert_eq!(Head::read(&bytes), Head::Newer);
    }
}

#[test]
fn an_empty_segment_is_refused() {
    assert!(encode(ID, Lane::Normal, &[]).is_err());
}

#[test]
fn a_name_is_read_as_it_is_written() {
    assert_eq!(ID.to_string(), "0123456789abcdef-0000000000000007");
    assert_eq!(Identity::parse(&ID.to_string()), Some(ID));
    for name in ["", "-", "0123456789ABCDEF-0000000000000007", "123-7", "0123456789abcdef-+000000000000007"] {
        assert_eq!(Identity::parse(name), None);
    }
}

/// Records that all start and never end: as many as fit, each with a head that checks out and a body up to the file's end.
#[test]
fn a_nasty_file_takes_no_more_than_a_multiple_of_its_length() {
    let nasty = |heads: usize| {
        let mut bytes = Vec::new();
        for index in 0..heads {
            let body = (heads - index - 1) * 25;
            let mut head =
                [&index.to_le_bytes()[..4], &[0], &u32::MAX.to_le_bytes(), &body.to_le_bytes()[..4]].concat();
            let mut hasher = ID.hasher();
            hasher.update(&head);
            head.extend(hasher.finalize().to_le_bytes());
            bytes.extend(RECORD_MAGIC);
            bytes.extend(head);
            bytes.extend([0; 4]);
        }
        bytes
    };
    let read_in_vain = |bytes: &[u8], budget: usize| {
        let mut left = budget;
        assert!(scan(bytes, ID, &mut left).records.is_empty());
        budget - left
    };
    let bytes = nasty(1_000);
    assert!(read_in_vain(&bytes, usize::MAX) > 400 * bytes.len(), "the file is not nasty");
    let bytes = nasty(200_000);
    assert!(read_in_vain(&bytes, WASTE * bytes.len()) <= WASTE * bytes.len());
    // Only magics: none has a head that checks out.
    let bytes = RECORD_MAGIC.repeat(1_000_000);
    assert_eq!(read_in_vain(&bytes, WASTE * bytes.len()), 0);
}
