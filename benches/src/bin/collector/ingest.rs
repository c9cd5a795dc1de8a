//! Storing: jkool's client sends batches of 512 over HTTP, the collector acknowledges what is on disk.

use crate::events::Data;
use jkool_benches::event::now_us;
use jkool_benches::jkool::{PATIENCE, finish};
use jkool_benches::usage::{Cpu, peak_memory_kib};
use jkool_client::{Admission, Client, OverflowPolicy};
use jkool_collector::{Collector, Store};
use std::fs;
use std::path::Path;
use std::time::Instant;

/// Prints its row beside `limit`, and leaves the collector to be asked.
pub(crate) fn run(data: Data, events: u64, folder: &Path, limit: f64) -> Collector {
    let file = folder.join(format!("{data:?}.db"));
    let collector =
        Collector::builder().listen("127.0.0.1:0").store(Store::builder().file(&file)).start().expect("a collector");
    // Enough of a queue that something waits for the collector at any time.
    let client = Client::builder().overflow(OverflowPolicy::Block(PATIENCE)).queue_bytes(16 << 20);
    let client =
        client.http(|http| http.batches(512)).url(collector.url()).token("incognito").build().expect("a client");
    let (row, now) = (Row::start(format!("jkool's client to the collector, 512 a request, {data:?} data")), now_us());
    for i in 0..events {
        assert_eq!(client.emit(data.event(i, events, now)), Admission::Accepted);
    }
    finish(&client);
    row.end(events, &file, Some(limit));
    let stored = || collector.store().read_now(|reader| reader.sizes()).map_or(0, |sizes| sizes.events);
    // The index may be behind.
    let indexed = (0..60).any(|_| stored() == events);
    assert!(indexed, "all are stored");
    println!("| the same, {data:?} data, once all is in the index | {events} | | | | | {} B |", size(&file) / events);
    collector
}

/// A line of the table.
pub(crate) struct Row {
    name: String,
    cpu: Cpu,
    start: Instant,
}

impl Row {
    pub(crate) fn start(name: impl Into<String>) -> Self {
        Self { name: name.into(), cpu: Cpu::of_process(), start: Instant::now() }
    }

    /// Prints it, and says how many events there were in a second.
    pub(crate) fn end(self, events: u64, file: &Path, limit: Option<f64>) -> f64 {
        let rate = events as f64 / self.start.elapsed().as_secs_f64();
        let cpu = (Cpu::of_process() - self.cpu).total_us() as f64 / events as f64;
        let ratio = limit.map_or("1".into(), |limit| format!("{:.2}", rate / limit));
        let (memory, name) = (peak_memory_kib() / 1024, &self.name);
        let size = size(file) / events;
        println!("| {name} | {events} | {rate:.0} | {ratio} | {cpu:.1} µs | {memory} MiB | {size} B |");
        rate
    }
}

/// The bytes of a file, or of all files in a folder.
fn size(path: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(path) else { return fs::metadata(path).map_or(0, |file| file.len()) };
    entries.flatten().map(|entry| size(&entry.path())).sum()
}
