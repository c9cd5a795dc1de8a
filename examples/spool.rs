//! Events outlive the program that emitted them: a first run can't reach the server, the next one delivers what it left.
//! `cargo run --example spool`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use jkool_client::model::Entity;
use jkool_client::{Client, Spool, SpoolMode};
use jkool_examples::Destination;
use std::error::Error;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("jkool-example-spool-{}", std::process::id()));
    first_run(&folder)?;
    second_run(&folder)?;
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

/// The server is away.
fn first_run(folder: &Path) -> Result<(), Box<dyn Error>> {
    // Everything is on disk before it is sent; without the mode, only what can't be sent.
    let spool = Spool::new(folder).mode(SpoolMode::WriteAhead);
    let client =
        Client::builder().url(address_of_nobody()?).source("APPL=WebOrders#SERVER=?".parse()?).spool(spool).build()?;
    for order in 1..=3 {
        client.event("ProcessOrder").message(format!("Order {order} processed")).emit();
    }
    // From here on they survive even `kill -9`.
    let report = client.flush_durable(Duration::from_secs(10));
    println!("first run, flush_durable: {report}");
    if !report.is_durable() {
        return Err("not everything is on disk".into());
    }
    println!("first run, shutdown:      {}\n", client.shutdown(Duration::ZERO));
    Ok(())
}

/// The server is back.
fn second_run(folder: &Path) -> Result<(), Box<dyn Error>> {
    let destination = Destination::from_env()?;
    println!("Streaming to {destination}\n");
    let client = Client::builder()
        .url(destination.url())
        .token(destination.token())
        .in_flight(1) // one request at a time, so that all arrives in order
        .spool(folder)
        .build()?;
    client.event("ProcessOrder").message("Order 4 processed").emit();
    let report = client.flush(Duration::from_secs(10));
    for received in destination.received()? {
        if let Entity::Event(event) = received.entity {
            println!("received: {}", event.message);
        }
    }
    println!("\nsecond run, flush: {report}\nstats: {}", client.stats());
    if !report.is_delivered() {
        return Err("not everything was delivered".into());
    }
    Ok(())
}

/// A url at which nothing listens.
fn address_of_nobody() -> std::io::Result<String> {
    let port = TcpListener::bind("127.0.0.1:0")?;
    Ok(format!("http://{}", port.local_addr()?))
}
