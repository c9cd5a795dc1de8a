//! Spans as activities, streamed: two services, one of which calls the other in the same trace.
//! `cargo run --example tracing`; `RUST_LOG` says what the console shows.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use jkool_client::model::Snapshot;
use jkool_examples::Destination;
use jkool_tracing::{SpanExt, propagation};
use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::time::Duration;
use tracing::{Span, error, info, info_span, instrument};
use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

fn main() -> Result<(), Box<dyn Error>> {
    let destination = Destination::from_env()?;
    println!("Streaming to {destination}\n");

    let (jkool, guard) = jkool_tracing::builder()
        .url(destination.url())
        .token(destination.token())
        .source("APPL=WebOrders#SERVER=?#NETADDR=?#DATACENTER=DC1".parse()?)
        .configure(|client| client.in_flight(1)) // one request at a time, so that all arrives in order
        .build()?;
    jkool_client::panic_hook(guard.client()).install();
    // The console shows what it always showed; each layer has a filter of its own.
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).from_env_lossy();
    let console = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_filter(filter);
    tracing_subscriber::registry().with(console).with(jkool.with_filter(LevelFilter::INFO)).init();

    take_order("A-100", "250");
    take_order("A-101", "250 dollars");

    let report = guard.flush(Duration::from_secs(10));
    for received in destination.received()? {
        println!("\n{received}");
    }
    println!("\nflush: {report}");
    if !report.is_delivered() {
        return Err("not everything was delivered".into());
    }
    Ok(())
}

/// The activity has the name of the function, and its arguments as properties.
#[instrument]
fn take_order(order_no: &str, amount: &str) {
    // All that happens in it has this correlator, here and in the services that it calls.
    Span::current().add_correlator(order_no.to_owned());
    // A failure is told by what read the amount; the activity ends with an exception then.
    if let Ok(amount) = read_amount(amount) {
        let payment = Snapshot::builder("Payment").category("Order").property("order-amount", amount).build();
        Span::current().add_snapshot(payment);
        info!(location = "Atlanta, Ga", amount, "Order {order_no} processed");

        // What a request over HTTP would carry.
        let mut headers = HashMap::new();
        propagation::inject(&Span::current(), |name, value| _ = headers.insert(name, value));
        charge(&headers);
    } else {
        error!("Order {order_no} refused");
    }
}

#[instrument(err)]
fn read_amount(text: &str) -> Result<u32, std::num::ParseIntError> {
    text.parse()
}

/// Another service, which knows of the order by the headers of the request alone.
fn charge(headers: &HashMap<&'static str, String>) {
    let span = info_span!(parent: None, "charge_card", otel.kind = "server");
    span.set_remote_parent(&propagation::extract(|name| headers.get(name).map(String::as_str)));
    span.in_scope(|| info!("card charged"));
}
