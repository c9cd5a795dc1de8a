//! Storing.

use crate::events;
use jkool_benches::event::now_us;
use jkool_benches::usage::{Cpu, peak_memory_kib};
use jkool_collector::{Record, Store};
use jkool_model::{Entity, Timestamp};
use std::path::Path;
use std::time::Instant;

pub(crate) fn run(events: u64, folder: &Path) -> Store {
    let start = Instant::now();
    let now = now_us();
    let mut sheet = Vec::new();
    let lines: Vec<_> = (0..events.min(50_000)).map(|i| {
        sheet.clear();
        Entity::from(events::full(i, events, now)).append_json(&mut sheet);
        bytes::Bytes::copy_from_slice(&sheet)
    }).collect();
    eprintln!("made in {:?}", start.elapsed());
    let start = Instant::now();
    let n = lines.len();
    for line in &lines { std::hint::black_box(Record::read(line.clone(), Timestamp::from_usec(now as i64)).expect("read")); }
    eprintln!("parse {} ns", start.elapsed().as_nanos() / n as u128);
    drop(lines);
    let store = Store::builder().file(folder.join("events.db")).open().expect("a store");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let (cpu, start) = (Cpu::of_process(), Instant::now());
    runtime.block_on(async {
        let mut pending = std::collections::VecDeque::new();
        let mut i = 0;
        while i < events {
            let records = (i..(i + 512).min(events)).map(|i| {
                sheet.clear();
                Entity::from(events::full(i, events, now)).append_json(&mut sheet);
                Record::read(bytes::Bytes::copy_from_slice(&sheet), Timestamp::from_usec(now as i64)).expect("read")
            }).collect();
            let store = store.clone();
            pending.push_back(Box::pin(async move { store.append(records).await.expect("stored") }));
            futures_util::future::poll_immediate(pending.back_mut().expect("just pushed")).await;
            if pending.len() > 32 { pending.pop_front().expect("some").await; }
            i += 512;
            if i % 102_400 == 0 { eprintln!("{i} after {:?}", start.elapsed()); }
        }
        for p in pending { p.await; }
    });
    let wall = start.elapsed();
    eprintln!("{:.0}/s, cpu {:.1} us, peak {} MiB", events as f64 / wall.as_secs_f64(), (Cpu::of_process() - cpu).total_us() as f64 / events as f64, peak_memory_kib() / 1024);
    let size = std::fs::metadata(folder.join("events.db")).expect("file").len();
    eprintln!("{} bytes an event", size / events);
    store
}
