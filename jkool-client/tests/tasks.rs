//! Many tasks that wait for a delivery that does not come.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;
#[path = "common/transports.rs"]
mod transports;

use common::{PATIENCE, client};
use jkool_client::transport::MemoryTransport;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;
use transports::Gate;

/// The names of this process's threads that begin so.
fn threads(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok());
    names.filter(|found| found.starts_with(name)).count()
}

#[test]
fn any_number_of_tasks_wait_by_one_thread_and_leave_nothing_behind() {
    let gate = Gate::shut(&MemoryTransport::new());
    let client = client(&MemoryTransport::new()).transport(std::sync::Arc::clone(&gate)).build().unwrap();
    client.event("op").emit();
    let mut waiting: Vec<Pin<Box<dyn Future<Output = _>>>> = Vec::new();
    for number in 0..5_000 {
        let timeout = if number < 10 { Duration::from_millis(20) } else { 100 * PATIENCE };
        waiting.push(Box::pin(client.flush_async(timeout)));
    }
    let context = &mut Context::from_waker(Waker::noop());
    assert!(waiting.iter_mut().all(|flush| flush.as_mut().poll(context).is_pending()));
    assert_eq!(threads("jkool-"), 1, "the timer");
    // Its deadline holds although nothing else happens.
    let report = block_on(waiting.remove(3));
    assert_eq!(report.pending(), 1);
    // Nobody waits any more.
    waiting.clear();
    while threads("jkool-") > 0 {
        std::thread::yield_now();
    }
    gate.open();
    assert!(block_on(client.flush_async(PATIENCE)).is_delivered());
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
