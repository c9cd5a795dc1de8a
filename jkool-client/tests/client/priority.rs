//! Severe events go before others, in memory and in the spool.

use crate::common::{PATIENCE, assert_accounts, client, messages};
use crate::transports::Gate;
use jkool_client::model::Severity;
use jkool_client::transport::MemoryTransport;
use jkool_client::{Client, LossReason, OverflowPolicy};
use std::sync::Arc;

/// Every fourth is an error.
fn emit(client: &Client, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let severity = if number % 4 == 3 { Severity::Error } else { Severity::Debug };
        client.event("op").severity(severity).message(number.to_string()).emit();
    }
}

/// The errors among these, and then the others.
fn errors_first(numbers: std::ops::Range<usize>) -> Vec<String> {
    let (errors, others): (Vec<_>, Vec<_>) = numbers.partition(|number| number % 4 == 3);
    errors.into_iter().chain(others).map(|number| number.to_string()).collect()
}

#[test]
fn errors_wait_for_what_is_under_way_and_for_nothing_else() {
    let memory = MemoryTransport::new();
    let gate = Gate::shut(&memory);
    let builder = client(&memory).transport(Arc::clone(&gate)).in_flight(1).max_batch(5);
    let client = builder.priority(Severity::Error).build().unwrap();
    client.event("op").message("under way").emit();
    gate.wait_for(1);
    emit(&client, 0..40);
    gate.open();
    assert!(client.flush(PATIENCE).is_delivered());
    let mut expected = errors_first(0..40);
    expected.insert(0, "under way".to_owned());
    assert_eq!(messages(&memory), expected);
}

#[test]
fn others_make_room_before_errors_do() {
    let memory = MemoryTransport::new();
    let gate = Gate::shut(&memory);
    let builder = client(&memory).transport(Arc::clone(&gate)).in_flight(1).max_batch(1).queue_events(5);
    let client = builder.priority(Severity::Error).overflow(OverflowPolicy::DropOldest).build().unwrap();
    client.event("op").message("under way").emit();
    gate.wait_for(1);
    emit(&client, 0..16);
    gate.open();
    assert!(client.flush(PATIENCE).is_delivered());
    assert_eq!(messages(&memory), ["under way", "3", "7", "11", "15"]);
    assert_accounts(&client, 17, 5, &[(LossReason::Overflow, 12)]);
}

mod spooled {
    use super::{PATIENCE, emit, errors_first, messages};
    use crate::spools::{TempDir, leave, spooling};
    use crate::transports::Outage;
    use jkool_client::SpoolMode;
    use jkool_client::model::Severity;
    use jkool_client::transport::MemoryTransport;
    use std::sync::Arc;
    use std::time::Duration;

    /// With a spool full of what is less severe, and some more in the queue.
    #[test]
    fn errors_go_before_what_waits_in_the_spool() {
        for mode in [SpoolMode::Overflow, SpoolMode::WriteAhead] {
            let (dir, memory) = (TempDir::new(), MemoryTransport::new());
            let outage = Outage::of(&memory);
            let builder = spooling(Arc::clone(&outage), dir.quick().mode(mode)).max_batch(10);
            let client = builder.priority(Severity::Error).build().unwrap();
            emit(&client, 0..1);
            while outage.refused() == 0 {
                std::thread::yield_now();
            }
            for start in [1, 101, 201] {
                emit(&client, start..start + 100);
                assert!(client.flush_durable(PATIENCE).is_durable());
            }
            emit(&client, 301..400);
            outage.end();
            assert!(client.flush(PATIENCE).is_delivered());
            let mut arrived = messages(&memory);
            // What was under way when the outage began stays first.
            let first = arrived.remove(0);
            assert_eq!((first.as_str(), arrived), ("0", errors_first(1..400)), "{mode:?}");
        }
    }

    #[test]
    fn the_next_process_sends_errors_first() {
        let (dir, memory) = (TempDir::new(), MemoryTransport::new());
        let outage = Outage::of(&MemoryTransport::new());
        let client = spooling(outage, dir.quick()).priority(Severity::Error).build().unwrap();
        emit(&client, 0..400);
        assert!(client.flush_durable(PATIENCE).is_durable());
        assert_eq!(leave(&client, Duration::from_millis(10)).spooled(), 400);
        // It need not know why some go first.
        let next = spooling(memory.clone(), dir.quick()).build().unwrap();
        let report = next.flush(PATIENCE);
        assert!(report.is_delivered(), "{report}; {:?}", next.health());
        assert_eq!(messages(&memory), errors_first(0..400));
    }
}
