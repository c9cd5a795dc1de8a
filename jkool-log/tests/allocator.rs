//! An allocator that logs, which then happens in the middle of logging, and under locks of the queue.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use jkool_log::client::{LossReason, OverflowPolicy};
use jkool_log::transport::MemoryTransport;
use log::info;
use std::alloc::System;
use std::cell::Cell;
use std::sync::mpsc;
use std::time::Duration;
use tracking_allocator::{AllocationGroupId, AllocationRegistry, AllocationTracker, Allocator};

#[global_allocator]
static ALLOCATOR: Allocator<System> = Allocator::system();

thread_local! {
    static IS_WATCHED: Cell<bool> = const { Cell::new(false) };
}

/// Logs each allocation of a thread that is watched.
struct Chatty;

impl AllocationTracker for Chatty {
    fn allocated(&self, _: usize, object_size: usize, _: usize, _: AllocationGroupId) {
        if IS_WATCHED.get() {
            info!(target: "allocator", "{object_size} bytes");
        }
    }

    fn deallocated(&self, _: usize, _: usize, _: usize, _: AllocationGroupId, _: AllocationGroupId) {}
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn an_allocator_that_logs_hangs_nothing_and_what_it_says_of_logging_is_counted() {
    let memory = MemoryTransport::new();
    // Little room, so that events make room for others, too.
    let settings = jkool_log::builder()
        .transport(memory.clone())
        .configure(|client| client.queue_events(100).overflow(OverflowPolicy::DropOldest).loss_events(false));
    let guard = settings.install().unwrap();
    AllocationRegistry::set_global_tracker(Chatty).unwrap();
    AllocationRegistry::enable_tracking();
    let client = guard.client().clone();
    let (done, is_done) = mpsc::channel();
    let program = std::thread::spawn(move || {
        IS_WATCHED.set(true);
        for round in 0..200 {
            let text = "x".repeat(100_000);
            info!("{text}");
            info!(order = round; "{}", round);
            client.event("pay").message(text).emit();
            drop(client.event("pay").message("tracked").emit_tracked());
            assert!(client.stats().accepted() > 0);
            assert!(client.health().stats.accepted() > 0);
            let _pending = client.flush(Duration::ZERO);
        }
        IS_WATCHED.set(false);
        done.send(()).unwrap();
    });
    is_done.recv_timeout(LONG).expect("it hangs");
    program.join().unwrap();
    AllocationRegistry::disable_tracking();
    assert_eq!(guard.flush(LONG).pending(), 0);
    let stats = guard.client().stats();
    assert!(stats.dropped(LossReason::Recursion) > 0, "{stats:?}");
    assert!(stats.delivered() > 0, "{stats:?}");
    assert_eq!(stats.accepted(), stats.delivered() + stats.dropped_total(), "{stats:?}");
}
