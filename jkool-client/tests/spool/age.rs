//! How long events have waited, and those that have waited too long.

use crate::common::{PATIENCE, assert_accounts, assert_balanced, client, messages};
use crate::spools::{TempDir, emit, leave, spooling, until};
use crate::transports::{Gate, Outage};
use jkool_client::transport::MemoryTransport;
use jkool_client::{DeliveryOutcome, LossReason, SpoolMode};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const HOUR: Duration = Duration::from_secs(3600);

/// A spool with so many events of a process that ended so long ago.
fn left(events: usize, age: Duration) -> TempDir {
    let dir = TempDir::new();
    let client = spooling(Outage::of(&MemoryTransport::new()), dir.quick()).build().unwrap();
    emit(&client, 0..events);
    assert!(client.flush_durable(PATIENCE).is_durable());
    assert_eq!(leave(&client, Duration::from_millis(10)).spooled(), events as u64);
    date(&dir, now() - age);
    dir
}

/// The files of the spool were written to last at that time.
fn date(dir: &TempDir, time: SystemTime) {
    for path in dir.segments() {
        std::fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    }
}

#[expect(clippy::disallowed_methods, reason = "it is compared with the times of files")]
fn now() -> SystemTime {
    SystemTime::now()
}

#[test]
fn what_an_earlier_process_left_too_long_ago_is_dropped_and_counted() {
    let memory = MemoryTransport::new();
    let dir = left(10, 3 * HOUR);
    let client = spooling(memory.clone(), dir.quick().max_age(2 * HOUR)).build().unwrap();
    client.event("op").message("new").emit();
    assert!(client.flush(PATIENCE).dropped() <= 10);
    assert_eq!(messages(&memory), ["new"]);
    assert_accounts(&client, 1, 1, &[(LossReason::Expired, 10)]);
    assert!(dir.segments().is_empty());
}

#[test]
fn what_is_younger_is_sent() {
    let memory = MemoryTransport::new();
    let dir = left(10, HOUR);
    let client = spooling(memory.clone(), dir.quick().max_age(2 * HOUR)).build().unwrap();
    assert!(client.flush(PATIENCE).is_delivered());
    assert_eq!(messages(&memory).len(), 10);
    // A clock that was ahead makes nothing old.
    let dir = left(10, Duration::ZERO);
    date(&dir, now() + 100 * HOUR);
    let client = spooling(memory.clone(), dir.quick().max_age(2 * HOUR)).build().unwrap();
    assert!(client.flush(PATIENCE).is_delivered());
    assert_eq!(messages(&memory).len(), 20);
}

#[test]
fn an_outage_drops_what_has_waited_for_too_long() {
    for mode in [SpoolMode::Overflow, SpoolMode::WriteAhead] {
        let (dir, memory) = (TempDir::new(), MemoryTransport::new());
        let outage = Outage::of(&memory);
        let spool = dir.quick().mode(mode).max_age(Duration::from_millis(300));
        let client = spooling(Arc::clone(&outage), spool).max_batch(4).queue_events(32).build().unwrap();
        emit(&client, 0..30);
        let receipt = client.event("op").message("the last").emit_tracked();
        // On a busy machine some may be too old by then.
        assert_eq!(client.flush_durable(PATIENCE).pending(), 0);
        until(&client, || client.stats().dropped(LossReason::Expired) > 0);
        assert_balanced(&client.stats());
        outage.end();
        assert!(client.flush(PATIENCE).is_durable() || client.stats().dropped(LossReason::Expired) > 0);
        let stats = client.stats();
        assert_eq!(stats.delivered() + stats.dropped(LossReason::Expired), 31, "{mode:?}: {stats}");
        let told = match receipt.wait(PATIENCE) {
            Some(DeliveryOutcome::Delivered) => messages(&memory).contains(&"the last".to_owned()),
            outcome => outcome == Some(DeliveryOutcome::Dropped(LossReason::Expired)),
        };
        assert!(told, "{receipt:?}");
    }
}

#[test]
fn health_tells_how_long_the_oldest_has_waited() {
    let memory = MemoryTransport::new();
    let gate = Gate::shut(&memory);
    let client = client(&memory).transport(Arc::clone(&gate)).build().unwrap();
    let age = || client.health().oldest_undelivered;
    assert_eq!(age(), None);
    client.event("op").emit();
    let first = age().unwrap();
    assert!(first < PATIENCE);
    gate.wait_for(1);
    client.event("op").emit();
    while age().unwrap() <= first + Duration::from_millis(20) {
        std::thread::yield_now();
    }
    gate.open();
    assert!(client.flush(PATIENCE).is_delivered());
    until(&client, || age().is_none());
}

#[test]
fn what_an_earlier_process_left_counts_from_then() {
    let dir = left(10, 3 * HOUR);
    let client = spooling(Outage::of(&MemoryTransport::new()), dir.quick()).build().unwrap();
    let age = || client.health().oldest_undelivered;
    until(&client, || age().is_some_and(|age| age >= 3 * HOUR));
    assert!(age().unwrap() < 4 * HOUR);
}
