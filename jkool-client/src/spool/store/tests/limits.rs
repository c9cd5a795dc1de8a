//! How much there may be of everything.

use super::{corrupt, open, open_as, payload, reopen, slot, write};
use crate::queue::lane::Lane;
use crate::spool::fake_disk::FakeDisk;
use crate::spool::segment::{self, Identity};
use crate::spool::settings::Spool;

#[test]
fn there_is_room_for_as_much_as_was_asked() {
    let disk = FakeDisk::default();
    let (mut store, _) = open_as(&disk, &Spool::new("/spool").max_bytes(20_480));
    assert!(store.has_room(16_000));
    assert!(!store.has_room(20_480) && !store.has_room(u64::MAX));
    let segment = write(&mut store, &["a", "b"]);
    assert_eq!(store.size().0, 4096);
    assert!(store.has_room(12_000) && !store.has_room(16_384));
    let large = payload(&"x".repeat(5_000));
    assert!((5_000..5_100).contains(&segment::weight(&large)));
    store.write(Lane::Normal, &[&large]).unwrap();
    assert_eq!(store.size().0, 3 * 4096);
    store.end(&[slot(segment, 0)]);
    assert_eq!(store.size().0, 3 * 4096);
    store.end(&[slot(segment, 1)]);
    assert_eq!(store.size().0, 2 * 4096);
    drop(store);
    assert_eq!(open(&disk).0.size().0, 2 * 4096);
}

#[test]
fn damaged_files_are_few_and_all_are_counted() {
    let disk = FakeDisk::default();
    for number in 1..=30 {
        let identity = Identity { writer: 1, number };
        disk.put(&format!("{:016x}/{identity}.segment", 1), "x".repeat(100));
    }
    assert_eq!(reopen(&disk).damaged_bytes, 3_000);
    assert_eq!(corrupt(&disk), 16);
    // The same name again does not take the place of the first.
    disk.delete(&format!("{}.corrupt", Identity { writer: 1, number: 2 }));
    disk.put(&format!("{:016x}/{}.segment", 1, Identity { writer: 1, number: 1 }), "y");
    assert_eq!(reopen(&disk).damaged_bytes, 36, "a header's length at least");
    let files = disk.files();
    let first = Identity { writer: 1, number: 1 };
    assert_eq!(files[&format!("{first}.corrupt")].len(), 100);
    assert_eq!(files[&format!("{first}.2.corrupt")], b"y");
    assert_eq!(files.len(), 16);
}

#[test]
fn a_power_cut_leaves_the_dead_letters() {
    let disk = FakeDisk::default();
    let (mut store, _) = open(&disk);
    store.dead_letter(b"{\"a\":1}").unwrap();
    store.dead_letter(b"{\"b\":2}").unwrap();
    store.sync_dead_letters().unwrap();
    store.dead_letter(b"{\"c\":3}").unwrap();
    disk.power_cut();
    assert_eq!(disk.files()["dead-letters.jsonl"], b"{\"a\":1}\n{\"b\":2}\n");
}

#[test]
fn dead_letters_make_room_for_newer_ones() {
    let disk = FakeDisk::default();
    let (mut store, _) = open_as(&disk, &Spool::new("/spool").max_bytes(16 * 1_000));
    for number in 0..100 {
        store.dead_letter(format!("{{\"number\":{number:030}}}").as_bytes()).unwrap();
        let files = disk.files();
        assert!(files.values().all(|bytes| bytes.len() <= 1_000));
        let text = String::from_utf8(files["dead-letters.jsonl"].clone()).unwrap();
        assert!(text.ends_with(&format!("{number:030}}}\n")));
    }
    let old = String::from_utf8(disk.files()["dead-letters.old.jsonl"].clone()).unwrap();
    assert_eq!(old.lines().count(), 1_000 / "{\"number\":000000000000000000000000000000}\n".len());
    // One that is larger than all may be is kept all the same, alone.
    store.dead_letter(&[b'x'; 5_000]).unwrap();
    assert_eq!(disk.files()["dead-letters.jsonl"].len(), 5_001);
}

#[test]
fn a_letter_that_was_cut_does_not_spoil_the_next() {
    let disk = FakeDisk::default();
    let (mut store, _) = open(&disk);
    store.dead_letter(b"{\"a\":1}").unwrap();
    // The file's size is asked first.
    disk.fail(2, std::io::ErrorKind::StorageFull);
    let error = store.dead_letter(b"{\"b\":2}").unwrap_err().to_string().replace('\\', "/");
    assert!(error.starts_with("spool /spool/dead-letters.jsonl: can't write: "), "{error}");
    store.dead_letter(b"{\"c\":3}").unwrap();
    let text = String::from_utf8(disk.files()["dead-letters.jsonl"].clone()).unwrap();
    assert_eq!(text, "{\"a\":1}\n{\"b\"\n{\"c\":3}\n");
}
