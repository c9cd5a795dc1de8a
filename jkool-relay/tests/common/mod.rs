//! What the tests share.
#![allow(
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each test file is a crate that uses its part of this"
)]

mod server;
mod source;

pub use server::Server;
pub use source::{Script, TestSource};

use jkool_client::{Client, ClientBuilder, RetryPolicy};
use jkool_relay::{Position, Record};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A client that tries again soon.
pub fn client(server: &Server) -> ClientBuilder {
    let retry = RetryPolicy::default().initial(Duration::from_millis(1)).max(Duration::from_millis(20));
    Client::builder().transport(server.clone()).flush_interval(Duration::from_millis(1)).retry(retry)
}

pub fn json(number: u64) -> String {
    format!(
        r#"{{"operation":"Test","source-fqn":"APPL=Test","msg-text":"number {number}","tracking-id":"id-{number}"}}"#
    )
}

pub fn event(partition: u64, number: u64) -> Record {
    let position = Position { partition, offset: number + 1 };
    Record { position, body: json(number).into_bytes(), time: None }
}

pub fn bad(partition: u64, number: u64) -> Record {
    Record { body: b"no \"JSON".to_vec(), ..event(partition, number) }
}

pub fn records(partition: u64, numbers: Range<u64>) -> Vec<Record> {
    numbers.map(|number| event(partition, number)).collect()
}

/// A folder that is gone with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("jkool-relay-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}
