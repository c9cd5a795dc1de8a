//! Many threads at once: every record arrives once, in the order of its thread, and the guard waits for the last.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use jkool_log::client::{ClientBuilder, OverflowPolicy};
use jkool_log::transport::MemoryTransport;
use jkool_log::{Builder, Guard, Logger, builder};
use log::{LevelFilter, info};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

const THREADS: usize = 8;
const EACH: usize = 12_500;

fn large_queue(client: ClientBuilder) -> ClientBuilder {
    client.in_flight(1).queue_events(THREADS * EACH).queue_bytes(1 << 30)
}

fn small_queue(client: ClientBuilder) -> ClientBuilder {
    client.in_flight(1).queue_events(1_000).overflow(OverflowPolicy::Block(Duration::from_secs(60)))
}

fn start(settings: fn(ClientBuilder) -> ClientBuilder) -> (MemoryTransport, Arc<Logger>, Guard) {
    log::set_max_level(LevelFilter::Trace);
    let memory = MemoryTransport::new();
    let logger: Builder = builder().transport(memory.clone()).configure(settings);
    let (logger, guard) = logger.shutdown_timeout(Duration::from_secs(60)).build().unwrap();
    (memory, Arc::new(logger), guard)
}

fn log_all(logger: &Logger, thread: usize) {
    for number in 0..EACH {
        info!(logger: logger, thread, number; "m");
    }
}

/// Drops the guard and compares what arrived with what was logged.
fn end(memory: &MemoryTransport, guard: Guard) {
    #[derive(Deserialize)]
    struct Logged {
        properties: Vec<Property>,
    }
    #[derive(Deserialize)]
    struct Property {
        value: serde_json::Value,
    }

    let client = guard.client().clone();
    drop(guard);
    let mut next = [0; THREADS];
    for payload in memory.payloads() {
        let logged: Logged = serde_json::from_slice(payload.body()).unwrap();
        let number = |index: usize| usize::try_from(logged.properties[index].value.as_u64().unwrap()).unwrap();
        let (thread, number) = (number(0), number(1));
        assert_eq!(number, next[thread], "of thread {thread}");
        next[thread] += 1;
    }
    assert_eq!(next, [EACH; THREADS]);
    let stats = client.stats();
    assert_eq!((stats.accepted(), stats.delivered()), ((THREADS * EACH) as u64, (THREADS * EACH) as u64));
}

fn on_threads(settings: fn(ClientBuilder) -> ClientBuilder) {
    let (memory, logger, guard) = start(settings);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let logger = &*logger;
            scope.spawn(move || log_all(logger, thread));
        }
    });
    end(&memory, guard);
}

#[test]
fn without_a_runtime() {
    on_threads(large_queue);
}

#[test]
fn without_a_runtime_by_a_small_queue() {
    on_threads(small_queue);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inside_a_multi_thread_runtime() {
    let (memory, logger, guard) = start(large_queue);
    let tasks: Vec<_> = (0..THREADS)
        .map(|thread| {
            let logger = Arc::clone(&logger);
            tokio::runtime::Handle::current().spawn(async move { log_all(&logger, thread) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    end(&memory, guard);
}

#[test]
fn inside_block_on_of_a_current_thread_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (memory, logger, guard) = start(large_queue);
        for thread in 0..THREADS {
            let logger = Arc::clone(&logger);
            let task = runtime.spawn(async move { log_all(&logger, thread) });
            task.await.unwrap();
        }
        end(&memory, guard);
    });
}
