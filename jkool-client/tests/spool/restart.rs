//! What one client leaves in the spool, the next one delivers.

use crate::common::{PATIENCE, assert_accounts, assert_balanced};
use crate::spools::{TempDir, assert_arrived, emit, gone, leave, now, spooling, until};
use crate::transports::{Gate, Outage};
use jkool_client::transport::{MemoryTransport, Transport};
use jkool_client::{Client, Condition, LossReason, OverflowPolicy, Report, Spool, SpoolMode};
use std::sync::Arc;
use std::time::Duration;

/// Before what the next client itself emits, it delivers `recovered` events.
fn assert_next_delivers(dir: &TempDir, spool: Spool, recovered: usize) {
    let memory = MemoryTransport::new();
    let next = spooling(memory.clone(), spool).build().unwrap();
    emit(&next, recovered..recovered + 10);
    let report = next.flush(PATIENCE);
    assert!(report.is_delivered(), "{report}; {}", next.stats());
    assert_arrived(&memory, 0..recovered + 10);
    assert_eq!(next.stats().recovered(), recovered as u64);
    assert_accounts(&next, 10, recovered as u64 + 10, &[]);
    assert!(dir.segments().is_empty());
    assert!(leave(&next, PATIENCE).is_delivered());
    assert!(dir.files().is_empty(), "{:?}", dir.files());
}

const LEFT: usize = 1000;

/// A client that gets nothing through, and whose queue has grown to a thousand events.
fn stuck(transport: impl Transport, spool: Spool, policy: OverflowPolicy) -> Client {
    let builder = spooling(transport, spool).queue_events(2 * LEFT).max_batch(64).overflow(policy);
    let client = builder.build().unwrap();
    emit(&client, 0..LEFT);
    client
}

fn silent_server() -> Arc<dyn Transport> {
    Gate::shut(&MemoryTransport::new())
}

fn failing_server() -> Arc<dyn Transport> {
    Outage::of(&MemoryTransport::new())
}

/// A part of a second may be too little for the disk of a busy machine. What counts is that no report is ever wrong, and
/// that at some time everything is written down.
fn sooner_or_later(mut timeout: Duration, everything_is_left: impl Fn(Duration) -> bool) {
    let start = now();
    while !everything_is_left(timeout) {
        assert!(start.elapsed() < PATIENCE, "{timeout:?} are not enough");
        timeout *= 2;
    }
}

/// What the report of a shutdown says is true, and the next client delivers at least so much; whether that was all.
fn is_all_left(client: &Client, dir: &TempDir, report: Report) -> bool {
    assert_eq!((report.spooled() + report.dropped(), report.delivered()), (LEFT as u64, 0), "{report}");
    assert_eq!(report.is_durable(), report.dropped() == 0);
    assert!(!report.is_delivered());
    assert!(matches!(client.health().condition, Condition::Ended));
    let stats = client.stats();
    assert_balanced(&stats);
    assert_eq!((stats.spooled(), stats.dropped(LossReason::Shutdown)), (report.spooled(), report.dropped()));
    if report.is_durable() {
        assert_next_delivers(dir, dir.quick(), LEFT);
        return true;
    }
    let next = spooling(silent_server(), dir.quick()).build().unwrap();
    assert!(next.stats().recovered() >= report.spooled(), "{report}; {}", next.stats());
    false
}

#[test]
fn what_shutdown_can_not_deliver_waits_for_the_next_client() {
    let drop_oldest = (SpoolMode::Overflow, OverflowPolicy::DropOldest);
    let block = (SpoolMode::Overflow, OverflowPolicy::Block(PATIENCE));
    let spill = (SpoolMode::Overflow, OverflowPolicy::Spill);
    let ahead = (SpoolMode::WriteAhead, OverflowPolicy::Spill);
    for (mode, policy) in [drop_oldest, block, spill, ahead] {
        for server in [silent_server, failing_server] {
            sooner_or_later(Duration::from_millis(400), |timeout| {
                let dir = TempDir::new();
                let client = stuck(server(), Spool::new(dir.spool()).mode(mode), policy);
                let report = leave(&client, timeout);
                is_all_left(&client, &dir, report)
            });
        }
    }
}

#[test]
fn a_shutdown_without_patience_still_writes_down_what_it_can() {
    for server in [silent_server, failing_server] {
        sooner_or_later(Duration::ZERO, |timeout| {
            let dir = TempDir::new();
            let client = stuck(server(), dir.quick(), OverflowPolicy::Spill);
            let called = now();
            let report = client.shutdown(timeout);
            assert!(called.elapsed() < Duration::from_secs(5), "{:?}", called.elapsed());
            let _nothing_new = client.shutdown(PATIENCE);
            is_all_left(&client, &dir, report)
        });
    }
}

#[test]
fn an_async_shutdown_leaves_everything_to_the_next_client() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    sooner_or_later(Duration::from_millis(400), |timeout| {
        let dir = TempDir::new();
        let client = stuck(silent_server(), dir.quick(), OverflowPolicy::Spill);
        let report = runtime.block_on(client.shutdown_async(timeout));
        let _nothing_new = runtime.block_on(client.shutdown_async(PATIENCE));
        is_all_left(&client, &dir, report)
    });
}

#[test]
fn dropping_the_last_clone_leaves_everything_to_the_next_client() {
    sooner_or_later(Duration::from_millis(400), |timeout| {
        let (dir, gate) = (TempDir::new(), Gate::shut(&MemoryTransport::new()));
        let builder = spooling(Arc::clone(&gate), dir.quick()).queue_events(LEFT).shutdown_timeout(timeout);
        let client = builder.build().unwrap();
        let clone = client.clone();
        emit(&client, 0..200);
        drop(client);
        emit(&clone, 200..400);
        drop(clone);
        gone(&gate);
        // Nobody is told how much it was: to look into the folder is no more than to look at a copy of it.
        let copy = dir.as_killed();
        let look = spooling(silent_server(), copy.quick()).build().unwrap();
        let all = look.stats().recovered() == 400;
        if all {
            assert_next_delivers(&dir, dir.quick(), 400);
        }
        all
    });
}

/// Each finds what its ancestors have left, delivers none or a part of it, and leaves more.
#[test]
fn order_is_kept_over_generations_of_clients() {
    for mode in [SpoolMode::Overflow, SpoolMode::WriteAhead] {
        let (dir, mut delivered) = (TempDir::new(), 0);
        for generation in 0..4 {
            let memory = MemoryTransport::new();
            let gate = Gate::shut(&memory);
            let builder = spooling(Arc::clone(&gate), dir.quick().mode(mode)).queue_events(100).max_batch(16);
            let client = builder.build().unwrap();
            assert_eq!(client.stats().recovered() as usize, generation * 200 - delivered);
            for part in 0..4 {
                let first = generation * 200 + part * 50;
                emit(&client, first..first + 50);
                assert!(client.flush_durable(PATIENCE).is_durable());
            }
            gate.pass(generation);
            until(&client, || memory.attempts() == generation && client.stats().delivered() as usize == memory.len());
            assert_arrived(&memory, delivered..delivered + memory.len());
            delivered += memory.len();
            let report = leave(&client, Duration::from_millis(100));
            assert_eq!(report.spooled() as usize, (generation + 1) * 200 - delivered, "{report}");
            assert!(report.is_durable(), "{report}");
        }
        let memory = MemoryTransport::new();
        let last = spooling(memory.clone(), dir.quick().mode(mode)).build().unwrap();
        emit(&last, 800..850);
        assert!(last.flush(PATIENCE).is_delivered());
        assert_arrived(&memory, delivered..850);
        assert!(dir.segments().is_empty());
    }
}

#[test]
fn two_clients_share_a_folder_and_the_next_takes_over_from_both() {
    let (dir, memory) = (TempDir::new(), MemoryTransport::new());
    let outage = Outage::of(&memory);
    let leaver = stuck(failing_server(), dir.quick(), OverflowPolicy::Spill);
    let stayer = spooling(Arc::clone(&outage), dir.quick()).build().unwrap();
    emit(&stayer, LEFT..LEFT + 100);
    assert!(leaver.flush_durable(PATIENCE).is_durable() && stayer.flush_durable(PATIENCE).is_durable());
    let report = leave(&leaver, Duration::from_millis(50));
    assert_eq!(report.spooled(), LEFT as u64, "{report}");

    // Takes what was left, and nothing from the one that lives.
    let taken = MemoryTransport::new();
    let taker = spooling(taken.clone(), dir.quick()).build().unwrap();
    assert!(taker.flush(PATIENCE).is_delivered());
    assert_arrived(&taken, 0..LEFT);
    assert_eq!((taker.stats().recovered(), stayer.stats().spooled()), (LEFT as u64, 100));
    outage.end();
    assert!(stayer.flush(PATIENCE).is_delivered());
    assert_arrived(&memory, LEFT..LEFT + 100);
    assert_accounts(&stayer, 100, 100, &[]);
    assert!(dir.segments().is_empty());
}

#[test]
fn events_of_many_small_files_travel_together() {
    let dir = TempDir::new();
    let spool = || dir.quick().mode(SpoolMode::WriteAhead);
    let client = spooling(silent_server(), spool()).build().unwrap();
    for number in 0..300 {
        emit(&client, number..number + 1);
        assert!(client.flush_durable(PATIENCE).is_durable());
    }
    assert_eq!(client.stats().files_spooled(), 300);
    assert_eq!(leave(&client, Duration::ZERO).spooled(), 300);
    assert_eq!(dir.segments().len(), 300);
    let memory = MemoryTransport::new();
    let next = spooling(memory.clone(), spool()).max_batch(100).build().unwrap();
    // A slow disk is still being read when the client is built.
    until(&next, || dir.segments().is_empty());
    assert_arrived(&memory, 0..300);
    // The first one or two may have gone before all were found.
    assert!(memory.batches().len() <= 5, "{:?}", memory.batches());
}
