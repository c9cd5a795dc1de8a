//! Counts this process's threads and open files: one delivery thread for each client, and nothing left of those that ended.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;
#[path = "common/transports.rs"]
mod transports;

use common::{PATIENCE, assert_balanced, client};
use jkool_client::Admission;
use jkool_client::transport::MemoryTransport;
use std::fs::{read_dir, read_to_string};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use transports::{Counter, Gate};

/// One test at a time: what they count belongs to the process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many delivery threads there are.
fn delivery_threads() -> usize {
    let tasks = read_dir("/proc/self/task").unwrap();
    // A thread that ends while this looks has no name any more.
    tasks
        .filter(|task| read_to_string(task.as_ref().unwrap().path().join("comm")).is_ok_and(|n| n == "jkool\n"))
        .count()
}

fn open_files() -> usize {
    read_dir("/proc/self/fd").unwrap().count()
}

/// How many files are open without any client. The first one of a process may open some that stay (tokio's, for signals).
fn files_that_stay() -> usize {
    assert!(client(&MemoryTransport::new()).build().unwrap().shutdown(PATIENCE).is_delivered());
    assert_soon(delivery_threads, 0);
    open_files()
}

/// Waits until `count` is what it should be: a thread that is done takes a moment to end.
#[expect(clippy::disallowed_methods, reason = "nobody tells when the system has taken a thread away")]
fn assert_soon(count: impl Fn() -> usize, expected: usize) {
    let start = Instant::now();
    while count() != expected {
        assert!(start.elapsed() < PATIENCE, "{} instead of {expected}", count());
        std::thread::yield_now();
    }
}

#[test]
fn ten_thousand_threads_and_one_that_delivers() {
    const WAVES: usize = 20;
    const THREADS: usize = 500;
    const EACH: usize = 100;
    const ALL: u64 = (WAVES * THREADS * EACH) as u64;
    let _alone = alone();
    assert_soon(delivery_threads, 0);
    let server = Arc::<Counter>::default();
    let client = client(&MemoryTransport::new()).transport(Arc::clone(&server)).queue_bytes(32 << 20).build().unwrap();
    let accepted = AtomicU64::new(0);
    for _ in 0..WAVES {
        let (all_here, counted) = (Barrier::new(THREADS + 1), Barrier::new(THREADS + 1));
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                let emit = || {
                    all_here.wait();
                    for _ in 0..EACH {
                        if client.event("op").emit() == Admission::Accepted {
                            accepted.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    counted.wait();
                };
                std::thread::Builder::new().stack_size(256 << 10).spawn_scoped(scope, emit).unwrap();
            }
            all_here.wait();
            assert_eq!(delivery_threads(), 1);
            counted.wait();
        });
        assert_balanced(&client.stats());
    }
    assert!(client.shutdown(PATIENCE).is_delivered());
    let stats = client.stats();
    assert_balanced(&stats);
    assert_eq!((stats.accepted(), stats.in_memory(), stats.bytes_in_memory()), (ALL, 0, 0));
    assert_eq!(stats.delivered(), accepted.into_inner());
    assert_eq!(server.count(), stats.delivered());
    assert_soon(delivery_threads, 0);
}

#[test]
fn two_hundred_clients_leave_nothing_behind() {
    let _alone = alone();
    let files = files_that_stay();
    for number in 0..200 {
        let memory = MemoryTransport::new();
        let client = client(&memory).build().unwrap();
        client.event("op").emit();
        if number % 2 == 0 {
            assert!(client.shutdown(PATIENCE).is_delivered());
        }
        let clone = client.clone();
        drop((client, clone));
        assert_eq!(memory.len(), 1);
    }
    assert_soon(delivery_threads, 0);
    assert_soon(open_files, files);
}

#[test]
fn clients_of_a_server_that_hangs_leave_nothing_behind() {
    let _alone = alone();
    let files = files_that_stay();
    for _ in 0..50 {
        let gate = Gate::shut(&MemoryTransport::new());
        let client = client(&MemoryTransport::new()).transport(Arc::clone(&gate));
        let client = client.shutdown_timeout(Duration::ZERO).build().unwrap();
        client.event("op").emit();
        drop(client);
        // The thread lets go of the transport last.
        assert_soon(|| Arc::strong_count(&gate), 1);
    }
    assert_soon(delivery_threads, 0);
    assert_soon(open_files, files);
}

#[cfg(feature = "http")]
#[test]
fn connections_end_with_their_client() {
    use jkool_client::Client;

    let _alone = alone();
    assert_soon(delivery_threads, 0);
    let mut server = mockito::Server::new();
    let mock = server.mock("POST", "/event").with_status(202).expect(60).create();
    let files = open_files();
    for _ in 0..20 {
        let client = Client::builder().url(server.url()).notices(false).shutdown_timeout(PATIENCE).build().unwrap();
        for _ in 0..3 {
            client.event("op").emit();
        }
        drop(client);
    }
    mock.assert();
    assert_soon(delivery_threads, 0);
    assert_soon(open_files, files);
}

#[test]
fn as_many_delivery_threads_as_clients() {
    let _alone = alone();
    assert_soon(delivery_threads, 0);
    let clients: Vec<_> = (0..10).map(|_| client(&MemoryTransport::new()).build().unwrap()).collect();
    let clones: Vec<_> = clients.iter().flat_map(|client| [client.clone(), client.clone()]).collect();
    assert_eq!(delivery_threads(), 10);
    drop(clients);
    assert_eq!(delivery_threads(), 10);
    drop(clones);
    assert_soon(delivery_threads, 0);
}
