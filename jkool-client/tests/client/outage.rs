//! An outage that ends while somebody waits, settings beyond all reason, and what is told at the end.

use crate::common::{PATIENCE, assert_accounts, assert_balanced, client, failure, in_a_hook};
use crate::transports::Gate;
use jkool_client::transport::{Disposition, Failover, MemoryTransport, Step};
use jkool_client::{Client, ClientBuilder, Condition, LossReason, OverflowPolicy, RetryPolicy};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

const FOREVER: Duration = Duration::MAX;

/// A client that was refused once, and would not try again for a very long time.
fn in_backoff(memory: &MemoryTransport, disposition: Disposition) -> Client {
    memory.script([Step::Fail(failure(disposition))]);
    let retry = RetryPolicy::default().initial(FOREVER).max(FOREVER).probe(FOREVER, FOREVER);
    let client = client(memory).retry(retry).build().unwrap();
    client.event("op").emit();
    while matches!(client.health().condition, Condition::Running) {
        std::thread::yield_now();
    }
    client
}

const DISPOSITIONS: [Disposition; 2] = [Disposition::Retry { after: None }, Disposition::Misconfigured];

#[test]
fn a_flush_during_a_wait_for_the_server_tries() {
    for disposition in DISPOSITIONS {
        let memory = MemoryTransport::new();
        let client = in_backoff(&memory, disposition);
        assert!(client.flush(PATIENCE).is_delivered(), "{disposition:?}");
        assert_accounts(&client, 1, 1, &[]);
    }
}

#[test]
fn who_knows_that_the_server_is_back_says_so() {
    for disposition in DISPOSITIONS {
        let memory = MemoryTransport::new();
        let client = in_backoff(&memory, disposition);
        client.retry_now();
        while client.stats().delivered() < 1 {
            std::thread::yield_now();
        }
        assert!(matches!(client.health().condition, Condition::Running));
    }
}

#[test]
fn a_shutdown_during_a_wait_for_the_server_tries_until_its_end() {
    for disposition in DISPOSITIONS {
        let memory = MemoryTransport::new();
        let client = in_backoff(&memory, disposition);
        // It is not well yet.
        memory.script([Step::Fail(failure(disposition)), Step::Fail(failure(disposition))]);
        assert!(client.shutdown(Duration::from_secs(2)).is_delivered(), "{disposition:?}");
        assert_accounts(&client, 1, 1, &[]);
    }
}

#[test]
fn a_flush_in_a_hook_returns_at_once() {
    let ask = |client: &Client| (client.flush(PATIENCE * 100), client.flush_durable(PATIENCE * 100));
    let (client, (flush, durable)) = in_a_hook(client(&MemoryTransport::new()), ask);
    assert_eq!((flush.pending(), durable.pending()), (1, 1));
    assert!(client.shutdown(PATIENCE).is_delivered());
}

#[test]
fn settings_beyond_all_reason_are_as_good_as_the_largest() {
    let most = |client: ClientBuilder| {
        let retry =
            RetryPolicy::default().initial(FOREVER).max(FOREVER).max_retry_after(FOREVER).probe(FOREVER, FOREVER);
        client
            .queue_events(usize::MAX)
            .queue_bytes(usize::MAX)
            .max_batch(usize::MAX)
            .in_flight(usize::MAX)
            .flush_interval(FOREVER)
            .shutdown_timeout(FOREVER)
            .retry(retry)
    };
    for overflow in [OverflowPolicy::DropNewest, OverflowPolicy::DropOldest, OverflowPolicy::Block(FOREVER)] {
        let memory = MemoryTransport::new();
        let after = Some(FOREVER);
        memory.script([Step::Fail(failure(Disposition::Retry { after })), Step::Deliver]);
        let client = most(client(&memory)).overflow(overflow).build().unwrap();
        for _ in 0..100 {
            client.event("op").message("m").emit();
        }
        let report = client.flush(Duration::from_millis(1));
        assert_eq!(report.delivered() + report.pending(), 100);
        assert_balanced(&client.stats());
        assert_eq!(client.shutdown(Duration::ZERO).pending(), 0);
        assert_eq!(client.stats().accepted(), client.stats().delivered() + client.stats().dropped_total());
    }
}

/// Losses that come a moment after others were told of are told of at the end.
#[test]
fn the_last_losses_are_told() {
    let memory = MemoryTransport::new();
    let gate = Gate::shut(&memory);
    let (told, known) = (Arc::new(AtomicU64::new(0)), channel());
    let (last, (first, at_once)) = (Arc::clone(&told), known);
    let on_loss = move |stats: &jkool_client::Stats| {
        last.store(stats.dropped(LossReason::Overflow), Ordering::SeqCst);
        first.send(()).unwrap_or_default();
    };
    let client = client(&memory).transport(Arc::clone(&gate)).queue_events(10).on_loss(on_loss).build().unwrap();
    let lose = |events: u64| {
        while client.stats().dropped(LossReason::Overflow) < events {
            client.event("op").emit();
        }
    };
    lose(1);
    at_once.recv_timeout(PATIENCE).unwrap();
    lose(100);
    gate.open();
    assert!(client.shutdown(PATIENCE).is_delivered());
    assert_eq!(told.load(Ordering::SeqCst), 100);
}

#[test]
fn health_contains_what_the_transport_reports_until_the_end() {
    let first = MemoryTransport::new();
    first.push(Step::Fail(failure(DISPOSITIONS[0])));
    let client = client(&first).transport(Failover::new(first, MemoryTransport::new())).build().unwrap();
    client.event("op").emit();
    assert!(client.flush(PATIENCE).is_delivered());
    let health = client.health();
    assert_eq!(
        health.transport.iter().map(|metric| (metric.name, metric.value)).collect::<Vec<_>>(),
        [("failover_active", 1.0)]
    );
    let text = health.to_open_metrics();
    assert!(text.contains("\njkool_transport_failover_active 1\n"), "{text}");
    assert!(text.contains("\njkool_client_events_delivered_total 1\n") && text.ends_with("\n# EOF\n"), "{text}");
    assert!(client.shutdown(PATIENCE).is_delivered());
    assert_eq!(client.health().transport, []);
}
