//! The store on a disk in memory; what a real one adds is in `real_disk.rs`.

mod crash;
mod damage;
mod errors;
mod limits;
mod real_disk;

use super::{Found, SegmentId, Slot, Store};
use crate::queue::lane::Lane;
use crate::spool::disk::Disk;
use crate::spool::fake_disk::FakeDisk;
use crate::spool::segment::Identity;
use crate::spool::settings::Spool;
use crate::spool::store::Left;
use jkool_transport::{Kind, Payload};

fn payload(body: &str) -> Payload {
    Payload::new(Kind::Event, body.to_owned()).with_key("key")
}

fn open(disk: &FakeDisk) -> (Store, Found) {
    open_as(disk, &Spool::new("/spool"))
}

fn open_as(disk: &FakeDisk, settings: &Spool) -> (Store, Found) {
    Store::open(settings, Box::new(disk.clone()), fastrand::u64(..)).unwrap()
}

fn write(store: &mut Store, bodies: &[&str]) -> SegmentId {
    let payloads: Vec<Payload> = bodies.iter().map(|body| payload(body)).collect();
    store.write(Lane::Normal, &payloads.iter().collect::<Vec<_>>()).unwrap()
}

fn slot(segment: SegmentId, index: u32) -> Slot {
    Slot { segment, index }
}

/// All that is found, loaded, and then ended.
#[derive(Debug, Default)]
struct Drained {
    bodies: Vec<String>,
    lost: usize,
    damaged_bytes: u64,
}

fn drain(store: &mut Store, found: Found) -> Drained {
    let mut drained = Drained { damaged_bytes: found.damaged_bytes, ..Drained::default() };
    for Left { segment, open, .. } in found.segments {
        let loaded = store.load(segment).unwrap();
        let of = |index: &u32| slot(segment, *index);
        let slots: Vec<Slot> =
            loaded.records.iter().map(|(index, _)| of(index)).chain(loaded.lost.iter().map(of)).collect();
        assert_eq!(slots.len(), open as usize);
        drained
            .bodies
            .extend(loaded.records.iter().map(|(_, payload)| String::from_utf8(payload.body().to_vec()).unwrap()));
        drained.lost += loaded.lost.len();
        drained.damaged_bytes += loaded.damaged_bytes;
        store.end(&slots);
    }
    assert_eq!(store.size().0, 0);
    drained
}

/// What the next process finds; everything is gone after it but what was set aside.
fn reopen(disk: &FakeDisk) -> Drained {
    let (mut store, found) = open(disk);
    let drained = drain(&mut store, found);
    store.close();
    drained
}

fn corrupt(disk: &FakeDisk) -> usize {
    corrupt_files(&disk.names())
}

fn corrupt_files(names: &[String]) -> usize {
    names.iter().filter(|name| name.ends_with(".corrupt")).count()
}

#[test]
fn what_is_written_is_there_for_the_next_process_in_its_order() {
    let disk = FakeDisk::default();
    let (mut store, found) = open(&disk);
    assert!(found.segments.is_empty());
    write(&mut store, &["a", "b"]);
    write(&mut store, &["c"]);
    drop(store);
    let (mut store, found) = open(&disk);
    assert_eq!(found.segments.iter().map(|left| left.open).collect::<Vec<_>>(), [2, 1]);
    // What it took over is older than what it wrote, for the one after it too.
    write(&mut store, &["d"]);
    drop(store);
    let drained = reopen(&disk);
    assert_eq!(drained.bodies, ["a", "b", "c", "d"]);
    assert_eq!((drained.lost, drained.damaged_bytes), (0, 0));
    assert_eq!(disk.names(), [""]);
}

#[test]
fn a_record_that_has_ended_does_not_come_back() {
    let disk = FakeDisk::default();
    let (mut store, _) = open(&disk);
    let segment = write(&mut store, &["a", "b", "c", "d"]);
    store.end(&[slot(segment, 2), slot(segment, 1)]);
    // Twice, or what never was, is nothing.
    store.end(&[slot(segment, 2), slot(segment, 9), slot(SegmentId(99), 0)]);
    assert_eq!(store.load(segment).unwrap().records.len(), 2);
    drop(store);
    let (mut store, found) = open(&disk);
    assert_eq!(found.segments[0].open, 2);
    let drained = drain(&mut store, found);
    assert_eq!(drained.bodies, ["a", "d"]);
}

#[test]
fn an_end_writes_as_little_as_it_can() {
    let disk = FakeDisk::default();
    let (mut store, _) = open(&disk);
    let segment = write(&mut store, &["a", "b", "c", "d", "e", "f"]);
    let calls = |end: &mut dyn FnMut()| {
        let before = disk.calls();
        end();
        disk.calls() - before
    };
    let [a, b, c, d, e, f] = [0, 1, 2, 3, 4, 5].map(|index| slot(segment, index));
    assert_eq!(calls(&mut || store.end(&[b, a, d])), 2, "neighbours are marked at once");
    assert_eq!(calls(&mut || store.end(&[c, e, f])), 1, "a file that is removed needs no marks");
    assert_eq!(store.size().0, 0);
}

#[test]
fn two_processes_never_touch_each_others_files() {
    let disk = FakeDisk::default();
    let (mut one, _) = open(&disk);
    let (mut two, found) = open(&disk);
    assert!(found.segments.is_empty());
    write(&mut one, &["1"]);
    write(&mut two, &["2"]);
    assert!(one.adopt().segments.is_empty());
    assert!(two.adopt().segments.is_empty());
    drop(one);
    let found = two.adopt();
    assert_eq!(drain_all(&mut two, found), ["1"]);
    assert!(two.adopt().segments.is_empty());
    drop(two);
    assert_eq!(reopen(&disk).bodies, ["2"]);
    assert_eq!(disk.names(), [""]);
}

fn drain_all(store: &mut Store, found: Found) -> Vec<String> {
    let mut bodies = Vec::new();
    for Left { segment, .. } in found.segments {
        let records = store.load(segment).unwrap().records;
        store.end(&records.iter().map(|(index, _)| slot(segment, *index)).collect::<Vec<_>>());
        bodies.extend(records.iter().map(|(_, payload)| String::from_utf8(payload.body().to_vec()).unwrap()));
    }
    bodies
}

#[test]
fn a_writer_that_is_taken_becomes_another() {
    let disk = FakeDisk::default();
    let spool = Spool::new("/spool");
    let boxed = || Box::new(disk.clone()) as Box<dyn Disk>;
    let (mut one, _) = Store::open(&spool, boxed(), 7).unwrap();
    let (two, _) = Store::open(&spool, boxed(), 7).unwrap();
    assert_ne!(one.folder, two.folder);
    // A later process with the number of one whose segments live on elsewhere starts behind them.
    write(&mut one, &["a"]);
    drop(one);
    drop(two);
    drop(Store::open(&spool, boxed(), 8).unwrap());
    let (mut again, _) = Store::open(&spool, boxed(), 7).unwrap();
    assert_eq!(again.folder, format!("{:016x}", 7));
    write(&mut again, &["b"]);
    drop(again);
    assert_eq!(reopen(&disk).bodies, ["a", "b"]);
}

#[test]
fn what_is_not_for_us_stays_where_it_is() {
    let disk = FakeDisk::default();
    let folder = format!("{:016x}", 5);
    let segment =
        crate::spool::segment::encode(Identity { writer: 5, number: 1 }, Lane::Normal, &[&payload("a")]).unwrap();
    let mut newer = segment.clone();
    newer[8] = 2;
    let checksum = crc32fast::hash(&newer[..32]).to_le_bytes();
    newer[32..36].copy_from_slice(&checksum);
    let name = |number: u64| format!("{folder}/{}.segment", Identity { writer: 5, number });
    disk.put(&name(1), segment);
    disk.put(&name(2), newer);
    disk.put(&format!("{folder}/notes.txt"), "mine");
    disk.put("notes/notes.txt", "mine too");
    let (mut store, found) = open(&disk);
    assert_eq!((found.segments.len(), found.unknown, found.damaged_bytes), (1, 1, 0));
    assert_eq!(drain(&mut store, found).bodies, ["a"]);
    // Told once.
    assert_eq!(store.adopt().unknown, 0);
    store.close();
    let left: Vec<String> = disk.files().into_keys().collect();
    assert_eq!(left, [name(2), format!("{folder}/notes.txt"), "notes/notes.txt".to_owned()]);
}

#[test]
fn what_others_own_or_link_is_left_alone() {
    let disk = FakeDisk::default();
    let encode =
        |writer| crate::spool::segment::encode(Identity { writer, number: 1 }, Lane::Normal, &[&payload("a")]).unwrap();
    let name = |writer| format!("{:016x}/{}.segment", writer, Identity { writer, number: 1 });
    for writer in 1..=4 {
        disk.put(&name(writer), encode(writer));
    }
    disk.tamper(&name(1), |file| file.ours = false);
    disk.tamper(&name(2), |file| file.kind = crate::spool::disk::FileKind::Symlink);
    disk.tamper(&format!("{:016x}", 3), |folder| folder.ours = false);
    disk.tamper(&format!("{:016x}", 4), |folder| folder.kind = crate::spool::disk::FileKind::Symlink);
    let (store, found) = open(&disk);
    assert!(found.segments.is_empty());
    store.close();
    for writer in 1..=4 {
        assert!(disk.names().contains(&name(writer)), "{writer}");
    }
}

#[test]
fn a_folder_that_is_not_ours_is_refused() {
    use crate::spool::disk::FileKind;
    type Change = fn(&mut crate::spool::fake_disk::Node);
    let cases: [(Change, &str); 5] = [
        (|folder| folder.ours = false, "belongs to another user"),
        (|folder| folder.mode = 0o720, "can be written to by other users"),
        (|folder| folder.mode = 0o702, "can be written to by other users"),
        (|folder| folder.kind = FileKind::Symlink, "is a symbolic link"),
        (|folder| folder.kind = FileKind::File, "is not a folder"),
    ];
    for (change, wrong) in cases {
        let disk = FakeDisk::default();
        open(&disk).0.close();
        disk.tamper("", change);
        let error = Store::open(&Spool::new("/x/y"), Box::new(disk.clone()), 1).err().unwrap();
        assert_eq!(error.to_string(), format!("spool /x/y: {wrong}"));
        assert_eq!(disk.names(), [""]);
    }
}
