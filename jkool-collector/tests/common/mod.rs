//! What the tests of the store share.
#![allow(dead_code, reason = "each test uses some of it")]

use jkool_collector::{Filter, Query, Record, Sizes, Store};
use jkool_model::Timestamp;
use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A folder that is gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("jkool-collector-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Events with a number in everything that can hold one.
pub(crate) fn numbered(numbers: Range<usize>) -> Vec<String> {
    numbers
        .map(|n| {
            format!(
                r#"{{"operation":"count","msg-text":"number {n}","tracking-id":"id-{n}","corrid":["all","c-{n}"],"source-fqn":"APPL=Counter","properties":[{{"name":"number","type":"int","value":{n}}}]}}"#
            )
        })
        .collect()
}

pub(crate) fn records(entities: &[impl AsRef<str>], received: Timestamp) -> Vec<Record> {
    let record = |json: &str| Record::read(json.as_bytes().to_vec().into(), received).unwrap();
    entities.iter().map(|json| record(json.as_ref())).collect()
}

pub(crate) fn filter(text: &str) -> Filter {
    let mut query = Query::parse(text);
    let filter = Filter::take(&mut query).unwrap();
    query.finish().unwrap();
    filter
}

pub(crate) fn sizes(store: &Store) -> Sizes {
    store.read_now(|reader| reader.sizes()).unwrap()
}

/// A file of version 0.1: what of its schema is read: the entities in the order of their times.
#[cfg(feature = "sqlite")]
pub(crate) fn old_file(path: &std::path::Path, entities: &[String], received: Timestamp) {
    use rusqlite::{Connection, params};
    let mut connection = Connection::open(path).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    let table = "CREATE TABLE entity (id INTEGER PRIMARY KEY, facet INTEGER NOT NULL, time INTEGER NOT NULL,
                 received INTEGER NOT NULL, json BLOB NOT NULL)";
    connection.execute_batch(table).unwrap();
    let transaction = connection.transaction().unwrap();
    for (index, json) in (0_i64..).zip(entities) {
        let values = params![index, 0, received.as_usec(), received.as_usec() + index, json.as_bytes()];
        transaction.execute("INSERT INTO entity VALUES (?1, ?2, ?3, ?4, ?5)", values).unwrap();
    }
    transaction.commit().unwrap();
}

/// Waits until it holds, half a minute at most.
pub(crate) async fn until(holds: impl Fn() -> bool) {
    for _ in 0..3_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never held");
}
