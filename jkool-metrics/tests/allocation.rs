//! To record allocates nothing.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use cap::Cap;
use jkool_metrics::client::Client;
use jkool_metrics::transport::MemoryTransport;
use metrics::{counter, gauge, histogram, with_local_recorder};
use std::alloc::System;
use std::hint::black_box;
use std::time::Duration;

#[global_allocator]
static ALLOCATED: Cap<System> = Cap::new(System, usize::MAX);

/// How many bytes were allocated meanwhile, by any thread: those of delivery have nothing to do.
fn allocated(run: impl Fn()) -> usize {
    let before = ALLOCATED.total_allocated();
    run();
    ALLOCATED.total_allocated() - before
}

#[test]
fn recording_in_what_is_there_allocates_nothing() {
    let client = Client::builder().transport(MemoryTransport::new()).build().unwrap();
    let (recorder, guard) = jkool_metrics::builder().client(client).every(Duration::from_secs(3600)).build().unwrap();
    let record = || {
        with_local_recorder(&recorder, || {
            for value in 1..1000_u32 {
                counter!("orders", "country" => "de").increment(1);
                gauge!("stock").set(value);
                gauge!("stock").increment(1);
                histogram!("took", "path" => "/", "method" => "GET").record(value);
            }
        });
    };
    // Another test's output, or the harness, may allocate once; not ten times in a row.
    assert!(allocated(|| drop(black_box(vec![0_u8; 100]))) >= 100, "nothing is measured");
    record();
    assert!((0..10).any(|_| allocated(record) == 0));
    // With the next interval there are new sketches, and then nothing again.
    guard.send_now();
    record();
    assert!((0..10).any(|_| allocated(record) == 0));
}
