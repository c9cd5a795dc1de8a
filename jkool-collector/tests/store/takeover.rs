//! Files of version 0.1 are taken over.
#![cfg(feature = "sqlite")]

use crate::common::{Folder, numbered, old_file, records, sizes};
use jkool_collector::{Filter, Progress, Store, StoreErrorKind};
use jkool_model::Timestamp;
use rusqlite::Connection;
use std::fs;
use std::sync::{Arc, Mutex};

const NOW: Timestamp = Timestamp::from_usec(1_457_524_800_000_000);

#[tokio::test]
async fn an_older_file_is_taken_over_with_progress_and_kept() {
    let folder = Folder::new();
    let file = folder.path("events.db");
    let entities = numbered(0..2_500);
    old_file(&file, &entities, NOW);
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let store =
        Store::builder().file(&file).on_progress(move |progress: Progress| tell.lock().unwrap().push(progress.done));
    let store = store.open().unwrap();
    assert_eq!(*told.lock().unwrap(), [1_000, 2_000, 2_500]);
    let [notice] = store.notices() else { panic!("{:?}", store.notices()) };
    assert!(notice.starts_with("2500 entities") && notice.contains("events.db.old"), "{notice}");
    assert!(fs::read(folder.path("events.db.old")).unwrap().starts_with(b"SQLite"));
    assert_eq!(sizes(&store).events, 2_500);
    let found = store.read_now(|reader| reader.find_after(&Filter::default(), 10, None, NOW)).unwrap();
    // As it was received, and when.
    assert_eq!(found[7].json, entities[7].as_bytes());
    assert_eq!(found[7].received.as_usec(), NOW.as_usec() + 7);
    // What it had is known when it comes again, and it goes on.
    let again = store.append(records(&numbered(2_400..2_600), NOW)).await.unwrap();
    assert_eq!((again.stored, again.duplicates), (100, 100));
    drop(store);
    let store = Store::builder().file(&file).open().unwrap();
    assert_eq!((sizes(&store).events, store.notices().len()), (2_600, 0));
}

#[tokio::test]
async fn a_takeover_that_was_cut_off_is_begun_again_or_finished() {
    let folder = Folder::new();
    let file = folder.path("events.db");
    old_file(&file, &numbered(0..10), NOW);
    // Cut off while it copied: what there is of it is of no use.
    fs::create_dir_all(folder.path("events.db.converting/index/0000000001")).unwrap();
    let store = Store::builder().file(&file).open().unwrap();
    assert_eq!(sizes(&store).events, 10);
    drop(store);
    // Cut off when the old file was out of the way.
    fs::rename(&file, folder.path("events.db.converting")).unwrap();
    let store = Store::builder().file(&file).open().unwrap();
    assert_eq!((sizes(&store).events, store.notices().len()), (10, 0));
}

#[test]
fn of_a_damaged_file_what_can_be_read_is_taken() {
    let folder = Folder::new();
    let file = folder.path("events.db");
    old_file(&file, &numbered(0..5_000), NOW);
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 65_536].fill(0xa5);
    fs::write(&file, bytes).unwrap();
    let store = Store::builder().file(&file).open().unwrap();
    let [notice] = store.notices() else { panic!("{:?}", store.notices()) };
    assert!(notice.contains("events.db.corrupt-1") && notice.contains("damaged"), "{notice}");
    assert!((1..5_000).contains(&sizes(&store).events), "{:?}", sizes(&store));
}

#[test]
fn a_file_of_a_newer_schema_is_left_alone() {
    let folder = Folder::new();
    let file = folder.path("events.db");
    old_file(&file, &[], NOW);
    Connection::open(&file).unwrap().pragma_update(None, "user_version", 1_000).unwrap();
    let error = Store::builder().file(&file).open().unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::TooNew);
    assert!(error.to_string().contains("1000") && file.is_file(), "{error}");
}
