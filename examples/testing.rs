//! How to test code that emits: its client gets a [`MemoryTransport`], and the test reads what would have travelled.
//! `cargo run --example testing`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use jkool_client::model::{CompCode, Event, Severity, Snapshot};
use jkool_client::transport::{Disposition, ErrorKind, Failure, Kind, MemoryTransport, Step, TransportError};
use jkool_client::{Client, RetryPolicy};
use std::error::Error;
use std::time::Duration;

/// The code under test: checks an order, and tells jKool.
fn process_order(client: &Client, order_no: &str, amount: i32) -> Result<i32, OrderError> {
    let payment = Snapshot::builder("Payment")
        .category("Order")
        .property("order-no", order_no.to_owned())
        .property("order-amount", amount)
        .build();
    let scope = client.event("ProcessOrder").correlator(order_no.to_owned()).snapshot(payment).start();
    scope.record(match amount {
        1.. => Ok(amount),
        _ => Err(OrderError { amount }),
    })
}

// In a crate of yours, these three are `#[test]`s.

fn an_order_leaves_its_event() -> TestResult {
    let memory = MemoryTransport::new();
    let client = Client::builder().transport(memory.clone()).source("APPL=WebOrders".parse()?).build()?;

    process_order(&client, "A-100", 250)?;

    assert!(client.flush(SOON).is_delivered());
    let events: Vec<Event> = memory.decode(Kind::Event)?;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].operation, "ProcessOrder");
    assert_eq!(events[0].correlators, ["A-100"]);
    assert_eq!(events[0].comp_code, Some(CompCode::Success));
    assert_eq!(events[0].snapshots[0].properties[1].value.as_i64(), Some(250));
    Ok(())
}

fn a_refused_order_says_why() -> TestResult {
    let memory = MemoryTransport::new();
    let client = Client::builder().transport(memory.clone()).source("APPL=WebOrders".parse()?).build()?;

    assert!(process_order(&client, "A-101", -5).is_err());

    assert!(client.flush(SOON).is_delivered());
    let events: Vec<Event> = memory.decode(Kind::Event)?;
    assert_eq!(events[0].severity, Severity::Error);
    assert_eq!(events[0].comp_code, Some(CompCode::Error));
    assert_eq!(events[0].exception, "-5 is no amount");
    Ok(())
}

/// The transport fails twice, as told: nothing is lost, and the code under test notices nothing.
fn a_busy_server_loses_nothing() -> TestResult {
    let busy = TransportError::new(ErrorKind::Answer, "the server is busy");
    let failure = Failure::new(Disposition::Retry { after: None }, busy);
    let memory = MemoryTransport::new();
    memory.script([Step::Fail(failure.clone()), Step::Fail(failure)]);
    let quickly = RetryPolicy::default().initial(Duration::from_millis(1));
    let client =
        Client::builder().transport(memory.clone()).source("APPL=WebOrders".parse()?).retry(quickly).build()?;

    process_order(&client, "A-102", 250)?;

    assert!(client.flush(SOON).is_delivered());
    assert_eq!(memory.attempts(), 3);
    assert_eq!(memory.len(), 1);
    let stats = client.stats();
    assert_eq!((stats.accepted(), stats.delivered(), stats.dropped_total()), (1, 1, 0));
    Ok(())
}

type TestResult = Result<(), Box<dyn Error>>;

/// A deadline, which no test comes near.
const SOON: Duration = Duration::from_secs(10);

fn main() -> TestResult {
    an_order_leaves_its_event()?;
    println!("ok: an order leaves its event");
    a_refused_order_says_why()?;
    println!("ok: a refused order says why");
    a_busy_server_loses_nothing()?;
    println!("ok: a busy server loses nothing");
    Ok(())
}

#[derive(Debug)]
struct OrderError {
    amount: i32,
}

impl std::fmt::Display for OrderError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is no amount", self.amount)
    }
}

impl Error for OrderError {}
