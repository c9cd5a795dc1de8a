//! Every decoration of an event, and an operation that is timed and ends with its `Result`.
//! `cargo run --example decorated_event`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use jkool_client::Client;
use jkool_client::model::{CompCode, OpType, Property, Severity, Snapshot, SourceFqn, Timestamp, ValueType};
use jkool_examples::Destination;
use std::error::Error;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let destination = Destination::from_env()?;
    println!("Streaming to {destination}\n");

    // What is said here goes for every event that doesn't say it itself. Each `?` is filled: host name, address.
    let client = Client::builder()
        .url(destination.url())
        .token(destination.token())
        .source("APPL=WebOrders#SERVER=?#NETADDR=?#DATACENTER=DC1".parse()?)
        .property("environment", "test")
        .in_flight(1) // one request at a time, so that all arrives in order
        .build()?;

    emit_decorated(&client)?;
    for amounts in ["250\n".repeat(100_000), "250\n12 dollars".to_owned()] {
        match sum_of(&client, &amounts) {
            Ok(sum) => println!("the sum is {sum}"),
            Err(error) => println!("there is no sum: {error}"),
        }
    }

    let report = client.flush(Duration::from_secs(10));
    for received in destination.received()? {
        println!("\n{received}");
    }
    println!("\nflush: {report}");
    if !report.is_delivered() {
        return Err("not everything was delivered".into());
    }
    Ok(())
}

/// One event with all that can be said of it. Nothing but the operation has to be.
fn emit_decorated(client: &Client) -> Result<(), Box<dyn Error>> {
    let noon = Timestamp::from_usec(1_457_524_800_000_000);
    let source: SourceFqn =
        "APPL=WebOrders#SERVER=web-1#NETADDR=11.0.0.2#DATACENTER=DC1#GEOADDR=52.52437,13.41053".parse()?;

    client
        .event("ProcessOrder")
        // what happened
        .op_type(OpType::Receive)
        .message("Order processed")
        .severity(Severity::Warning)
        .tag("order")
        .tag("retail")
        // where, and on whose behalf
        .source(source)
        .source_url("https://weborders.example/orders")
        .resource("orders-queue")
        .location("Atlanta, Ga")
        .user("shop")
        .pid(4242)
        .tid(77)
        // when; the end follows from start and elapsed time
        .time(noon)
        .start_time(noon)
        .elapsed(Duration::from_millis(120))
        .wait_time(Duration::from_millis(15))
        // how it ended
        .comp_code(CompCode::Warning)
        .reason_code(7)
        .exception("the card was declined once")
        // what it belongs to: the id is given by the client unless it is said
        .tracking_id("0c7e59da-c9af-4b79-bdb1-701acf9af26f")
        .parent_id("a7e59da5-c9af-4b79-bdb1-701acf9af26f")
        .correlator("A-100")
        .correlator("basket-9")
        // about the message
        .message_age(Duration::from_secs(2))
        .message_size(15)
        .mime_type("text/plain")
        .encoding("none")
        .charset("UTF-8")
        // details and metrics, with or without what they measure
        .property("attempts", 2)
        .add_property(Property::new("order-amount", 250.0).value_type(ValueType::CurrencyUsd))
        .snapshot(Snapshot::builder("Payment").category("Order").property("order-no", "A-100").build())
        .emit();
    Ok(())
}

/// A timed operation: `record` emits its event with start, end and elapsed time and the outcome, and hands the result on.
fn sum_of(client: &Client, amounts: &str) -> Result<u64, std::num::ParseIntError> {
    let scope = client.event("SumAmounts").property("bytes", amounts.len()).start();
    scope.record(amounts.lines().map(str::parse::<u64>).sum())
}
