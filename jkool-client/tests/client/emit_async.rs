//! Tasks that wait for room in the queue, and block no thread.

use crate::common::{PATIENCE, assert_accounts, assert_balanced, client, in_a_hook, messages};
use crate::transports::{Counter, Gate};
use jkool_client::model::Event;
use jkool_client::transport::MemoryTransport;
use jkool_client::{Admission, Client, DeliveryOutcome, LossReason, OverflowPolicy, Permit};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// A client whose queue is full, and whose server answers nothing yet.
fn full(events: usize) -> (Client, Arc<Gate>, MemoryTransport) {
    let memory = MemoryTransport::new();
    let gate = Gate::shut(&memory);
    let builder = client(&memory).transport(Arc::clone(&gate)).queue_events(events).in_flight(1).max_batch(1);
    let client = builder.build().unwrap();
    for number in 0..events {
        assert_eq!(client.event("op").message(number.to_string()).emit(), Admission::Accepted);
    }
    gate.wait_for(1);
    (client, gate, memory)
}

#[test]
fn tasks_wait_for_room_in_the_order_in_which_they_came() {
    let (client, gate, memory) = full(3);
    let mut tasks: Vec<_> =
        (3..20).map(|number| Box::pin(client.event("op").message(number.to_string()).emit_async())).collect();
    assert!(tasks.iter_mut().all(|task| poll(task.as_mut()).is_pending()));
    assert_eq!(client.event("op").emit(), Admission::Dropped(LossReason::Overflow), "who does not wait is dropped");
    gate.open();
    for task in tasks {
        assert_eq!(block_on(task), Admission::Accepted);
    }
    assert!(client.flush(PATIENCE).is_delivered());
    assert_eq!(messages(&memory), (0..20).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_accounts(&client, 21, 20, &[(LossReason::Overflow, 1)]);
}

/// Many tasks on several threads, far more than there is room for, beside threads that block.
#[test]
fn nothing_is_lost_and_the_limit_holds() {
    let counter = Arc::new(Counter::default());
    let memory = MemoryTransport::new();
    let builder = client(&memory).transport(Arc::clone(&counter)).queue_events(10).max_batch(4);
    let client = builder.overflow(OverflowPolicy::Block(PATIENCE)).build().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let client = client.clone();
            runtime.spawn(async move {
                for _ in 0..20 {
                    assert_eq!(client.event("op").emit_async().await, Admission::Accepted);
                    assert!(client.stats().in_memory() <= 10);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let client = client.clone();
            std::thread::spawn(move || {
                for _ in 0..500 {
                    assert_eq!(client.event("op").emit(), Admission::Accepted);
                }
            })
        })
        .collect();
    tasks.into_iter().for_each(|task| runtime.block_on(task).unwrap());
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert!(client.flush(PATIENCE).is_delivered());
    assert_accounts(&client, 5_000, 5_000, &[]);
    assert_eq!(counter.count(), 5_000);
}

fn event(message: impl Into<String>) -> Event {
    let event = Event::builder().operation("op").message(message.into());
    event.source("APPL=test".parse().unwrap()).build().unwrap()
}

#[test]
fn room_that_is_held_is_nobody_elses_and_goes_back() {
    let memory = MemoryTransport::new();
    let gate = Gate::shut(&memory);
    let client = client(&memory).transport(Arc::clone(&gate)).queue_events(2).build().unwrap();
    let permits: Vec<Permit<'_>> = (0..2).map(|_| block_on(client.reserve()).unwrap()).collect();
    assert_eq!(client.stats().in_memory(), 0);
    assert_eq!(client.event("op").emit(), Admission::Dropped(LossReason::Overflow));
    let mut waits = pin!(client.reserve());
    assert!(poll(waits.as_mut()).is_pending());
    let mut gives_up = Box::pin(client.reserve());
    assert!(poll(gives_up.as_mut()).is_pending());
    let mut last = pin!(client.reserve());
    assert!(poll(last.as_mut()).is_pending());
    drop(permits);
    // It was given room, and was not told yet.
    drop(gives_up);
    let permit = block_on(waits).unwrap();
    assert_eq!(permit.emit(event("1")), Admission::Accepted);
    let receipt = block_on(last).unwrap().emit_tracked(event("2"));
    assert_eq!(receipt.outcome(), None);
    gate.open();
    assert_eq!(block_on(receipt), DeliveryOutcome::Delivered);
    assert!(client.flush(PATIENCE).is_delivered());
    assert_accounts(&client, 3, 2, &[(LossReason::Overflow, 1)]);
    for _ in 0..100 {
        let permits: Vec<_> = (0..2).map(|_| block_on(client.reserve()).unwrap()).collect();
        drop(permits);
    }
    assert_eq!(client.event("op").emit(), Admission::Accepted);
}

#[test]
fn an_event_that_is_larger_than_the_room_that_is_held_comes_in() {
    let memory = MemoryTransport::new();
    let gate = Gate::shut(&memory);
    let client = client(&memory).transport(Arc::clone(&gate)).queue_bytes(20_000).build().unwrap();
    let permit = block_on(client.reserve()).unwrap();
    assert_eq!(permit.emit(event("x".repeat(19_000))), Admission::Accepted);
    let mut waits = pin!(client.event("op").message("y".repeat(10_000)).emit_async());
    assert!(poll(waits.as_mut()).is_pending());
    assert_balanced(&client.stats());
    let never = block_on(client.event("op").message("z".repeat(30_000)).emit_async());
    assert_eq!(never, Admission::Dropped(LossReason::Overflow), "there is never so much room");
    gate.open();
    assert_eq!(block_on(waits), Admission::Accepted);
    assert!(client.flush(PATIENCE).is_delivered());
    assert_accounts(&client, 3, 2, &[(LossReason::Overflow, 1)]);
    assert_eq!(client.stats().bytes_in_memory(), 0);
}

#[test]
fn who_waits_for_room_that_will_not_come_is_told() {
    let (client, _gate, _memory) = full(2);
    let mut emits = pin!(client.event("op").emit_async());
    let mut reserves = pin!(client.reserve());
    assert!(poll(emits.as_mut()).is_pending());
    assert!(poll(reserves.as_mut()).is_pending());
    let _report = client.shutdown(Duration::from_millis(10));
    assert_eq!(block_on(emits), Admission::Dropped(LossReason::AfterShutdown));
    assert_eq!(block_on(reserves).unwrap_err(), LossReason::AfterShutdown);
    assert_eq!(block_on(client.event("op").emit_async()), Admission::Dropped(LossReason::AfterShutdown));
    assert_accounts(&client, 4, 0, &[(LossReason::Shutdown, 2), (LossReason::AfterShutdown, 2)]);
}

#[test]
fn a_hook_that_waits_for_room_does_not_wait_for_itself() {
    let ask = |client: &Client| poll(pin!(client.event("from the hook").emit_async()));
    let (client, admission) = in_a_hook(client(&MemoryTransport::new()).queue_events(1), ask);
    assert_eq!(admission, Poll::Ready(Admission::Dropped(LossReason::Overflow)));
    assert!(client.flush(PATIENCE).is_delivered());
}
