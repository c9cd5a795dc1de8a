//! Memory under load, counted by the allocator: a server that never answers costs no more than was allowed, and no call
//! waits for it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;
#[path = "common/transports.rs"]
mod transports;

use cap::Cap;
use common::{PATIENCE, assert_balanced, client};
use jkool_client::transport::MemoryTransport;
use jkool_client::{Admission, Client, LossReason};
use std::alloc::System;
use std::sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use transports::{Gate, Outage};

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

/// One test at a time: they share the allocator.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::disallowed_methods, reason = "measures how long a call takes")]
fn now() -> Instant {
    Instant::now()
}

const MIB: usize = 1 << 20;

/// What the queue's bytes do not speak of: the queue's own slots (40 bytes an event, up to twice as many as needed, and
/// thrice while it grows), the connections with their buffers, and the one event that each calling thread is making.
const ALLOWANCE: usize = 6 * MIB;

const THREADS: usize = 32;
const EACH: usize = 31_250;
const QUEUE: usize = 16 * MIB;

/// Emits a million events from 32 threads and looks at the memory all the while.
fn flood(client: &Client) {
    let before = HEAP.allocated();
    let start = Barrier::new(THREADS);
    let emit_all = || {
        start.wait();
        let (mut accepted, mut longest) = (0, Duration::ZERO);
        for number in 0..EACH {
            let called = now();
            let admission = client.event("op").message("Order processed").emit();
            longest = longest.max(called.elapsed());
            accepted += u64::from(admission == Admission::Accepted);
            if number % 64 == 0 {
                let stats = client.stats();
                assert!(stats.bytes_in_memory() <= QUEUE, "{stats:?}");
                let heap = HEAP.allocated().saturating_sub(before);
                assert!(heap <= QUEUE + ALLOWANCE, "{heap} bytes for {stats:?}");
            }
        }
        // The transport gives up a request after 30 s: a call that waited for one would show. 32 threads on a busy machine
        // wait for each other much less.
        assert!(longest < Duration::from_secs(15), "{longest:?}");
        accepted
    };
    let admitted: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(emit_all)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    let stats = client.stats();
    assert_balanced(&stats);
    assert_eq!((stats.accepted(), stats.delivered()), ((THREADS * EACH) as u64, 0));
    assert_eq!((stats.in_memory(), stats.dropped(LossReason::Overflow)), (admitted, stats.accepted() - admitted));

    let report = client.shutdown(Duration::ZERO);
    assert_eq!((report.delivered(), report.dropped() + report.pending()), (0, admitted));
}

fn assert_nothing_left(client: &Client) {
    assert_eq!(client.shutdown(PATIENCE).pending(), 0);
    let stats = client.stats();
    assert_balanced(&stats);
    assert_eq!((stats.in_memory(), stats.bytes_in_memory()), (0, 0));
    assert_eq!(stats.dropped_total(), (THREADS * EACH) as u64);
}

#[cfg(feature = "http")]
#[test]
fn a_server_that_never_answers_costs_what_was_allowed_and_no_time() {
    let _alone = alone();
    // The system makes connections to it, and nobody ever reads from them.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = Client::builder().url(url).queue_bytes(QUEUE).notices(false).build().unwrap();
    flood(&client);
    assert_nothing_left(&client);
}

#[test]
fn what_is_encoded_and_on_its_way_counts_too() {
    let _alone = alone();
    let gate = Gate::shut(&MemoryTransport::new());
    let builder = client(&MemoryTransport::new()).transport(Arc::clone(&gate)).queue_events(1_000_000);
    let client = builder.queue_bytes(QUEUE).build().unwrap();
    flood(&client);
    assert_nothing_left(&client);
}

#[test]
#[ignore = "takes more than a minute: .ci/soak runs it"]
fn a_minute_of_outage_at_two_hundred_thousand_a_second_costs_what_was_allowed() {
    const A_MILLISECOND: u128 = 200 / CALLERS as u128;
    const CALLERS: usize = 4;
    let _alone = alone();
    let memory = MemoryTransport::new();
    let outage = Outage::of(&memory);
    let client = client(&memory).transport(Arc::clone(&outage)).queue_bytes(QUEUE).build().unwrap();
    let (before, start) = (HEAP.allocated(), now());
    let emit = || {
        let mut emitted = 0;
        while start.elapsed() < Duration::from_secs(60) {
            while emitted < start.elapsed().as_millis() * A_MILLISECOND {
                // One in 16,384 has a megabyte.
                let size = 1_usize << (emitted.trailing_zeros() + 6).min(20);
                client.event("op").message("x".repeat(size)).emit();
                emitted += 1;
            }
            let heap = HEAP.allocated().saturating_sub(before);
            assert!(heap <= QUEUE + ALLOWANCE, "{heap} bytes for {:?}", client.stats());
            std::thread::park_timeout(Duration::from_millis(1));
        }
        emitted
    };
    let emitted: u128 = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(emit)).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).sum()
    });
    let stats = client.stats();
    assert_balanced(&stats);
    assert_eq!((u128::from(stats.accepted()), stats.delivered()), (emitted, 0));
    assert!(emitted > 10_000_000, "this machine makes only {emitted} events a minute");
    outage.end();
    assert!(client.shutdown(PATIENCE).is_delivered());
    let stats = client.stats();
    assert_eq!((stats.delivered(), stats.dropped(LossReason::Overflow)), (memory.len() as u64, stats.dropped_total()));
    assert_balanced(&stats);
}

#[test]
fn the_queue_estimates_its_bytes_honestly() {
    let _alone = alone();
    for (message, events) in [(1, 500), (100, 500), (10_000, 200), (1_000_000, 10)] {
        let memory = MemoryTransport::new();
        // Too few to be taken before the hour is over.
        let builder = client(&memory).flush_interval(Duration::from_secs(3600)).queue_bytes(64 * MIB);
        let client = builder.build().unwrap();
        let before = HEAP.allocated();
        for _ in 0..events {
            client.event("op").message("x".repeat(message)).emit();
        }
        // What an earlier client's thread lets go of meanwhile only makes this smaller.
        let heap = HEAP.allocated().saturating_sub(before);
        let estimate = client.stats().bytes_in_memory();
        // The queue's list has room for more than is in it.
        let slots = 40 * events + 4096;
        assert!(heap <= estimate + slots, "{events} of {message} bytes: {heap} instead of {estimate}");
        assert!(client.shutdown(PATIENCE).is_delivered());
        let stats = client.stats();
        assert_balanced(&stats);
        assert_eq!((stats.accepted(), stats.delivered()), (events as u64, events as u64));
    }
}
