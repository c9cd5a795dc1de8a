//! Several clients on one delivery thread.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;
#[path = "common/transports.rs"]
mod transports;

use common::{PATIENCE, assert_accounts, client};
use jkool_client::transport::MemoryTransport;
use jkool_client::{Client, Health, LossReason};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use transports::Gate;

/// The tests count the threads of their process, so they take turns.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many threads deliver.
fn threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok());
    names.filter(|name| name.trim_end() == "jkool").count()
}

fn wait_for_threads(count: usize) {
    while threads() != count {
        std::thread::yield_now();
    }
}

#[test]
fn many_clients_deliver_on_one_thread_which_ends_with_the_last() {
    let _turn = turn();
    let memories: Vec<MemoryTransport> = (0..20).map(|_| MemoryTransport::new()).collect();
    let mut clients: Vec<Client> = Vec::new();
    for memory in &memories {
        let mut builder = client(memory);
        if let Some(first) = clients.first() {
            builder = builder.share_worker(first);
        }
        clients.push(builder.build().unwrap());
    }
    assert_eq!(threads(), 1);
    for (number, client) in clients.iter().enumerate() {
        for _ in 0..=number {
            client.event("op").emit();
        }
    }
    for (number, client) in clients.iter().enumerate() {
        assert!(client.flush(PATIENCE).is_delivered());
        assert_eq!(memories[number].payloads().len(), number + 1);
    }
    // The first one ends, and the others go on.
    let mut others = clients.split_off(1);
    assert!(clients[0].shutdown(PATIENCE).is_delivered());
    assert_eq!(threads(), 1);
    let last = others.pop().unwrap();
    drop(others);
    last.event("op").emit();
    assert!(last.flush(PATIENCE).is_delivered());
    assert_eq!(threads(), 1);
    assert!(last.shutdown(PATIENCE).is_delivered());
    wait_for_threads(0);
    // A thread that has ended is begun anew.
    let memory = MemoryTransport::new();
    let late = client(&memory).share_worker(&last).build().unwrap();
    late.event("op").emit();
    assert!(late.flush(PATIENCE).is_delivered());
    assert_eq!(threads(), 1);
    drop(late);
    wait_for_threads(0);
}

#[test]
fn a_server_that_does_not_answer_and_a_hook_that_panics_hold_up_no_other() {
    let _turn = turn();
    let memory = MemoryTransport::new();
    let gate = Gate::shut(&MemoryTransport::new());
    let stuck = client(&memory).transport(Arc::clone(&gate)).build().unwrap();
    let panics = client(&memory).share_worker(&stuck).before_send(|_| panic!("a hook that panics")).build().unwrap();
    let well = client(&memory).share_worker(&panics).build().unwrap();
    stuck.event("op").emit();
    gate.wait_for(1);
    panics.event("op").emit();
    well.event("op").emit();
    assert!(well.flush(PATIENCE).is_delivered());
    assert_eq!(panics.flush(PATIENCE).pending(), 0);
    assert_accounts(&panics, 1, 0, &[(LossReason::HookPanic, 1)]);
    assert_eq!(stuck.shutdown(Duration::from_millis(10)).dropped(), 1);
    well.event("op").emit();
    assert!(well.flush(PATIENCE).is_delivered());
    drop((stuck, panics, well));
    wait_for_threads(0);
}

/// A hook of one waits for another, which lives on the same thread.
#[test]
fn a_hook_does_not_wait_for_its_own_thread() {
    let _turn = turn();
    let memory = MemoryTransport::new();
    let other = client(&memory).build().unwrap();
    let (within, reports) = (other.clone(), Arc::new(Mutex::new(Vec::new())));
    let told = Arc::clone(&reports);
    let hook = move |entity| {
        within.event("from the hook").emit();
        told.lock().unwrap().push(within.flush(PATIENCE));
        Some(entity)
    };
    let client = client(&memory).share_worker(&other).before_send(hook).build().unwrap();
    client.event("op").emit();
    assert!(client.flush(PATIENCE).is_delivered());
    assert_eq!(reports.lock().unwrap()[0].pending(), 1);
    assert!(other.flush(PATIENCE).is_delivered());
    drop((client, other));
    wait_for_threads(0);
}

#[test]
fn clients_that_come_and_go_at_the_same_time_all_deliver() {
    let _turn = turn();
    let memory = MemoryTransport::new();
    let first = client(&memory).build().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let client = client(&MemoryTransport::new()).share_worker(&first).build().unwrap();
                    client.event("op").emit();
                    assert!(client.shutdown(PATIENCE).is_delivered());
                    let Health { condition, .. } = client.health();
                    assert!(matches!(condition, jkool_client::Condition::Ended));
                }
            });
        }
        // It ends while others come.
        assert!(first.shutdown(PATIENCE).is_delivered());
    });
    drop(first);
    wait_for_threads(0);
}
