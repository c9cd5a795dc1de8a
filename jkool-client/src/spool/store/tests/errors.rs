//! A disk that refuses any call, once or for good.

use super::{corrupt, drain, open, payload, reopen, slot, write};
use crate::queue::lane::Lane;
use crate::spool::fake_disk::FakeDisk;
use crate::spool::segment::Identity;
use crate::spool::settings::Spool;
use crate::spool::store::Left;
use crate::spool::store::{Name, Store};
use std::io::ErrorKind;

/// The file is made, written and synced, and renamed, and its folder is synced.
const CALLS_OF_A_WRITE: usize = 5;

#[test]
fn a_failed_write_leaves_nothing() {
    for n in 0..CALLS_OF_A_WRITE {
        for for_good in [false, true] {
            let disk = FakeDisk::default();
            let (mut store, _) = open(&disk);
            write(&mut store, &["before"]);
            let bytes = store.size().0;
            if for_good {
                disk.break_from(n, ErrorKind::StorageFull);
            } else {
                disk.fail(n, ErrorKind::StorageFull);
            }
            let error = store.write(Lane::Normal, &[&payload("failed"), &payload("failed too")]).unwrap_err();
            assert!(error.to_string().starts_with("spool /spool: can't write: "), "{error}");
            assert_eq!(store.size().0, bytes);
            store.tidy();
            disk.mend();
            write(&mut store, &["after"]);
            store.tidy();
            assert_eq!(disk.files().len(), 2, "call {n} leaves litter: {:?}", disk.names());
            disk.kill();
            assert_eq!(reopen(&disk).bodies, ["before", "after"], "call {n}");
            assert_eq!(disk.names(), [""]);
        }
    }
    let disk = FakeDisk::default();
    let (mut store, _) = open(&disk);
    let before = disk.calls();
    write(&mut store, &["a"]);
    assert_eq!(disk.calls() - before, CALLS_OF_A_WRITE);
}

#[test]
fn what_the_disk_refuses_at_an_end_is_made_good_later() {
    let disk = FakeDisk::default();
    let (mut store, _) = open(&disk);
    let marked = write(&mut store, &["a", "b", "c"]);
    let removed = write(&mut store, &["d"]);
    disk.break_all(ErrorKind::PermissionDenied);
    store.end(&[slot(marked, 0), slot(marked, 2), slot(removed, 0)]);
    assert_eq!(store.size().0, 2 * 4096);
    store.tidy();
    disk.mend();
    store.tidy();
    assert_eq!(store.size().0, 4096);
    drop(store);
    assert_eq!(reopen(&disk).bodies, ["b"]);
    assert_eq!(disk.names(), [""]);
}

#[test]
fn a_failed_load_is_tried_again_and_a_vanished_file_is_lost() {
    let disk = FakeDisk::default();
    let (mut store, _) = open(&disk);
    let segment = write(&mut store, &["a", "b", "c"]);
    store.end(&[slot(segment, 1)]);
    disk.fail(0, ErrorKind::PermissionDenied);
    assert!(store.load(segment).unwrap_err().to_string().starts_with("spool /spool: can't read: "));
    assert_eq!(store.load(segment).unwrap().records.len(), 2);
    disk.delete(disk.files().keys().next().unwrap());
    let loaded = store.load(segment).unwrap();
    assert_eq!((loaded.records.len(), loaded.lost, loaded.damaged_bytes), (0, vec![0, 2], 0));
    store.end(&[slot(segment, 0), slot(segment, 2)]);
    assert_eq!(store.size().0, 0);
    store.close();
    assert_eq!(disk.names(), [""]);
}

/// A dead process' segments, one of them damaged.
fn orphans() -> FakeDisk {
    let disk = FakeDisk::default();
    let (mut store, _) = open(&disk);
    for bodies in [["a", "b"], ["c", "d"], ["e", "f"]] {
        write(&mut store, &bodies);
    }
    let path = store.path(Name { place: 2, identity: Identity { writer: store.writer, number: 2 } });
    drop(store);
    disk.tamper(&path, |file| file.bytes.fill(0));
    disk
}

#[test]
fn an_open_that_fails_can_be_tried_again() {
    for n in 0.. {
        let disk = orphans();
        disk.fail(n, ErrorKind::PermissionDenied);
        let opened = Store::open(&Spool::new("/spool"), Box::new(disk.clone()), 1);
        let over = !disk.has_failed();
        disk.mend();
        let (mut store, found) = opened.unwrap_or_else(|error| {
            assert!(error.to_string().contains("permission denied"), "{error}");
            open(&disk)
        });
        let mut drained = drain(&mut store, found);
        let found = store.adopt();
        let rest = drain(&mut store, found);
        drained.bodies.extend(rest.bodies);
        drained.bodies.sort();
        assert_eq!(drained.bodies, ["a", "b", "e", "f"], "call {n}");
        assert!(drained.damaged_bytes + rest.damaged_bytes > 0, "call {n}");
        assert_eq!(corrupt(&disk), 1, "call {n}");
        store.close();
        reopen(&disk);
        assert_eq!(disk.names().len(), 2, "call {n} leaves litter: {:?}", disk.names());
        if over {
            break;
        }
    }
}

#[test]
fn a_damaged_file_that_can_not_be_set_aside_now_is_set_aside_later() {
    let disk = FakeDisk::default();
    let (mut store, _) = open(&disk);
    write(&mut store, &["a", "b"]);
    let path = disk.files().into_keys().next().unwrap();
    drop(store);
    disk.tamper(&path, |file| *file.bytes.last_mut().unwrap() ^= 1);
    let (mut store, found) = open(&disk);
    let Left { segment, .. } = found.segments[0];
    let loaded = store.load(segment).unwrap();
    assert_eq!((loaded.records.len(), loaded.lost), (1, vec![1]));
    assert_eq!(store.load(segment).unwrap().damaged_bytes, 0, "told once");
    disk.break_all(ErrorKind::PermissionDenied);
    store.end(&[slot(segment, 0), slot(segment, 1)]);
    disk.mend();
    assert_eq!(corrupt(&disk), 0);
    store.tidy();
    assert_eq!((corrupt(&disk), store.size().0), (1, 0));
    drop(store);
    let drained = reopen(&disk);
    assert_eq!((drained.bodies.len(), drained.lost, drained.damaged_bytes), (0, 0, 0));
}

#[test]
fn what_a_failed_write_left_is_not_forgotten_by_the_next() {
    let disk = FakeDisk::default();
    let (mut store, _) = open(&disk);
    disk.break_from(1, ErrorKind::StorageFull);
    store.write(Lane::Normal, &[&payload("a")]).unwrap_err();
    assert_eq!(disk.files().len(), 1);
    disk.fail(0, ErrorKind::StorageFull);
    store.write(Lane::Normal, &[&payload("b")]).unwrap_err();
    disk.mend();
    store.tidy();
    assert!(disk.files().is_empty(), "{:?}", disk.names());
}

#[test]
fn a_disk_that_the_spool_has_filled_is_emptied_by_it() {
    let disk = FakeDisk::default();
    for bodies in [["a", "b"], ["c", "d"]] {
        let (mut store, found) = open(&disk);
        drain(&mut store, found);
        write(&mut store, &bodies);
        write(&mut store, &["e"]);
        disk.kill();
    }
    disk.set_full(true);
    let (mut store, found) = open(&disk);
    assert_eq!(drain(&mut store, found).bodies, ["c", "d", "e"]);
    let payloads = [payload("f")];
    let error = store.write(Lane::Normal, &payloads.iter().collect::<Vec<_>>()).unwrap_err();
    assert!(error.is_full(), "{error}");
    // There is room again, for what it wrote has gone.
    disk.set_full(false);
    write(&mut store, &["f"]);
    drop(store);
    disk.kill();
    assert_eq!(reopen(&disk).bodies, ["f"]);
    assert_eq!(disk.names().len(), 1, "{:?}", disk.names());
}

#[test]
fn a_full_disk_with_the_folders_of_several_is_emptied_one_after_the_other() {
    let disk = FakeDisk::default();
    let stores: Vec<Store> = (0..3_u64)
        .map(|number| {
            let (mut store, _) = open(&disk);
            write(&mut store, &[&format!("{number}a"), &format!("{number}b")]);
            store
        })
        .collect();
    disk.kill();
    drop(stores);
    disk.set_full(true);
    let (mut store, found) = open(&disk);
    let mut bodies = drain(&mut store, found).bodies;
    assert_eq!(bodies.len(), 2, "that of one is used in place");
    disk.set_full(false);
    let found = store.adopt();
    bodies.extend(drain(&mut store, found).bodies);
    bodies.sort();
    assert_eq!(bodies, ["0a", "0b", "1a", "1b", "2a", "2b"]);
}
