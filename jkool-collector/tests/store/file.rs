//! A store in a file: what it survives, and what it says when it can't.

use crate::common::{Folder, numbered, records, sizes};
use jkool_collector::{Clock, Durability, Filter, MetricName, Retention, Store, StoreErrorKind};
use jkool_model::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_usec(1_457_524_800_000_000);

#[tokio::test]
async fn what_was_acknowledged_is_there_when_it_is_opened_again() {
    let folder = Folder::new();
    for durability in [Durability::Disk, Durability::System] {
        let file = folder.path(&format!("{durability:?}.db"));
        let store = Store::builder().file(&file).durability(durability).open().unwrap();
        store.append(records(&numbered(0..100), NOW)).await.unwrap();
        drop(store);
        assert_eq!(fs::read_dir(file.join("journal")).unwrap().count(), 0, "all is in the index");
        let store = Store::builder().file(&file).open().unwrap();
        assert_eq!((sizes(&store).events, store.notices().len()), (100, 0));
        // The same again is known still.
        let again = store.append(records(&numbered(50..150), NOW)).await.unwrap();
        assert_eq!((again.stored, again.duplicates), (50, 50));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_look() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let store = Store::builder().file(folder.path("events.db")).open().unwrap();
    store.append(records(&numbered(0..1), NOW)).await.unwrap();
    for (name, expected) in [("", 0o700), ("index", 0o700), ("journal", 0o700)] {
        let mode = fs::metadata(folder.path("events.db").join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, expected, "{name}");
    }
}

#[test]
fn a_file_that_is_no_store_is_left_alone() {
    let folder = Folder::new();
    let file = folder.path("notes.txt");
    for content in ["", "notes", &"no database at all".repeat(99)] {
        fs::write(&file, content).unwrap();
        let Err(error) = Store::builder().file(&file).open() else { panic!("it was opened") };
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        assert!(error.to_string().contains("notes.txt"), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), content);
    }
}

/// The files of the only index.
fn index_files(file: &Path) -> Vec<PathBuf> {
    let index = fs::read_dir(file.join("index")).unwrap().next().unwrap().unwrap().path();
    fs::read_dir(index).unwrap().map(|file| file.unwrap().path()).collect()
}

/// Fills the middle of each file of that kind with nonsense.
fn damage(file: &Path, extension: &str) {
    let mut files = index_files(file);
    files.retain(|file| file.extension().is_some_and(|other| other == extension));
    assert!(!files.is_empty());
    for file in files {
        let mut bytes = fs::read(&file).unwrap();
        let (middle, length) = (bytes.len() / 2, (bytes.len() / 8).clamp(1, 4_096));
        bytes[middle..middle + length].fill(0xa5);
        fs::write(file, bytes).unwrap();
    }
}

#[tokio::test]
async fn damage_that_a_crash_left_is_found_when_it_is_opened() {
    // Of a damaged list of words all can be made again; where the entities themselves are damaged, some are lost.
    for (extension, least, most) in [("term", 5_000, 5_000), ("fast", 5_000, 5_000), ("store", 0, 4_999)] {
        let folder = Folder::new();
        let file = folder.path("events.db");
        let store = Store::builder().file(&file).open().unwrap();
        store.append(records(&numbered(0..5_000), NOW)).await.unwrap();
        drop(store);
        damage(&file, extension);
        // A journal that is still there says that nobody closed it.
        fs::write(file.join("journal/00000000000000005001.log"), b"jkooljn1").unwrap();
        let store = Store::builder().file(&file).open().unwrap();
        let [notice] = store.notices() else { panic!("{extension}: {:?}", store.notices()) };
        assert!(notice.contains("corrupt-1"), "{notice}");
        let left = sizes(&store).events;
        assert!((least..=most).contains(&left), "{extension}: {left}");
        // It goes on, and knows what it has.
        let again = store.append(records(&numbered(0..5_001), NOW)).await.unwrap();
        assert_eq!(again.duplicates as u64, left, "{extension}");
        assert_eq!(sizes(&store).events, 5_001, "{extension}");
        drop(store);
        let store = Store::builder().file(&file).open().unwrap();
        assert_eq!((sizes(&store).events, store.notices().len()), (5_001, 0), "{extension}");
    }
}

#[tokio::test]
async fn an_index_whose_list_of_parts_is_damaged_is_set_aside() {
    let folder = Folder::new();
    let file = folder.path("events.db");
    let store = Store::builder().file(&file).open().unwrap();
    store.append(records(&numbered(0..10), NOW)).await.unwrap();
    drop(store);
    let list = index_files(&file).into_iter().find(|file| file.ends_with("meta.json")).unwrap();
    fs::write(list, b"nonsense").unwrap();
    let store = Store::builder().file(&file).open().unwrap();
    assert_eq!((store.notices().len(), sizes(&store).events), (1, 0));
    assert_eq!(store.append(records(&numbered(0..10), NOW)).await.unwrap().stored, 10);
}

#[test]
fn a_folder_of_a_newer_version_is_left_alone() {
    let folder = Folder::new();
    let file = folder.path("events.db");
    drop(Store::builder().file(&file).open().unwrap());
    fs::write(file.join("format"), "1000").unwrap();
    let error = Store::builder().file(&file).open().unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::TooNew);
    assert!(error.to_string().contains("1000"), "{error}");
}

#[test]
fn only_one_at_a_time_has_it_open() {
    let folder = Folder::new();
    let file = folder.path("events.db");
    let first = Store::builder().file(&file).open().unwrap();
    let error = Store::builder().file(&file).open().unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Locked);
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    drop(first);
    Store::builder().file(&file).open().unwrap();
}

#[tokio::test]
async fn a_folder_that_is_gone_is_noticed() {
    let folder = Folder::new();
    let file = folder.path("events.db");
    let store = Store::builder().file(&file).open().unwrap();
    store.append(records(&numbered(0..1), NOW)).await.unwrap();
    fs::rename(&file, folder.path("elsewhere")).unwrap();
    let error = store.append(records(&numbered(1..2), NOW)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Io, "{error}");
}

#[test]
fn where_no_file_can_be_says_which() {
    let folder = Folder::new();
    let file = folder.path("no/such/folder/events.db");
    let error = Store::builder().file(&file).open().unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Io);
    assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
}

#[tokio::test]
async fn a_full_disk_is_said_and_costs_nothing_that_was_acknowledged() {
    let folder = Folder::new();
    let file = folder.path("events.db");
    let store = Store::builder().file(&file).disk(64 << 10).open().unwrap();
    let mut stored = 0;
    let error = loop {
        match store.append(records(&numbered(stored..stored + 100), NOW)).await {
            Ok(appended) => stored += appended.stored,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), StoreErrorKind::Full, "{error}");
    assert_eq!(sizes(&store).events, stored as u64);
    drop(store);
    let store = Store::builder().file(&file).open().unwrap();
    assert_eq!((sizes(&store).events, store.notices().len()), (stored as u64, 0));
    // With room again, what was refused is taken.
    assert_eq!(store.append(records(&numbered(stored..stored + 100), NOW)).await.unwrap().stored, 100);
}

#[tokio::test]
async fn what_is_too_old_goes() {
    let clock = Clock::new(|| NOW);
    let retention = Retention::ALL.age(Duration::from_secs(3_600));
    let store = Store::builder().retention(retention).clock(clock).open().unwrap();
    // One every two minutes of the last two hours; half of them are too old.
    store.append(records(&numbered(0..60), NOW)).await.unwrap();
    let old: Vec<_> = numbered(60..120)
        .iter()
        .zip(1..)
        .map(|(json, minutes)| at(json, NOW.as_usec() - minutes * 120_000_000))
        .collect();
    store.append(records(&old, NOW)).await.unwrap();
    crate::common::until(|| sizes(&store).events == 90).await;
    let oldest = sizes(&store).oldest.unwrap();
    assert_eq!(oldest.as_usec(), NOW.as_usec() - 3_600_000_000);
    // Charts, search and links know nothing of them any more either.
    let counted = store.read_now(|reader| {
        let histogram = reader.histogram(&Filter::default(), 60, NOW)?;
        let metric = MetricName { category: String::new(), snapshot: String::new(), property: "number".into() };
        Ok((
            histogram.iter().map(|bucket| bucket.severities.total()).sum::<u64>(),
            reader.find(&crate::common::filter("text=number"), 1_000, None, NOW)?.len(),
            reader.find(&crate::common::filter("corrid=all"), 1_000, None, NOW)?.len(),
            reader.metric(&metric, &Filter::default(), 60, NOW)?.iter().map(|metric| metric.count).sum::<u64>(),
        ))
    });
    assert_eq!(counted.unwrap(), (90, 90, 90, 90));
}

#[tokio::test]
async fn the_oldest_go_when_there_is_too_much() {
    let folder = Folder::new();
    let limit = 4 << 20;
    let store = Store::builder().file(folder.path("events.db")).retention(Retention::ALL.bytes(limit));
    let store = store.patience(Duration::from_secs(60)).open().unwrap();
    // Every one with names of its own, ten minutes apart.
    let time = |number: i64| NOW.as_usec() + number * 600_000_000;
    for batch in 0..40 {
        let events: Vec<_> = numbered(batch * 500..batch * 500 + 500)
            .iter()
            .zip(batch as i64 * 500..)
            .map(|(json, number)| {
                let json = json.replace("\"count\"", &format!("\"count {number}\""));
                let json = json.replace("\"number\"", &format!("\"number {number}\""));
                at(&json.replace("APPL=Counter", &format!("APPL=Counter {number}")), time(number))
            })
            .collect();
        store.append(records(&events, NOW)).await.unwrap();
    }
    crate::common::until(|| sizes(&store).bytes <= limit).await;
    let left = sizes(&store);
    assert!((1..20_000).contains(&left.events), "{left:?}");
    // With them go the names that nothing has any more. Many are counted about.
    for names in [left.operations, left.sources] {
        assert!(names.abs_diff(left.events) <= left.events / 20, "{left:?}");
    }
    // Of so many names of numbers, only some can be asked for.
    let metrics = store.read_now(|reader| reader.metric_names()).unwrap().len() as u64;
    assert!((1..=left.events).contains(&metrics) && left.not_indexed > 0, "{metrics} metrics, {left:?}");
    // The youngest are all there.
    let youngest = store.read_now(|reader| reader.find(&Filter::default(), left.events as usize, None, NOW)).unwrap();
    let times: Vec<_> = youngest.iter().map(|stored| stored.time.as_usec()).collect();
    let expected: Vec<_> = (0..left.events as i64).map(|back| time(19_999 - back)).collect();
    assert_eq!(times, expected);
}

#[tokio::test]
async fn thousands_of_one_time_are_all_kept() {
    let folder = Folder::new();
    let file = folder.path("events.db");
    // In two processes' lives: the second has forgotten how many there are.
    for half in 0..2 {
        let store = Store::builder().file(&file).open().unwrap();
        let events: Vec<_> =
            numbered(half * 3_000..half * 3_000 + 3_000).iter().map(|json| at(json, NOW.as_usec())).collect();
        store.append(records(&events, NOW)).await.unwrap();
    }
    let store = Store::builder().file(&file).open().unwrap();
    let found = store.read_now(|reader| reader.find(&Filter::default(), 10_000, None, NOW)).unwrap();
    assert_eq!(found.len(), 6_000);
    assert!(found.iter().all(|stored| stored.time == NOW));
    // And all are known when they come again.
    let again: Vec<_> = numbered(0..6_000).iter().map(|json| at(json, NOW.as_usec())).collect();
    assert_eq!(store.append(records(&again, NOW)).await.unwrap().duplicates, 6_000);
}

#[tokio::test]
async fn more_than_may_wait_is_refused_and_nothing_half_done() {
    let store = Store::builder().waiting(1).open().unwrap();
    let batches = (0..64).map(|batch| store.append(records(&numbered(batch * 100..batch * 100 + 100), NOW)));
    let (mut stored, mut busy) = (0, 0);
    for outcome in futures_util::future::join_all(batches).await {
        match outcome {
            Ok(appended) => stored += appended.stored,
            Err(error) if error.kind() == StoreErrorKind::Busy => busy += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(busy > 0 && stored > 0, "{busy} busy, {stored} stored");
    assert_eq!(sizes(&store).events, stored as u64);
}

fn at(json: &str, usec: i64) -> String {
    json.replacen('{', &format!("{{\"time-usec\":{usec},"), 1)
}
