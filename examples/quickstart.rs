//! The four cases of TNT4PY's README: a log record, a decorated event, one with time, correlator and place, and an order
//! with its payment. `cargo run --example quickstart`; with `JKOOL_TOKEN` set it streams to the service, without to a
//! collector in this process, and shows what that received.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use jkool_client::model::{Severity, Snapshot, SourceFqn, TrackingId};
use jkool_examples::Destination;
use log::error;
use std::error::Error;
use std::time::{Duration, SystemTime};

fn main() -> Result<(), Box<dyn Error>> {
    let destination = Destination::from_env()?;
    println!("Streaming to {destination}\n");

    // Where all this comes from; each event can say otherwise.
    let source = SourceFqn::builder()
        .appl("WebOrders")
        .server("web-1")
        .netaddr("11.0.0.2")
        .datacenter("DC1")
        .geoaddr("52.52437,13.41053")
        .build()?;
    let jkool = jkool_log::builder()
        .url(destination.url())
        .token(destination.token())
        .source(source)
        .configure(|client| client.in_flight(1)) // one request at a time, so that all arrives in order
        .install()?;

    // 1. From here on, every log record is streamed.
    error!("Test log");

    // 2. The same client takes events that are more than a log record.
    let client = jkool.client();
    client.event("ProcessOrder").severity(Severity::Info).message("This is an example").emit();

    // 3. When it was, what it belongs to, and where.
    client
        .event("ProcessOrder")
        .message("This is an example")
        .time(a_minute_ago())
        .correlator("your-correlator-id")
        .location("Atlanta, Ga")
        .emit();

    // 4. An order, with its payment as a snapshot: typed values that can be charted and summed up.
    let (order_no, order_amount) = ("A-100", 250);
    let id = TrackingId::random();
    let payment = Snapshot::builder("Payment")
        .category("Order")
        .parent_id(id.clone())
        .property("order-no", order_no)
        .property("order-amount", order_amount)
        .build();
    client
        .event("ProcessOrder")
        .message("Order processed successfully")
        .tracking_id(id)
        .correlator(order_no)
        .snapshot(payment)
        .emit();

    // Nothing waited for the network so far. This does, and says what became of it all.
    let report = client.flush(Duration::from_secs(10));
    for (index, received) in destination.received()?.iter().enumerate() {
        println!("{}. {received}\n", index + 1);
    }
    println!("flush: {report}");
    println!("stats: {}", client.stats());
    if !report.is_delivered() {
        return Err("not everything was delivered".into());
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the program's own clock")]
fn a_minute_ago() -> SystemTime {
    SystemTime::now() - Duration::from_secs(60)
}
