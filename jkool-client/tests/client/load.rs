//! Load while the server is away: bounded, accounted for, and what was kept arrives when it is back.

use crate::common::{PATIENCE, assert_balanced, client};
use crate::transports::{Gate, Outage};
use jkool_client::transport::{MemoryTransport, Transport};
use jkool_client::{Admission, Client, ClientBuilder, LossReason, OverflowPolicy, RetryPolicy};
use std::collections::HashSet;
use std::sync::{Arc, Barrier};
use std::time::Duration;

/// An outage can fail a thousand times; the wait after it is short.
fn impatient(transport: impl Transport) -> ClientBuilder {
    let retry = RetryPolicy::default().initial(Duration::from_millis(1)).max(Duration::from_millis(5));
    client(&MemoryTransport::new()).transport(transport).retry(retry)
}

const THREADS: usize = 4;

/// Emits `each` events from each of several threads, each with a name of its own and a message of the length that `size`
/// says, and looks at the client now and then. The names of those that were accepted.
fn emit_all(
    client: &Client,
    each: usize,
    size: impl Fn(usize) -> usize + Sync,
    check: impl Fn(&Client) + Sync,
) -> HashSet<String> {
    let start = Barrier::new(THREADS);
    let emit = |thread: usize| {
        start.wait();
        let mut accepted = HashSet::new();
        for number in 0..each {
            let name = format!("{thread} {number}");
            let draft = client.event(name.clone()).message("x".repeat(size(number)));
            if draft.emit() == Admission::Accepted {
                accepted.insert(name);
            }
            if number % 16 == 0 {
                check(client);
            }
        }
        accepted
    };
    std::thread::scope(|scope| {
        let emit = &emit;
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || emit(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

/// The names of what was delivered; each came once.
fn delivered(memory: &MemoryTransport) -> HashSet<String> {
    let payloads = memory.take();
    let names: HashSet<_> = payloads.iter().map(|payload| payload.key().unwrap().to_owned()).collect();
    assert_eq!(names.len(), payloads.len(), "some came twice");
    names
}

/// A little of every size from 1 byte to 1 MiB.
fn mixed(number: usize) -> usize {
    1 << (number * 7 % 21)
}

const QUEUE: usize = 8 << 20;

fn assert_bounded(client: &Client) {
    let stats = client.stats();
    assert!(stats.bytes_in_memory() <= QUEUE, "{stats:?}");
    assert_balanced(&stats);
}

#[test]
fn all_sizes_against_an_outage_drop_newest() {
    const EACH: usize = 400;
    let memory = MemoryTransport::new();
    let outage = Outage::of(&memory);
    let client = impatient(Arc::clone(&outage)).queue_bytes(QUEUE).build().unwrap();
    let accepted = emit_all(&client, EACH, mixed, assert_bounded);
    let stats = client.stats();
    assert_eq!((stats.accepted(), stats.delivered()), ((THREADS * EACH) as u64, 0));
    assert_eq!(stats.in_memory(), accepted.len() as u64);
    outage.end();
    let report = client.flush(PATIENCE);
    assert!(report.is_delivered(), "{report}");
    assert_eq!(delivered(&memory), accepted);
    let stats = client.stats();
    assert_balanced(&stats);
    assert_eq!(stats.dropped(LossReason::Overflow), stats.accepted() - stats.delivered());
    assert_eq!((stats.accepted(), stats.bytes_in_memory()), ((THREADS * EACH) as u64, 0));
}

#[test]
fn all_sizes_against_an_outage_drop_oldest() {
    const EACH: usize = 400;
    let memory = MemoryTransport::new();
    let outage = Outage::of(&memory);
    // What is on its way makes no room; so few can't fill the queue.
    let builder = impatient(Arc::clone(&outage)).queue_bytes(QUEUE).max_batch(2).in_flight(2);
    let client = builder.overflow(OverflowPolicy::DropOldest).build().unwrap();
    let accepted = emit_all(&client, EACH, mixed, assert_bounded);
    assert_eq!(accepted.len(), THREADS * EACH);
    assert_eq!(client.event("the last").emit(), Admission::Accepted);
    let kept = client.stats().in_memory();
    outage.end();
    let report = client.flush(PATIENCE);
    assert_eq!((report.delivered(), report.dropped(), report.pending()), (kept, 0, 0));
    let mut arrived = delivered(&memory);
    assert!(arrived.remove("the last"));
    assert!(arrived.is_subset(&accepted) && arrived.len() as u64 == kept - 1);
    let stats = client.stats();
    assert_balanced(&stats);
    assert_eq!(stats.dropped(LossReason::Overflow), stats.accepted() - kept);
    assert_eq!((stats.accepted(), stats.bytes_in_memory()), ((THREADS * EACH + 1) as u64, 0));
}

#[test]
fn a_flood_during_an_outage_is_bounded_and_what_was_kept_arrives() {
    const EACH: usize = 150_000;
    const EVENTS: usize = 20_000;
    let memory = MemoryTransport::new();
    let outage = Outage::of(&memory);
    let client = impatient(Arc::clone(&outage)).queue_events(EVENTS).build().unwrap();
    let check = |client: &Client| assert!(client.stats().in_memory() <= EVENTS as u64);
    let accepted = emit_all(&client, EACH, |_| 10, check);
    assert_eq!(accepted.len(), EVENTS);
    let stats = client.stats();
    assert_eq!((stats.accepted(), stats.in_memory()), ((THREADS * EACH) as u64, EVENTS as u64));
    outage.end();
    assert!(client.shutdown(PATIENCE).is_delivered());
    assert_eq!(delivered(&memory), accepted);
    let stats = client.stats();
    assert_balanced(&stats);
    assert_eq!((stats.accepted(), stats.delivered()), ((THREADS * EACH) as u64, EVENTS as u64));
    assert_eq!(stats.dropped(LossReason::Overflow), stats.dropped_total());
}

#[test]
fn what_is_newest_survives_an_outage_when_asked_for() {
    const EACH: usize = 20_000;
    const EVENTS: u64 = 1_000;
    let memory = MemoryTransport::new().with_max_batch(1);
    let gate = Gate::shut(&memory);
    let builder = impatient(Arc::clone(&gate)).queue_events(1_000).in_flight(1);
    let client = builder.overflow(OverflowPolicy::DropOldest).build().unwrap();
    let accepted = emit_all(&client, EACH, |_| 10, |client| assert!(client.stats().in_memory() <= EVENTS));
    assert_eq!((accepted.len(), client.stats().in_memory()), (THREADS * EACH, EVENTS));
    // One can be on its way, and makes no room; all others do.
    let newest: HashSet<_> = (1..EVENTS).map(|number| format!("newest {number}")).collect();
    for name in &newest {
        assert_eq!(client.event(name.clone()).emit(), Admission::Accepted);
    }
    gate.open();
    assert!(client.flush(PATIENCE).is_delivered());
    let arrived = delivered(&memory);
    assert!(arrived.len() as u64 == EVENTS && arrived.is_superset(&newest));
    let stats = client.stats();
    assert_balanced(&stats);
    assert_eq!((stats.accepted(), stats.delivered()), ((THREADS * EACH + newest.len()) as u64, EVENTS));
}
