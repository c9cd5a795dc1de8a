//! Storing: jkool's client sends batches of 512 over HTTP, the collector acknowledges what is on disk.

use crate::events::Data;
use jkool_benches::event::now_us;
use jkool_benches::jkool::{PATIENCE, finish};
use jkool_benches::usage::{Cpu, memory_kib, peak_memory_kib};
use jkool_client::{Admission, Client, ClientBuilder, OverflowPolicy};
use jkool_collector::{Collector, Store};
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::time::Instant;

/// So many events have a row of their own, to show whether it gets slower the more there is.
const PART: u64 = 1_000_000;

/// Prints its rows beside `limit`, and leaves the collector to be asked.
pub(crate) fn run(data: Data, events: u64, file: &Path, limit: f64) -> Collector {
    let collector =
        Collector::builder().listen("127.0.0.1:0").store(Store::builder().file(file)).start().expect("a collector");
    // Enough of a queue that something waits for the collector at any time.
    let client = Client::builder().overflow(OverflowPolicy::Block(PATIENCE)).queue_bytes(16 << 20);
    let client = client.http(|http| http.batches(512));
    let row = Row::start(format!("jkool's client to the collector, 512 a request, {data:?} data"));
    send(client, &collector, data, 0..events);
    row.end(events, Some(file), Some(limit));
    let stored = || collector.store().read_now(|reader| reader.sizes()).map_or(0, |sizes| sizes.events);
    // The index may be behind.
    let indexed = (0..60).any(|_| stored() == events);
    assert!(indexed, "all are stored");
    let (what, size) = (format!("the same, {data:?} data, once all is in the index"), size(file) / events);
    println!("| {what} | {events} | | | | {} | {size} B |", memory());
    collector
}

/// Prints the row of one event a request, with 32 connections, into a store that `already` has so many.
pub(crate) fn one_a_request(data: Data, already: u64, collector: &Collector) {
    const EVENTS: u64 = 50_000;
    let client = Client::builder().overflow(OverflowPolicy::Block(PATIENCE)).in_flight(32);
    let row = Row::start(format!("one event a request, 32 connections, {data:?} data"));
    send(client, collector, data, already..already + EVENTS);
    row.end(EVENTS, None, None);
}

/// Prints how long a start takes, up to its first answer.
pub(crate) fn start_again(data: Data, events: u64, file: &Path) {
    let start = Instant::now();
    let store = Store::builder().file(file).open().expect("a store");
    let sizes = store.read_now(|reader| reader.sizes()).expect("an answer");
    println!(
        "| start to the first answer, {data:?} data | {} | {:.2} |",
        sizes.events,
        start.elapsed().as_secs_f64() * 1e3
    );
    assert!(sizes.events >= events, "all are there");
}

/// Prints a row for each part of them, if there are several.
fn send(client: ClientBuilder, collector: &Collector, data: Data, numbers: Range<u64>) {
    let client = client.url(collector.url()).token("incognito").build().expect("a client");
    let (total, now) = (numbers.end, now_us());
    let has_parts = numbers.end - numbers.start > PART;
    for first in numbers.step_by(PART as usize) {
        let end = total.min(first + PART);
        let row = Row::start(format!("of these, {data:?} data, from {first} on"));
        for i in first..end {
            assert_eq!(client.emit(data.event(i, total, now)), Admission::Accepted);
        }
        if has_parts {
            row.end(end - first, None, None);
        }
    }
    finish(&client);
}

/// The memory that this process has now.
pub(crate) fn memory() -> String {
    let (own, mapped) = memory_kib();
    format!("{} MiB now, and {} MiB of mapped files", own / 1024, mapped / 1024)
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

    /// Prints it, with the size of a file that holds these events alone, and says how many events there were in a second.
    pub(crate) fn end(self, events: u64, file: Option<&Path>, limit: Option<f64>) -> f64 {
        let rate = events as f64 / self.start.elapsed().as_secs_f64();
        let cpu = (Cpu::of_process() - self.cpu).total_us() as f64 / events as f64;
        let ratio = limit.map_or("1".into(), |limit| format!("{:.2}", rate / limit));
        let (memory, name) = (peak_memory_kib() / 1024, &self.name);
        let size = file.map_or(String::new(), |file| format!("{} B", size(file) / events));
        println!("| {name} | {events} | {rate:.0} | {ratio} | {cpu:.1} µs | {memory} MiB | {size} |");
        rate
    }
}

/// The bytes of a file, or of all files in a folder.
fn size(path: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(path) else { return fs::metadata(path).map_or(0, |file| file.len()) };
    entries.flatten().map(|entry| size(&entry.path())).sum()
}
