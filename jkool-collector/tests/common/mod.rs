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
