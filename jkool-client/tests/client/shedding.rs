//! What goes first when the queue fills, and how the server learns of what it never saw.

use crate::common::{PATIENCE, assert_accounts, assert_balanced, client, failure, messages};
use crate::transports::{Gate, Judge};
use jkool_client::model::{Event, Severity};
use jkool_client::transport::{Disposition, Kind, MemoryTransport, Outcome, Payload};
use jkool_client::{Admission, Client, ClientBuilder, LossReason};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Emits an event of that severity, with a message that names it.
fn emit(client: &Client, severity: Severity) -> Admission {
    client.event("op").severity(severity).message(format!("{severity:?}")).emit()
}

const SHED: Admission = Admission::Dropped(LossReason::Shed);
const OVERFLOW: Admission = Admission::Dropped(LossReason::Overflow);

#[test]
fn what_is_less_severe_is_shed_only_while_three_quarters_are_full() {
    let memory = MemoryTransport::new();
    let gate = Gate::shut(&memory);
    let builder = client(&memory).transport(Arc::clone(&gate)).in_flight(1).max_batch(20);
    let client = builder.queue_events(80).shed_below(Severity::Info).build().unwrap();
    for _ in 0..30 {
        for severity in [Severity::Trace, Severity::Debug] {
            assert_eq!(emit(&client, severity), Admission::Accepted);
        }
    }
    // What is on its way takes room as well.
    gate.wait_for(1);
    for severity in [Severity::Trace, Severity::Debug] {
        assert_eq!(emit(&client, severity), SHED);
    }
    let kept = [Severity::None, Severity::Info, Severity::Warning, Severity::Fatal];
    for _ in 0..5 {
        for severity in kept {
            assert_eq!(emit(&client, severity), Admission::Accepted);
        }
    }
    // An activity and a snapshot have no severity to be shed for, and a full queue is full for all.
    assert_eq!(client.activity("op").emit(), OVERFLOW);
    assert_eq!(client.snapshot("op").property("p", 1).emit(), OVERFLOW);
    assert_eq!(emit(&client, Severity::Fatal), OVERFLOW);
    assert_eq!(emit(&client, Severity::Trace), SHED);

    gate.open();
    assert!(client.flush(PATIENCE).is_delivered());
    for severity in [Severity::Trace, Severity::Debug] {
        assert_eq!(emit(&client, severity), Admission::Accepted);
    }
    assert!(client.flush(PATIENCE).is_delivered());
    assert_accounts(&client, 88, 82, &[(LossReason::Shed, 3), (LossReason::Overflow, 3)]);
    let messages = messages(&memory);
    for severity in kept {
        let name = format!("{severity:?}");
        assert_eq!(messages.iter().filter(|message| **message == name).count(), 5, "{name}");
    }
}

#[test]
fn bytes_fill_the_queue_as_well_as_events_do() {
    let memory = MemoryTransport::new();
    let gate = Gate::shut(&memory);
    let builder = client(&memory).transport(Arc::clone(&gate)).in_flight(1).queue_bytes(1 << 20);
    let client = builder.shed_below(Severity::Warning).build().unwrap();
    assert_eq!(client.event("op").severity(Severity::Error).message("x".repeat(800 << 10)).emit(), Admission::Accepted);
    assert_eq!(emit(&client, Severity::Info), SHED);
    assert_eq!(emit(&client, Severity::Warning), Admission::Accepted);
    gate.open();
    assert!(client.flush(PATIENCE).is_delivered());
    assert_accounts(&client, 3, 2, &[(LossReason::Shed, 1)]);
}

#[test]
fn unless_asked_for_nothing_is_shed() {
    let memory = MemoryTransport::new();
    let gate = Gate::shut(&memory);
    let client = client(&memory).transport(Arc::clone(&gate)).in_flight(1).queue_events(8).build().unwrap();
    for _ in 0..8 {
        assert_eq!(emit(&client, Severity::Trace), Admission::Accepted);
    }
    assert_eq!(emit(&client, Severity::Fatal), OVERFLOW);
    gate.open();
    assert!(client.flush(PATIENCE).is_delivered());
}

/// The events about losses that have arrived.
fn summaries(memory: &MemoryTransport) -> Vec<Event> {
    let mut events = memory.decode::<Event>(Kind::Event).unwrap();
    events.retain(|event| event.operation == "events lost");
    events
}

/// Gives the delivery thread occasions to say something: it looks around before each of these goes.
fn occasions(client: &Client) {
    for _ in 0..5 {
        client.event("later").emit();
        assert_eq!(client.flush(PATIENCE).pending(), 0);
    }
}

/// Enough others get through to show that what is refused is refused for what it holds.
fn others(client: &Client) {
    for _ in 0..50 {
        client.event("other").emit();
    }
    assert_eq!(client.flush(PATIENCE).pending(), 0);
}

fn with_loss_events(builder: ClientBuilder) -> ClientBuilder {
    builder.loss_events(true).in_flight(1).max_batch(4)
}

/// Loses five events to a full queue and two to keep room.
fn lose_seven(client: &Client, gate: &Gate) {
    for _ in 0..6 {
        assert_eq!(emit(client, Severity::Info), Admission::Accepted);
    }
    gate.wait_for(1);
    assert_eq!((emit(client, Severity::Debug), emit(client, Severity::Debug)), (SHED, SHED));
    assert_eq!(
        (emit(client, Severity::Info), emit(client, Severity::Info)),
        (Admission::Accepted, Admission::Accepted)
    );
    for _ in 0..5 {
        assert_eq!(emit(client, Severity::Fatal), OVERFLOW);
    }
    gate.open();
    assert!(client.flush(PATIENCE).is_delivered());
}

const LOST: [(LossReason, u64); 2] = [(LossReason::Overflow, 5), (LossReason::Shed, 2)];

#[test]
fn an_event_tells_of_losses_once_there_is_room_again() {
    let memory = MemoryTransport::new();
    let gate = Gate::shut(&memory);
    let builder = with_loss_events(client(&memory).transport(Arc::clone(&gate)));
    let client = builder.queue_events(8).shed_below(Severity::Info).build().unwrap();
    lose_seven(&client, &gate);
    occasions(&client);
    let told = summaries(&memory);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].message, "7 lost: 5 the queue was full, 2 shed to make room");
    assert_eq!(told[0].severity, Severity::Warning);
    // As complete as any other.
    assert!(told[0].time.is_some() && told[0].tracking_id.is_some() && told[0].source.is_some(), "{:?}", told[0]);
    assert_accounts(&client, 15 + 5 + 1, 8 + 5 + 1, &LOST);

    // The next is due in a minute, and a shutdown is no reason for one.
    client.count_dropped(LossReason::Recursion);
    occasions(&client);
    assert!(client.shutdown(PATIENCE).is_delivered());
    assert_eq!(summaries(&memory).len(), 1);
    assert_balanced(&client.stats());
}

#[test]
fn no_event_tells_of_losses_when_that_is_switched_off() {
    let memory = MemoryTransport::new();
    let gate = Gate::shut(&memory);
    let builder = with_loss_events(client(&memory).transport(Arc::clone(&gate))).loss_events(false);
    let client = builder.queue_events(8).shed_below(Severity::Info).build().unwrap();
    lose_seven(&client, &gate);
    occasions(&client);
    assert_eq!(summaries(&memory).len(), 0);
    assert_accounts(&client, 15 + 5, 8 + 5, &LOST);
}

#[test]
fn no_event_tells_of_what_the_server_refused_or_the_program_dropped() {
    let memory = MemoryTransport::new();
    let judge = Judge::of(&memory, |payload: &Payload| match std::str::from_utf8(payload.body()) {
        Ok(body) if body.contains("refused") => Outcome::Failed(failure(Disposition::Rejected)),
        _ => Outcome::Delivered,
    });
    let hook = |entity| match &entity {
        jkool_client::model::Entity::Event(event) if event.message == "unwanted" => None,
        _ => Some(entity),
    };
    let client = with_loss_events(client(&memory).transport(judge)).before_send(hook).max_batch(1).build().unwrap();
    for message in ["refused", "refused", "refused", "unwanted", "fine"] {
        client.event("op").message(message).emit();
    }
    others(&client);
    occasions(&client);
    assert_accounts(&client, 60, 56, &[(LossReason::Rejected, 3), (LossReason::BeforeSend, 1)]);
    // The same client tells of a loss that the server can't know of.
    client.count_dropped(LossReason::Recursion);
    occasions(&client);
    assert_eq!(summaries(&memory).len(), 1);
}

#[test]
fn a_server_that_refuses_the_event_about_losses_is_not_told_of_that() {
    let memory = MemoryTransport::new();
    let seen = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&seen);
    let refuse = move |payload: &Payload| {
        if payload.key() != Some("events lost") {
            return Outcome::Delivered;
        }
        counted.fetch_add(1, Ordering::SeqCst);
        Outcome::Failed(failure(Disposition::Rejected))
    };
    let client = with_loss_events(client(&memory).transport(Judge::of(&memory, refuse))).max_batch(1).build().unwrap();
    client.count_dropped(LossReason::Recursion);
    others(&client);
    others(&client);
    let tries = seen.load(Ordering::SeqCst);
    assert!(tries >= 4, "until others have shown that the server works");
    occasions(&client);
    assert_eq!(seen.load(Ordering::SeqCst), tries);
    assert_accounts(&client, 1 + 105 + 1, 105, &[(LossReason::Recursion, 1), (LossReason::Rejected, 1)]);
}
