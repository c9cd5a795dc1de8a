//! Damage at every byte of a spool of three segments.

use super::{corrupt, drain, open, payload, reopen, slot};
use crate::queue::lane::Lane;
use crate::spool::fake_disk::FakeDisk;
use crate::spool::segment::{self, Identity};
use crate::spool::store::Left;
use jkool_transport::Payload;
use std::collections::BTreeSet;

const WRITER: u64 = 0x5157_0000_0000_0001;

struct Written {
    name: String,
    bytes: Vec<u8>,
    /// As it was before any record had ended.
    fresh: Vec<u8>,
    /// Each body, the bytes of its record, and whether it has ended.
    records: Vec<(String, Vec<u8>, bool)>,
}

/// Three segments of three records; one record of the second has ended.
fn written() -> Vec<Written> {
    let segment = |number: u64| {
        let identity = Identity { writer: WRITER, number };
        let bodies: Vec<String> = (0..3).map(|index| format!("{{{number}:{index}}}")).collect();
        let payloads: Vec<Payload> = bodies.iter().map(|body| payload(body)).collect();
        let mut bytes = segment::encode(identity, Lane::Normal, &payloads.iter().collect::<Vec<_>>()).unwrap();
        let mut at = segment::mark_offset(3) as usize;
        let mut records = Vec::new();
        for (index, (body, payload)) in bodies.into_iter().zip(&payloads).enumerate() {
            let end = at + segment::weight(payload) as usize - 4;
            records.push((body, bytes[at..end].to_vec(), (number, index) == (2, 1)));
            at = end;
        }
        assert_eq!(at, bytes.len());
        let fresh = bytes.clone();
        if number == 2 {
            let place = segment::mark_offset(1) as usize;
            bytes[place..place + 4].copy_from_slice(&segment::mark(identity, 1));
        }
        Written { name: format!("{identity}.segment"), bytes, fresh, records }
    };
    (1..=3).map(segment).collect()
}

type Files = Vec<(String, Vec<u8>)>;

fn files() -> Files {
    written().into_iter().map(|segment| (segment.name, segment.bytes)).collect()
}

/// Every byte of the three: its file, and its place in that.
fn places() -> impl Iterator<Item = (usize, usize)> {
    files().into_iter().enumerate().flat_map(|(file, (_, bytes))| (0..bytes.len()).map(move |at| (file, at)))
}

fn disk(files: &Files) -> FakeDisk {
    let disk = FakeDisk::default();
    for (name, bytes) in files {
        disk.put(&format!("{WRITER:016x}/{name}"), bytes.clone());
    }
    disk
}

/// What is known of the record that has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Surely,
    /// Its mark is damaged, or not where it was.
    Perhaps,
}

/// A process finds those files. A simple mind says which records are whole: those whose bytes are in any of them.
fn check(what: &str, files: &Files, known: Ended) {
    let written = written();
    let disk = disk(files);
    let (mut store, found) = open(&disk);
    let drained = drain(&mut store, found);
    let loaded: BTreeSet<&str> = drained.bodies.iter().map(String::as_str).collect();
    assert_eq!(loaded.len(), drained.bodies.len(), "{what}: loaded twice: {:?}", drained.bodies);
    let (mut all, mut gone) = (BTreeSet::new(), 0);
    for (body, record, ended) in written.iter().flat_map(|segment| &segment.records) {
        all.insert(body.as_str());
        let whole = files.iter().any(|(_, bytes)| bytes.windows(record.len()).any(|window| window == record));
        gone += usize::from(!whole && !ended);
        if !ended || !whole || known == Ended::Surely {
            assert_eq!(loaded.contains(body.as_str()), whole && !ended, "{what}: {body}, of {loaded:?}");
        }
    }
    assert!(loaded.is_subset(&all), "{what}: never written: {loaded:?}");
    assert!(gone <= drained.lost || drained.damaged_bytes > 0, "{what}: a loss is not counted");
    let whole = |bytes: &Vec<u8>| written.iter().any(|segment| [&segment.bytes, &segment.fresh].contains(&bytes));
    let damaged = files.iter().filter(|(_, bytes)| !whole(bytes)).count();
    assert_eq!(corrupt(&disk), damaged, "{what}: {:?}", disk.names());
    store.close();
    assert_eq!(disk.names().len(), 1 + damaged, "{what}: {:?}", disk.names());
    assert!(reopen(&disk).bodies.is_empty(), "{what}");
}

#[test]
fn undamaged_it_is_whole() {
    check("undamaged", &files(), Ended::Surely);
}

#[test]
fn a_flipped_byte_costs_no_more_than_its_record() {
    let mark = segment::mark_offset(1) as usize..segment::mark_offset(2) as usize;
    for (file, at) in places() {
        for flip in [0x01, 0x80, 0xFF] {
            let mut files = files();
            files[file].1[at] ^= flip;
            let known = if file == 1 && mark.contains(&at) { Ended::Perhaps } else { Ended::Surely };
            check(&format!("byte {at} of file {file} ^ {flip}"), &files, known);
        }
    }
}

#[test]
fn what_is_left_of_a_cut_file_is_whole() {
    for (file, at) in places() {
        let len = files()[file].1.len();
        for cut in [at..len, 0..at + 1, at..(at + 20).min(len)] {
            let mut files = files();
            files[file].1.drain(cut.clone());
            check(&format!("file {file} without {cut:?}"), &files, Ended::Perhaps);
        }
    }
}

#[test]
fn what_is_there_twice_is_loaded_once() {
    for (file, at) in places() {
        for len in [1, 4, 40, 100, 1_000] {
            let mut files = files();
            let bytes = &mut files[file].1;
            let again = bytes[at..(at + len).min(bytes.len())].to_vec();
            bytes.splice(at..at, again);
            check(&format!("{len} bytes from {at} of file {file} twice"), &files, Ended::Perhaps);
        }
    }
}

#[test]
fn what_changes_its_place_is_found() {
    for (file, at) in places() {
        for len in [4, 34, 60] {
            let mut files = files();
            let bytes = &mut files[file].1;
            if at + 2 * len <= bytes.len() {
                bytes[at..at + 2 * len].rotate_left(len);
                check(&format!("{len} bytes from {at} of file {file} and the next"), &files, Ended::Perhaps);
            }
        }
    }
}

#[test]
fn files_that_change_names_are_what_they_were() {
    for [a, b] in [[0, 1], [1, 2], [0, 2]] {
        let mut files = files();
        let name = files[a].0.clone();
        files[a].0 = std::mem::replace(&mut files[b].0, name);
        check(&format!("{a} and {b} swapped"), &files, Ended::Surely);
    }
}

#[test]
fn a_file_that_is_there_again_is_set_aside() {
    let disk = disk(&files());
    for (name, bytes) in files() {
        disk.put(&format!("{:016x}/{name}", WRITER + 1), bytes);
    }
    let (_, copy) = files().swap_remove(0);
    disk.put(&format!("{WRITER:016x}/{}.segment", Identity { writer: 9, number: 9 }), copy);
    let drained = reopen(&disk);
    assert_eq!(drained.bodies.iter().collect::<BTreeSet<_>>().len(), 8);
    assert_eq!((drained.bodies.len(), corrupt(&disk)), (8, 4));
}

/// Pieces of one segment written over another: its own records that are still whole count, and no other.
#[test]
fn another_segments_bytes_are_damage() {
    let written = written();
    for (file, at) in places() {
        for (other, len) in [(0, 8), (1, 34), (2, 70)] {
            let mut files = files();
            let bytes = &mut files[file].1;
            let end = (at + len).min(bytes.len());
            bytes[at..end].copy_from_slice(&written[other].bytes[at..end]);
            check(&format!("{at}..{end} of file {other} over that of {file}"), &files, Ended::Perhaps);
        }
    }
}

#[test]
fn a_record_that_was_moved_to_another_segment_is_lost() {
    let written = written();
    for (from, to) in [(0, 1), (1, 2), (2, 0)] {
        let mut files = files();
        let (body, record, _) = &written[from].records[2];
        let rest = files[from].1.len() - record.len();
        files[from].1.truncate(rest);
        files[to].1.extend(record);
        let disk = disk(&files);
        let drained = reopen(&disk);
        assert_eq!((drained.bodies.len(), drained.lost), (7, 1));
        assert!(!drained.bodies.contains(body));
        assert_eq!((drained.damaged_bytes, corrupt(&disk)), (record.len() as u64, 2));
    }
}

#[test]
fn what_ends_in_a_damaged_file_has_ended() {
    for (file, at) in places() {
        let mut files = files();
        files[file].1[at] ^= 0x55;
        let disk = disk(&files);
        let (mut store, found) = open(&disk);
        let (mut open, mut lost) = (BTreeSet::new(), 0);
        for Left { segment, .. } in found.segments {
            let mut loaded = store.load(segment).unwrap();
            store.end(&[slot(segment, loaded.records.swap_remove(0).0)]);
            open.extend(loaded.records.iter().map(|(_, payload)| String::from_utf8(payload.body().to_vec()).unwrap()));
            lost += loaded.lost.len();
        }
        drop(store);
        let drained = reopen(&disk);
        assert_eq!(drained.bodies.into_iter().collect::<BTreeSet<_>>(), open, "byte {at} of file {file}");
        assert_eq!(drained.lost, lost);
    }
}

/// A file that has lost a part of its marks, so that its records are where the marks should be.
#[test]
fn no_mark_is_written_over_a_record() {
    for cut in 1..=8 {
        let mut files = files();
        files[0].1.drain(40..40 + cut);
        let disk = disk(&files);
        let (mut store, found) = open(&disk);
        let Left { segment, .. } = found.segments[0];
        assert_eq!(store.load(segment).unwrap().records.len(), 3);
        store.end(&[slot(segment, 1), slot(segment, 2)]);
        drop(store);
        let drained = reopen(&disk);
        assert!(drained.bodies.contains(&"{1:0}".to_owned()), "without {cut}: {:?}", drained.bodies);
        assert_eq!(drained.lost, 0);
    }
}
