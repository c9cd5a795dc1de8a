//! Memory with a spool, counted by the allocator: a backlog of any length costs what the queue was allowed.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;
#[path = "common/spools.rs"]
mod spools;
#[path = "common/transports.rs"]
mod transports;

use cap::Cap;
use common::{PATIENCE, assert_accounts, assert_balanced};
use jkool_client::transport::MemoryTransport;
use jkool_client::{Client, SpoolMode};
use spools::{TempDir, leave, spooling, until};
use std::alloc::System;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use transports::{Counter, Gate, Outage};

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

const MIB: usize = 1 << 20;
const QUEUE: usize = 16 * MIB;

/// The queue, a tenth of it, and what its bytes do not speak of: its own slots, and buffers of about a batch.
const ALLOWED: usize = QUEUE + QUEUE / 10 + 6 * MIB;

fn assert_bounded(client: &Client, before: usize) {
    let stats = client.stats();
    assert_balanced(&stats);
    assert!(stats.bytes_in_memory() <= QUEUE, "{stats:?}");
    let heap = HEAP.allocated().saturating_sub(before);
    assert!(heap <= ALLOWED, "{heap} bytes for {stats:?}");
}

/// One test, for there is one allocator.
#[test]
fn a_backlog_on_disk_takes_no_more_memory_than_was_allowed() {
    for (mode, events) in [(SpoolMode::Overflow, 200_000), (SpoolMode::WriteAhead, 50_000)] {
        let dir = TempDir::new();
        let before = HEAP.allocated();
        let outage = Outage::of(&MemoryTransport::new());
        let client = spooling(outage, dir.quick().mode(mode)).queue_bytes(QUEUE).build().unwrap();
        let mut emitted = 0;
        while client.stats().spooled() < events {
            client.event("op").message("Order processed").emit();
            emitted += 1;
            if emitted % 256 == 0 {
                assert_bounded(&client, before);
            }
            // Slower than the disk, but not much.
            if client.stats().bytes_in_memory() > QUEUE * 3 / 4 {
                let _report = client.flush(Duration::from_millis(1));
            }
        }
        assert!(client.flush_durable(PATIENCE).is_durable());
        assert_bounded(&client, before);
        let report = leave(&client, Duration::from_millis(10));
        assert!(report.is_durable(), "{report}; {}", client.stats());
        assert_balanced(&client.stats());
        assert_eq!((client.stats().accepted(), client.stats().dropped_total()), (emitted, 0));
        drop(client);

        // A server that keeps silent, and could be sent all of it at once.
        let before = HEAP.allocated();
        let gate = Gate::shut(&MemoryTransport::new());
        let held = spooling(Arc::clone(&gate), dir.quick().mode(mode)).queue_bytes(QUEUE).in_flight(1000);
        let held = held.build().unwrap();
        until(&held, || held.stats().recovered() == emitted);
        gate.wait_for(1000);
        for _ in 0..100 {
            let _report = held.flush(Duration::from_millis(5));
            assert_bounded(&held, before);
        }
        assert_eq!(leave(&held, Duration::ZERO).spooled(), emitted);

        let before = HEAP.allocated();
        let counter = Arc::new(Counter::default());
        let next = spooling(Arc::clone(&counter), dir.quick().mode(mode)).queue_bytes(QUEUE).in_flight(32);
        let next = next.build().unwrap();
        let delivering = AtomicBool::new(true);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while delivering.load(Ordering::SeqCst) {
                    assert_bounded(&next, before);
                }
            });
            until(&next, || next.stats().delivered() == emitted);
            delivering.store(false, Ordering::SeqCst);
        });
        assert!(next.shutdown(PATIENCE).is_delivered());
        assert_eq!((next.stats().recovered(), counter.count()), (emitted, emitted));
        assert_accounts(&next, 0, emitted, &[]);
        assert!(dir.segments().is_empty());
    }
}
