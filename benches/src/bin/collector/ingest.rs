//! Storing: jkool's client sends batches of 512 over HTTP, the collector acknowledges what is on disk.

use crate::events;
use jkool_benches::event::now_us;
use jkool_benches::jkool::{PATIENCE, finish};
use jkool_benches::usage::{Cpu, peak_memory_kib};
use jkool_client::{Admission, Client, OverflowPolicy};
use jkool_collector::{Collector, Store};
use std::path::Path;
use std::time::Instant;

/// Prints its row beside `limit`, and leaves the collector to be asked.
pub(crate) fn run(events: u64, folder: &Path, limit: f64) -> Collector {
    let file = folder.join("events.db");
    let collector =
        Collector::builder().listen("127.0.0.1:0").store(Store::builder().file(&file)).start().expect("a collector");
    // Enough of a queue that something waits for the collector at any time.
    let client = Client::builder().overflow(OverflowPolicy::Block(PATIENCE)).queue_bytes(16 << 20);
    let client =
        client.http(|http| http.batches(512)).url(collector.url()).token("incognito").build().expect("a client");
    let (row, now) = (Row::start("jkool's client to the collector, 512 a request"), now_us());
    for i in 0..events {
        assert_eq!(client.emit(events::full(i, events, now)), Admission::Accepted);
    }
    finish(&client);
    row.end(events, &file, Some(limit));
    let stored = collector.store().read_now(|reader| reader.sizes()).expect("sizes").events;
    assert_eq!(stored, events, "all are stored");
    collector
}

/// A line of the table.
pub(crate) struct Row {
    name: &'static str,
    cpu: Cpu,
    start: Instant,
}

impl Row {
    pub(crate) fn start(name: &'static str) -> Self {
        Self { name, cpu: Cpu::of_process(), start: Instant::now() }
    }

    /// Prints it, and says how many events there were in a second.
    pub(crate) fn end(self, events: u64, file: &Path, limit: Option<f64>) -> f64 {
        let rate = events as f64 / self.start.elapsed().as_secs_f64();
        let cpu = (Cpu::of_process() - self.cpu).total_us() as f64 / events as f64;
        let ratio = limit.map_or("1".into(), |limit| format!("{:.2}", rate / limit));
        let (memory, name) = (peak_memory_kib() / 1024, self.name);
        let size = std::fs::metadata(file).map_or(0, |file| file.len()) / events;
        println!("| {name} | {events} | {rate:.0} | {ratio} | {cpu:.1} µs | {memory} MiB | {size} B |");
        rate
    }
}
