//! The collector: how many full events a second it stores durably, and how long its questions take once there are many.
//!
//!     collector [EVENTS [demo|busy|otlp]]      1,000,000 of each kind unless said otherwise
//!
//! Prints tables in markdown. Sender and collector are one process, on the cores that there are.

mod ask;
mod events;
mod ingest;
mod limit;
mod otlp;

use events::Data;
use std::path::PathBuf;

fn main() {
    let events = std::env::args().nth(1).map_or(1_000_000, |events| events.parse().expect("a number of events"));
    let folder = Folder::new();
    println!("| stored durably | events | events/s | × limit | CPU, an event | peak memory so far | file, an event |");
    println!("|---|---|---|---|---|---|---|");
    let limit = limit::run(events, &folder.0);
    let only = std::env::args().nth(2);
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    let all = [("demo", Data::Demo), ("busy", Data::Busy)].into_iter().filter(|(name, _)| wanted(name));
    let collectors: Vec<_> = all.map(|(_, data)| (data, ingest::run(data, events, &folder.0, limit))).collect();
    if wanted("otlp") {
        otlp::run(events, &folder.0, limit);
    }
    for (data, collector) in &collectors {
        println!("\n| question, to {events} events, {data:?} data | found | ms |\n|---|---|---|");
        ask::run(*data, collector);
    }
}

/// A folder of ours, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("jkool-collector-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}
