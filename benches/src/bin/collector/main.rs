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

/// That of the command `jkool`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let events = std::env::args().nth(1).map_or(1_000_000, |events| events.parse().expect("a number of events"));
    let folder = Folder::new();
    println!("| stored durably | events | events/s | × limit | CPU, an event | peak memory so far | file, an event |");
    println!("|---|---|---|---|---|---|---|");
    let limit = limit::run(events.min(1_000_000), &folder.0);
    let only = std::env::args().nth(2);
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    let all = [("demo", Data::Demo), ("busy", Data::Busy)].into_iter().filter(|(name, _)| wanted(name));
    let file = |data| folder.0.join(format!("{data:?}.db"));
    let stored: Vec<_> = all.map(|(_, data)| (data, ingest::run(data, events, &file(data), limit))).collect();
    for (data, collector) in &stored {
        ingest::one_a_request(*data, events, collector);
    }
    if wanted("otlp") {
        otlp::run(events, &folder.0, limit);
    }
    for (data, collector) in stored {
        println!("\n| question, to {events} events, {data:?} data | found | ms |\n|---|---|---|");
        ask::run(data, &collector);
        println!("| memory after these | | {} |", ingest::memory());
        drop(collector);
        ingest::start_again(data, events, &file(data));
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
