//! Receipts: what becomes of a single event, told to who emitted it.

use crate::common::{PATIENCE, assert_accounts, client, failure, in_a_hook};
use crate::transports::Gate;
use jkool_client::model::Entity;
use jkool_client::transport::{Disposition, MemoryTransport, Step};
use jkool_client::{Client, DeliveryOutcome, DeliveryReceipt, LossReason, OverflowPolicy};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

const NOW: Duration = Duration::ZERO;

fn dropped(reason: LossReason) -> Option<DeliveryOutcome> {
    Some(DeliveryOutcome::Dropped(reason))
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn a_receipt_is_open_until_the_server_has_confirmed_its_event() {
    let memory = MemoryTransport::new();
    let gate = Gate::shut(&memory);
    let client = client(&memory).transport(Arc::clone(&gate)).build().unwrap();
    client.event("other").emit();
    let mut receipt = client.event("op").emit_tracked();
    gate.wait_for(1);
    assert_eq!((receipt.outcome(), receipt.wait(NOW)), (None, None));
    gate.open();
    assert_eq!(receipt.wait(PATIENCE), Some(DeliveryOutcome::Delivered));
    assert_eq!(block_on(receipt.durable()), DeliveryOutcome::Delivered);
    assert_eq!(block_on(receipt), DeliveryOutcome::Delivered);
    let activity = client.activity("group").emit_tracked();
    assert_eq!(block_on(activity), DeliveryOutcome::Delivered);
    let snapshot = client.snapshot("metrics").property("cpu", 0.5).emit_tracked();
    assert_eq!(block_on(snapshot), DeliveryOutcome::Delivered);
    assert_accounts(&client, 4, 4, &[]);
}

#[test]
fn each_of_many_learns_its_own() {
    let memory = MemoryTransport::new();
    memory.script([Step::Deliver, Step::FailAt { index: 1, failure: failure(Disposition::Rejected) }]);
    let gate = Gate::shut(&memory);
    let client = client(&memory).transport(Arc::clone(&gate)).in_flight(1).max_batch(3).build().unwrap();
    client.event("under way").emit();
    gate.wait_for(1);
    let receipts: Vec<DeliveryReceipt> = ["a", "b", "c"].map(|name| client.event(name).emit_tracked()).into();
    gate.open();
    let outcomes: Vec<_> = receipts.iter().map(|receipt| receipt.wait(PATIENCE)).collect();
    let delivered = Some(DeliveryOutcome::Delivered);
    assert_eq!(outcomes, [delivered, dropped(LossReason::Rejected), delivered]);
}

#[test]
fn whatever_ends_an_event_is_told() {
    let memory = MemoryTransport::new();
    let gate = Gate::shut(&memory);
    // What the hook drops makes room: not before all have come.
    let (hold, held) = channel::<()>();
    let hook = move |entity: Entity| {
        assert_ne!(held.recv_timeout(PATIENCE), Err(RecvTimeoutError::Timeout));
        match &entity {
            Entity::Event(event) if event.operation == "secret" => None,
            Entity::Event(event) if event.operation == "bad" => panic!("a hook that panics"),
            _ => Some(entity),
        }
    };
    let client = client(&memory).transport(Arc::clone(&gate)).queue_events(4).before_send(hook).build().unwrap();
    let receipts = ["secret", "bad", "op", "op", "late"].map(|name| client.event(name).emit_tracked());
    assert_eq!(receipts[4].wait(NOW), dropped(LossReason::Overflow), "it does not even come in");
    drop(hold);
    assert_eq!(receipts[0].wait(PATIENCE), dropped(LossReason::BeforeSend));
    assert_eq!(receipts[1].wait(PATIENCE), dropped(LossReason::HookPanic));
    // The server does not answer, and there is no spool.
    let _report = client.shutdown(Duration::from_millis(10));
    assert_eq!(block_on(async { receipts.into_iter().nth(2).unwrap().await }), dropped(LossReason::Shutdown).unwrap());
    assert_eq!(client.event("op").emit_tracked().outcome(), dropped(LossReason::AfterShutdown));
}

#[test]
fn an_event_that_the_service_would_refuse_is_told_of() {
    let client = client(&MemoryTransport::new()).build().unwrap();
    let without_properties = client.snapshot("metrics").emit_tracked();
    assert_eq!(without_properties.wait(PATIENCE), dropped(LossReason::Invalid));
}

#[test]
fn an_event_that_makes_room_for_others_is_told_of() {
    let memory = MemoryTransport::new();
    let gate = Gate::shut(&memory);
    let builder = client(&memory).transport(Arc::clone(&gate)).queue_events(3).in_flight(1).max_batch(1);
    let client = builder.overflow(OverflowPolicy::DropOldest).build().unwrap();
    client.event("under way").emit();
    gate.wait_for(1);
    let receipts: Vec<_> = (0..4).map(|_| client.event("op").emit_tracked()).collect();
    let outcomes: Vec<_> = receipts.iter().map(|receipt| receipt.outcome()).collect();
    assert_eq!(outcomes, [dropped(LossReason::Overflow), dropped(LossReason::Overflow), None, None]);
    gate.open();
    assert!(receipts[2..].iter().all(|receipt| receipt.wait(PATIENCE) == Some(DeliveryOutcome::Delivered)));
}

#[test]
fn a_hook_that_waits_for_a_receipt_does_not_wait_for_itself() {
    let ask = |client: &Client| client.event("from the hook").emit_tracked().wait(PATIENCE);
    let (client, outcome) = in_a_hook(client(&MemoryTransport::new()), ask);
    assert_eq!(outcome, None);
    assert!(client.flush(PATIENCE).is_delivered());
}

mod spooled {
    use super::{PATIENCE, block_on, dropped};
    use crate::spools::{TempDir, spooling};
    use crate::transports::Outage;
    use jkool_client::transport::MemoryTransport;
    use jkool_client::{DeliveryOutcome, SpoolMode};
    use std::time::Duration;

    #[test]
    fn what_is_durable_is_told_before_it_is_delivered() {
        for mode in [SpoolMode::Overflow, SpoolMode::WriteAhead] {
            let (dir, memory) = (TempDir::new(), MemoryTransport::new());
            let outage = Outage::of(&memory);
            let client = spooling(std::sync::Arc::clone(&outage), dir.quick().mode(mode)).build().unwrap();
            let mut receipt = client.event("op").emit_tracked();
            assert!(client.flush_durable(PATIENCE).is_durable());
            assert_eq!(block_on(receipt.durable()), DeliveryOutcome::Spooled);
            assert_eq!(receipt.outcome(), Some(DeliveryOutcome::Spooled));
            outage.end();
            client.retry_now();
            assert_eq!(receipt.wait(PATIENCE), Some(DeliveryOutcome::Delivered), "{mode:?}");
        }
    }

    #[test]
    fn what_is_left_in_the_spool_is_told_at_the_end() {
        let (dir, memory) = (TempDir::new(), MemoryTransport::new());
        let client = spooling(Outage::of(&memory), dir.quick()).build().unwrap();
        let receipts: Vec<_> = (0..10).map(|_| client.event("op").emit_tracked()).collect();
        let report = client.shutdown(Duration::from_millis(200));
        assert_eq!(report.spooled(), 10);
        assert!(receipts.iter().all(|receipt| receipt.outcome() == Some(DeliveryOutcome::Spooled)));
        for receipt in receipts {
            assert_eq!(block_on(receipt), DeliveryOutcome::Spooled);
        }
        assert_eq!(client.event("op").emit_tracked().outcome(), dropped(jkool_client::LossReason::AfterShutdown));
    }
}
