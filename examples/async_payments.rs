//! An async program that waits for room rather than lose an event, and acts on what became of the important ones.
//! `cargo run --example async_payments`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use jkool_client::model::{Event, Severity};
use jkool_client::{Admission, Client, DeliveryOutcome};
use jkool_examples::Destination;
use std::error::Error;
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let destination = Destination::from_env()?;
    println!("Streaming to {destination}\n");
    let client = Client::builder()
        .url(destination.url())
        .token(destination.token())
        .source("APPL=Payments#SERVER=?".parse()?)
        .queue_events(100)
        // After an outage these don't wait behind all others.
        .priority(Severity::Error)
        .build()?;

    // While the queue is full the task waits, and the thread goes on with other tasks.
    for order in 1..=1_000 {
        let admission = client.event("OrderSeen").message(format!("Order {order}")).emit_async().await;
        assert_eq!(admission, Admission::Accepted);
    }

    // One event that must have arrived before the program goes on.
    let payment = Event::builder()
        .operation("PaymentAccepted")
        .correlator("order-42")
        .property("amount", 99.5)
        .source("APPL=Payments".parse()?)
        .build()?;
    let receipt = client.reserve().await?.emit_tracked(payment);
    match receipt.await {
        DeliveryOutcome::Delivered => println!("the payment is on record"),
        outcome => println!("the payment is not on record yet: {outcome}"),
    }

    let report = client.shutdown_async(Duration::from_secs(10)).await;
    println!("shutdown: {report}\nstats: {}", client.stats());
    if !report.is_delivered() {
        return Err("not everything was delivered".into());
    }
    Ok(())
}
