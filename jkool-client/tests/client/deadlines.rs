//! Deadlines hold while the delivery thread is held up.

use crate::common::{PATIENCE, assert_accounts, client};
use crate::transports::Clog;
use jkool_client::transport::MemoryTransport;
use jkool_client::{Admission, LossReason};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

#[expect(clippy::disallowed_methods, reason = "measures how long a flush takes")]
fn now() -> Instant {
    Instant::now()
}

/// More than the busiest machine needs beyond a deadline; what goes wrong takes [`PATIENCE`].
const MARGIN: Duration = Duration::from_secs(10);

const DEADLINES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(10), Duration::from_secs(1)];

#[test]
fn a_flush_returns_by_its_deadline_while_the_delivery_thread_is_held_up() {
    let memory = MemoryTransport::new();
    let clog = Clog::of(&memory);
    let client = client(&memory).transport(Arc::clone(&clog)).build().unwrap();
    for _ in 0..10 {
        client.event("op").emit();
    }
    clog.wait();
    for deadline in DEADLINES {
        let start = now();
        let report = client.flush(deadline);
        assert!(start.elapsed() >= deadline && start.elapsed() < deadline + MARGIN, "{:?}", start.elapsed());
        assert_eq!((report.delivered(), report.dropped(), report.pending()), (0, 0, 10));
    }
    clog.release();
    let report = client.flush(PATIENCE);
    assert!(report.is_delivered() && report.delivered() <= 10, "{report}");
    assert_accounts(&client, 10, 10, &[]);
}

#[test]
fn a_shutdown_returns_by_its_deadline_while_the_delivery_thread_is_held_up() {
    for deadline in DEADLINES {
        let memory = MemoryTransport::new().with_max_batch(1);
        let clog = Clog::of(&memory);
        let client = client(&memory).transport(Arc::clone(&clog)).in_flight(1).build().unwrap();
        for _ in 0..10 {
            client.event("op").emit();
        }
        clog.wait();
        let start = now();
        let report = client.shutdown(deadline);
        assert!(start.elapsed() >= deadline && start.elapsed() < deadline + MARGIN, "{:?}", start.elapsed());
        assert_eq!((report.delivered(), report.dropped(), report.pending()), (0, 10, 0));
        assert_eq!(client.event("op").emit(), Admission::Dropped(LossReason::AfterShutdown));
        let lost = [(LossReason::Shutdown, 10), (LossReason::AfterShutdown, 1)];
        assert_accounts(&client, 11, 0, &lost);
        clog.release();
        assert!(client.shutdown(PATIENCE).is_delivered());
        // What was on its way may have arrived all the same; the account was closed before.
        assert_accounts(&client, 11, 0, &lost);
        assert_eq!((client.stats().in_memory(), client.stats().bytes_in_memory()), (0, 0));
        assert!(memory.len() <= 1);
    }
}

#[test]
fn dropping_the_last_clone_returns_by_its_deadline_while_the_delivery_thread_is_held_up() {
    let memory = MemoryTransport::new();
    let clog = Clog::of(&memory);
    let builder = client(&memory).transport(Arc::clone(&clog)).shutdown_timeout(Duration::from_millis(10));
    let client = builder.build().unwrap();
    client.event("op").emit();
    clog.wait();
    let start = now();
    drop(client);
    assert!(start.elapsed() < MARGIN, "{:?}", start.elapsed());
    clog.release();
}

#[test]
fn everyone_who_shuts_down_at_once_is_told_the_same_truth() {
    const THREADS: usize = 16;
    let memory = MemoryTransport::new();
    let client = client(&memory).flush_interval(Duration::from_secs(3600)).build().unwrap();
    for _ in 0..20 {
        client.event("op").emit();
    }
    let start = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                start.wait();
                let report = client.shutdown(PATIENCE);
                assert!(report.is_delivered() && report.delivered() <= 20, "{report}");
                // Whoever comes back from a shutdown finds all of it done.
                assert_accounts(&client, 20, 20, &[]);
            });
        }
    });
    assert_eq!(memory.len(), 20);
}
