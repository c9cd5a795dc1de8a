//! What `flush_durable` promises, and that it is kept.

use crate::common::{PATIENCE, assert_accounts, assert_balanced, client, messages};
use crate::spools::{TempDir, assert_arrived, emit, now, spooling, until};
use crate::transports::{Clog, Gate, Outage};
use jkool_client::SpoolMode;
use jkool_client::transport::MemoryTransport;
use std::collections::HashSet;
use std::process::Command;
use std::sync::{Arc, Barrier};
use std::time::Duration;

const MODES: [SpoolMode; 2] = [SpoolMode::Overflow, SpoolMode::WriteAhead];

/// A deadline may be passed by this much on a machine that has much to do.
const MARGIN: Duration = Duration::from_secs(5);

/// A new client finds so many events in the folder, and delivers them in order.
fn assert_found(dir: &TempDir, events: usize) {
    let memory = MemoryTransport::new();
    let next = spooling(memory.clone(), dir.quick()).build().unwrap();
    assert!(next.flush(PATIENCE).is_delivered());
    assert_arrived(&memory, 0..events);
    assert_eq!(next.stats().recovered(), events as u64);
}

#[test]
fn it_writes_what_is_under_way_what_failed_and_what_waits() {
    for mode in MODES {
        let (dir, memory) = (TempDir::new(), MemoryTransport::new());
        let gate = Gate::shut(&memory);
        let builder = spooling(Arc::clone(&gate), dir.quick().mode(mode)).in_flight(4).max_batch(10);
        let client = builder.build().unwrap();
        emit(&client, 0..30);
        gate.wait_for(10);
        emit(&client, 30..100);
        let report = client.flush_durable(PATIENCE);
        assert_eq!((report.spooled(), report.pending(), report.is_durable()), (100, 0, true), "{report}");
        assert!(!report.is_delivered());
        let stats = client.stats();
        assert_eq!((stats.spooled(), stats.in_memory()), (100, 0));
        let on_disk: u64 =
            dir.segments().iter().map(|file| file.metadata().unwrap().len().next_multiple_of(4096)).sum();
        assert_eq!(stats.bytes_spooled(), on_disk);
        assert_found(&dir.as_killed(), 100);

        // Twice is no more than once.
        assert_eq!(client.flush_durable(PATIENCE).spooled(), 100);
        assert_eq!(client.stats().bytes_spooled(), on_disk);
        gate.open();
        assert!(client.flush(PATIENCE).is_delivered());
        assert_accounts(&client, 100, 100, &[]);
        assert!(dir.segments().is_empty());
        assert_eq!(messages(&memory).into_iter().collect::<HashSet<_>>().len(), 100);
    }
    let (dir, outage) = (TempDir::new(), Outage::of(&MemoryTransport::new()));
    let client = spooling(Arc::clone(&outage), dir.quick()).build().unwrap();
    emit(&client, 0..50);
    until(&client, || outage.refused() > 1);
    assert!(client.flush_durable(PATIENCE).is_durable());
    assert_found(&dir.as_killed(), 50);
}

#[test]
fn it_is_true_to_the_event_whoever_else_emits() {
    const THREADS: usize = 8;
    for mode in MODES {
        let (dir, memory) = (TempDir::new(), MemoryTransport::new());
        let gate = Gate::shut(&memory);
        let client = spooling(Arc::clone(&gate), dir.quick().mode(mode)).queue_events(500).build().unwrap();
        let start = Barrier::new(THREADS);
        let work = |thread: usize| {
            start.wait();
            for round in 0..10 {
                let mark = format!("mark {thread} {round}.");
                client.event("op").message("company").emit();
                client.event("op").message(mark.clone()).emit();
                assert!(client.flush_durable(PATIENCE).is_durable());
                assert!(dir.holds(mark.as_bytes()), "{mark} is durable and not on disk");
                assert_balanced(&client.stats());
            }
        };
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                scope.spawn(move || work(thread));
            }
        });
        gate.open();
        assert!(client.flush(PATIENCE).is_delivered());
        let marks: HashSet<_> = messages(&memory).into_iter().filter(|message| message != "company").collect();
        assert_eq!((memory.len(), marks.len()), (160, 80));
        assert!(dir.segments().is_empty());
    }
}

#[tokio::test]
async fn the_async_form_does_the_same() {
    for mode in MODES {
        let (dir, gate) = (TempDir::new(), Gate::shut(&MemoryTransport::new()));
        let client = spooling(Arc::clone(&gate), dir.quick().mode(mode)).build().unwrap();
        emit(&client, 0..100);
        let report = client.flush_durable_async(PATIENCE).await;
        assert_eq!((report.spooled(), report.is_durable()), (100, true), "{report}");
        assert_found(&dir.as_killed(), 100);
    }
}

#[tokio::test]
async fn its_deadline_holds_although_the_thread_is_held_up() {
    const TIMEOUT: Duration = Duration::from_millis(30);
    let (dir, memory) = (TempDir::new(), MemoryTransport::new());
    let clog = Clog::of(&memory);
    let client = spooling(Arc::clone(&clog), dir.quick()).build().unwrap();
    emit(&client, 0..10);
    clog.wait();
    emit(&client, 10..20);
    let start = now();
    let report = client.flush_durable(TIMEOUT);
    assert_eq!((report.pending(), report.is_durable()), (20, false), "{report}");
    let report = client.flush_durable_async(TIMEOUT).await;
    assert_eq!((report.pending(), report.is_durable()), (20, false), "{report}");
    assert!(start.elapsed() < 2 * TIMEOUT + MARGIN, "{:?}", start.elapsed());
    clog.release();
    assert!(client.flush_durable(PATIENCE).is_durable());
    assert!(client.flush(PATIENCE).is_delivered());
    assert_arrived(&memory, 0..20);
}

#[test]
fn without_a_spool_nothing_is_durable_before_it_is_delivered() {
    let memory = MemoryTransport::new();
    let gate = Gate::shut(&memory);
    let client = client(&memory).transport(Arc::clone(&gate)).in_flight(1).build().unwrap();
    emit(&client, 0..10);
    let report = client.flush_durable(Duration::from_millis(20));
    assert_eq!((report.pending(), report.spooled(), report.is_durable()), (10, 0, false), "{report}");
    gate.open();
    let report = client.flush_durable(PATIENCE);
    assert!(report.is_delivered(), "{report}");
    assert_arrived(&memory, 0..10);
}

/// Set for the process that dies: its spool's folder.
const CHILD: &str = "JKOOL_TEST_SPOOL";

/// No test of its own: what the next one runs in a process of its own.
#[test]
fn the_child() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let gate = Gate::shut(&MemoryTransport::new());
    let client = spooling(gate, jkool_client::Spool::new(folder)).build().unwrap();
    emit(&client, 0..100);
    assert!(client.flush_durable(PATIENCE).is_durable());
    println!("durable");
    // As with a kill nothing is tidied up.
    std::process::abort();
}

#[test]
fn what_is_durable_outlives_a_process_that_dies() {
    let dir = TempDir::new();
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", "durable::the_child", "--nocapture"]).env(CHILD, dir.spool()).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && printed.contains("durable"), "{output:?}");
    assert_found(&dir, 100);
}
