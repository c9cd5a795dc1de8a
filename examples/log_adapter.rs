//! Plain logging, streamed: beside the console's logger, filtered, with key-values that decorate the event.
//! `cargo run --example log_adapter`; `RUST_LOG` says what the console shows.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use jkool_client::model::Snapshot;
use jkool_examples::Destination;
use log::{debug, error, info, warn};
use std::error::Error;
use std::fmt;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let destination = Destination::from_env()?;
    println!("Streaming to {destination}\n");

    // The console shows what it always showed; jKool has its own filter, by the same syntax.
    let console = env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).build();
    let jkool = jkool_log::builder()
        .url(destination.url())
        .token(destination.token())
        .source("APPL=WebOrders#SERVER=?#NETADDR=?#DATACENTER=DC1".parse()?)
        .filter("info,orders::stock=debug")
        .property("environment", "test")
        .configure(|client| client.in_flight(1)) // one request at a time, so that all arrives in order
        .beside(console)
        .install()?;

    debug!("not streamed: below info");
    debug!(target: "orders::stock", "streamed: the filter lets this target through");

    // Keys that jKool knows decorate the event, all others are its typed properties.
    info!(corrid = "order-A-100", location = "Atlanta, Ga", amount = 250, express = true; "Order {} processed", "A-100");

    // An error, with all its causes.
    if let Err(error) = read_amount("250 dollars") {
        error!(error:err = error, corrid = "order-A-101"; "Order refused");
    }

    // A set of metrics.
    let payment = Snapshot::builder("Payment")
        .category("Order")
        .property("order-no", "A-102")
        .property("order-amount", 1200)
        .build();
    warn!(snapshot:serde = payment, corrid = "order-A-102"; "A large order");

    let report = jkool.flush(Duration::from_secs(10));
    for received in destination.received()? {
        println!("\n{received}");
    }
    println!("\nflush: {report}");
    if !report.is_delivered() {
        return Err("not everything was delivered".into());
    }
    Ok(())
}

fn read_amount(text: &str) -> Result<u32, NoAmount> {
    text.parse().map_err(NoAmount)
}

#[derive(Debug)]
struct NoAmount(std::num::ParseIntError);

impl fmt::Display for NoAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the amount is no number")
    }
}

impl Error for NoAmount {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}
