//! What goes to the spool and when, and that it arrives: once, in order, and all of it.

use crate::common::{PATIENCE, assert_accounts, assert_balanced, client, failure, messages};
use crate::spools::{TempDir, assert_arrived, emit, leave, spooling, until};
use crate::transports::{Gate, Judge, Outage};
use jkool_client::transport::{Disposition, MemoryTransport, Outcome, Payload, Step};
use jkool_client::{Admission, Client, LossReason, OverflowPolicy, SpoolMode};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const QUEUE: usize = 200;

/// Emits so slowly that the disk keeps up: `step` is done while half of the queue is taken.
fn emit_gently(client: &Client, numbers: std::ops::Range<usize>, step: impl Fn()) {
    for number in numbers {
        emit(client, number..number + 1);
        let stats = client.stats();
        assert_balanced(&stats);
        assert!(stats.in_memory() <= QUEUE as u64, "{stats:?}");
        if stats.in_memory() > QUEUE as u64 / 2 {
            step();
            until(client, || client.stats().in_memory() <= QUEUE as u64 / 2);
        }
    }
}

#[test]
fn a_server_that_is_well_costs_no_file() {
    let (dir, memory) = (TempDir::new(), MemoryTransport::new());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (spool, found) = (dir.spool().to_owned(), Arc::clone(&seen));
    let look = move |_: &Payload| {
        let folders = std::fs::read_dir(&spool).unwrap().map(|entry| entry.unwrap().path());
        let files = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap());
        found.lock().unwrap().extend(files.map(|file| file.unwrap().file_name()).filter(|name| name != "lock"));
        Outcome::Delivered
    };
    let client = spooling(Judge::of(&memory, look), dir.quick()).build().unwrap();
    for round in 0..10 {
        emit(&client, round * 100..(round + 1) * 100);
        assert!(client.flush(PATIENCE).is_delivered());
        assert_eq!((client.stats().bytes_spooled(), dir.segments().len()), (0, 0));
    }
    emit(&client, 1000..1100);
    assert!(leave(&client, PATIENCE).is_delivered());
    assert_arrived(&memory, 0..1100);
    assert!(seen.lock().unwrap().is_empty(), "{seen:?}");
    assert_eq!(dir.files(), Vec::<std::path::PathBuf>::new(), "not even a lock is left");
}

#[test]
fn an_outage_fills_the_disk_and_not_the_queue_and_all_arrives_in_order() {
    let (dir, memory) = (TempDir::new(), MemoryTransport::new());
    let outage = Outage::of(&memory);
    let client = spooling(Arc::clone(&outage), dir.quick()).queue_events(QUEUE).max_batch(16).build().unwrap();
    emit(&client, 0..QUEUE / 2 - 1);
    until(&client, || outage.refused() > 2);
    assert_eq!(client.stats().spooled(), 0, "half of the queue is no reason to write");
    emit_gently(&client, QUEUE / 2 - 1..2000, || {});
    let stats = client.stats();
    assert!(stats.spooled() >= 2000 - QUEUE as u64 / 2, "{stats}");
    assert!(stats.bytes_spooled() > stats.spooled() * 100 && !dir.segments().is_empty(), "{stats:?}");
    assert_eq!(stats.dropped_total(), 0, "{stats}");

    outage.end();
    assert!(client.flush(PATIENCE).is_delivered());
    assert_arrived(&memory, 0..2000);
    assert_accounts(&client, 2000, 2000, &[]);
    assert_eq!((client.stats().bytes_spooled(), dir.segments().len()), (0, 0));
    assert_eq!(client.stats().bytes_in_memory(), 0);
}

#[test]
fn what_failed_and_is_on_disk_holds_up_no_caller() {
    const MEMORY: usize = 256 << 10;
    const EVENT: usize = 2 << 10;
    let (dir, memory) = (TempDir::new(), MemoryTransport::new());
    let gate = Gate::shut(&memory);
    let builder = spooling(Arc::clone(&gate), dir.quick().mode(SpoolMode::WriteAhead)).queue_bytes(MEMORY);
    let builder = builder
        .flush_interval(Duration::from_millis(1))
        .in_flight(1000)
        .max_batch(1)
        .overflow(OverflowPolicy::Block(PATIENCE));
    let client = builder.build().unwrap();
    let message = |number: usize| format!("event {number:04} {}", "x".repeat(EVENT));
    let emit = |number| {
        let admission = client.event("op").message(message(number)).emit();
        assert_eq!(admission, Admission::Accepted, "event {number}: {:?}", client.stats());
        assert!(client.stats().bytes_in_memory() <= MEMORY, "{:?}", client.stats());
        assert_balanced(&client.stats());
    };
    let mut under_way = 0;
    while client.stats().bytes_in_memory() + 2 * EVENT < MEMORY {
        emit(under_way);
        under_way += 1;
        gate.wait_for(under_way);
    }

    // All of them fail, and one tries again, for as long as the gate is shut.
    memory.script(vec![Step::Fail(failure(Disposition::Retry { after: None })); under_way]);
    gate.pass(under_way);
    gate.wait_for(under_way + 1);
    (under_way..1000).for_each(emit);
    assert_eq!(client.flush_durable(PATIENCE).spooled(), 1000);

    gate.open();
    assert!(client.flush(PATIENCE).is_delivered());
    assert_accounts(&client, 1000, 1000, &[]);
    let mut arrived = messages(&memory);
    arrived.sort_unstable();
    assert_eq!(arrived, (0..1000).map(message).collect::<Vec<_>>());
    assert_eq!((client.stats().bytes_in_memory(), dir.segments().len()), (0, 0));
}

#[test]
fn a_slow_server_gets_everything_in_order_by_way_of_the_disk() {
    let (dir, memory) = (TempDir::new(), MemoryTransport::new());
    let gate = Gate::shut(&memory);
    let client = spooling(Arc::clone(&gate), dir.quick()).queue_events(QUEUE).max_batch(16).build().unwrap();
    for round in 0..20 {
        emit_gently(&client, round * 100..(round + 1) * 100, || {});
        gate.pass(1);
    }
    until(&client, || memory.attempts() == 20);
    assert!(client.stats().spooled() > 1000, "{}", client.stats());
    gate.open();
    assert!(client.flush(PATIENCE).is_delivered());
    assert_arrived(&memory, 0..2000);
    assert_accounts(&client, 2000, 2000, &[]);
    assert!(dir.segments().is_empty());
}

#[test]
fn a_full_spool_means_memory_only_and_then_drops_that_are_counted() {
    const MAX_BYTES: u64 = 128 << 10;
    let (dir, memory) = (TempDir::new(), MemoryTransport::new());
    let outage = Outage::of(&memory);
    let builder = spooling(Arc::clone(&outage), dir.quick().max_bytes(MAX_BYTES)).queue_events(QUEUE);
    let client = builder.queue_bytes(512 << 10).max_batch(16).build().unwrap();
    let (mut accepted, mut dropped) = (Vec::new(), 0);
    while dropped < 100 {
        let number = accepted.len() + dropped;
        let message = format!("event {number}.");
        match client.event("op").message(message.clone()).emit() {
            Admission::Accepted => accepted.push(message),
            Admission::Dropped(reason) => {
                assert_eq!(reason, LossReason::Overflow);
                dropped += 1;
            }
        }
        if client.stats().bytes_spooled() < MAX_BYTES / 2 {
            until(&client, || client.stats().in_memory() <= QUEUE as u64 / 2);
        }
        assert_balanced(&client.stats());
        let blocks = |file: &std::path::PathBuf| std::fs::metadata(file).unwrap().len().next_multiple_of(4096);
        let on_disk: u64 = dir.segments().iter().map(blocks).sum();
        assert!(on_disk <= MAX_BYTES && client.stats().bytes_spooled() <= MAX_BYTES, "{on_disk}");
    }
    assert!(client.stats().bytes_spooled() >= MAX_BYTES / 2, "{:?}", client.stats());
    assert_eq!(client.health().spool_error, None);

    outage.end();
    assert!(client.flush(PATIENCE).is_delivered());
    assert_eq!(messages(&memory), accepted);
    let all = (accepted.len() + dropped) as u64;
    assert_accounts(&client, all, accepted.len() as u64, &[(LossReason::Overflow, dropped as u64)]);
}

#[test]
fn write_ahead_has_everything_on_disk_before_it_is_sent() {
    let (dir, memory) = (TempDir::new(), MemoryTransport::new());
    let missing = Arc::new(Mutex::new(Vec::new()));
    let (found, shared) = (Arc::clone(&missing), Arc::new(dir));
    let dir = Arc::clone(&shared);
    let look = move |payload: &Payload| {
        if !shared.holds(payload.body()) {
            found.lock().unwrap().push(payload.clone());
        }
        Outcome::Delivered
    };
    let client = spooling(Judge::of(&memory, look), dir.quick().mode(SpoolMode::WriteAhead)).build().unwrap();
    for round in 0..5 {
        emit(&client, round * 40..(round + 1) * 40);
        assert!(client.flush(PATIENCE).is_delivered());
        assert_eq!((client.stats().bytes_spooled(), dir.segments().len()), (0, 0));
    }
    assert_arrived(&memory, 0..200);
    assert_eq!(missing.lock().unwrap().len(), 0);
    assert_accounts(&client, 200, 200, &[]);
}

#[test]
fn write_ahead_frees_the_places_of_what_is_delivered_rejected_and_sent_again() {
    let (dir, memory) = (TempDir::new(), MemoryTransport::new().with_max_batch(10));
    let at = |index, disposition| Step::FailAt { index, failure: failure(disposition) };
    memory.script([
        at(3, Disposition::Rejected),
        at(5, Disposition::Retry { after: None }),
        Step::Fail(failure(Disposition::Rejected)),
        Step::Unconfirmed(failure(Disposition::Retry { after: None })),
    ]);
    let client = spooling(memory.clone(), dir.quick().mode(SpoolMode::WriteAhead)).build().unwrap();
    emit(&client, 0..100);
    let report = client.flush(PATIENCE);
    assert_eq!((report.spooled(), report.pending()), (0, 0), "{report}");
    let stats = client.stats();
    assert_balanced(&stats);
    assert!(stats.dropped(LossReason::Rejected) >= 1 && stats.delivered() + stats.dropped_total() == 100, "{stats}");
    assert_eq!((stats.bytes_spooled(), dir.segments().len()), (0, 0));
}

/// Confirms the first 35 events and refuses the others for now.
fn confirm_35() -> impl Fn(&Payload) -> Outcome + Send + Sync {
    let confirmed = Mutex::new(0);
    move |_| {
        let mut confirmed = confirmed.lock().unwrap();
        if *confirmed == 35 {
            return Outcome::Failed(failure(Disposition::Retry { after: None }));
        }
        *confirmed += 1;
        Outcome::Delivered
    }
}

#[test]
fn what_was_confirmed_is_not_sent_again_by_the_next_client_nor_after_a_kill() {
    for mode in [SpoolMode::WriteAhead, SpoolMode::Overflow] {
        let (dir, memory) = (TempDir::new(), MemoryTransport::new().with_max_batch(10));
        let client = spooling(Judge::of(&memory, confirm_35()), dir.quick().mode(mode)).build().unwrap();
        emit(&client, 0..100);
        until(&client, || client.stats().delivered() == 35);
        assert!(client.flush_durable(PATIENCE).is_durable());
        let killed = dir.as_killed();
        let report = leave(&client, Duration::from_millis(200));
        assert_eq!((report.spooled(), report.is_durable()), (65, true), "{report}");
        assert_arrived(&memory, 0..35);

        for dir in [dir, killed] {
            let memory = MemoryTransport::new();
            let next = spooling(memory.clone(), dir.quick().mode(mode)).build().unwrap();
            assert!(next.flush(PATIENCE).is_delivered());
            assert_arrived(&memory, 35..100);
            assert_eq!(next.stats().recovered(), 65);
            assert_accounts(&next, 0, 65, &[]);
            assert!(dir.segments().is_empty());
        }
    }
}

#[test]
fn under_the_other_policies_a_full_queue_is_no_reason_to_write() {
    const HUNDRED: u64 = 100;
    let policies = [OverflowPolicy::DropNewest, OverflowPolicy::DropOldest, OverflowPolicy::Block(Duration::ZERO)];
    for policy in policies {
        let dir = TempDir::new();
        let gate = Gate::shut(&MemoryTransport::new());
        let builder = spooling(Arc::clone(&gate), dir.quick()).overflow(policy).queue_events(100).max_batch(10);
        let client = builder.build().unwrap();
        emit(&client, 0..10);
        gate.wait_for(10);
        emit(&client, 10..130);
        let _report = client.flush(Duration::from_millis(20));
        let stats = client.stats();
        assert_eq!((stats.spooled(), stats.in_memory(), stats.dropped(LossReason::Overflow)), (0, HUNDRED, 30));
        assert_eq!(dir.segments().len(), 0, "{policy:?}");
        // What is under way is not dropped for something newer.
        let kept: Vec<_> = match policy {
            OverflowPolicy::DropOldest => (0..10).chain(40..130).collect(),
            _ => (0..100).collect(),
        };

        let report = client.flush_durable(PATIENCE);
        assert_eq!((report.spooled(), report.is_durable()), (HUNDRED, true), "{report}");
        // On disk it takes no room in the queue.
        emit(&client, 130..140);
        assert_eq!(client.stats().in_memory(), 10);
        assert!(client.flush_durable(PATIENCE).is_durable());
        let report = leave(&client, Duration::ZERO);
        assert_eq!((report.spooled(), report.is_durable()), (HUNDRED + 10, true), "{report}");

        let memory = MemoryTransport::new();
        let next = spooling(memory.clone(), dir.quick()).build().unwrap();
        assert!(next.flush(PATIENCE).is_delivered());
        let numbers = kept.into_iter().chain(130..140).map(|number: usize| format!("event {number}."));
        assert_eq!(messages(&memory), numbers.collect::<Vec<_>>());
    }
}

#[test]
fn spilling_needs_a_spool() {
    let error = client(&MemoryTransport::new()).overflow(OverflowPolicy::Spill).build().unwrap_err();
    assert_eq!(error.to_string(), "overflow can't be Spill without a spool");
}
