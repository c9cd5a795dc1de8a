//! Metrics over time: what the `metrics` crate records, and the CPU and memory of this process, as snapshots on an interval.
//! `cargo run --example metrics`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use jkool_examples::{Destination, Received};
use jkool_metrics::client::Client;
use jkool_metrics::model::{Entity, Property, ValueType};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use std::error::Error;
use std::time::Duration;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

const INTERVAL: Duration = Duration::from_millis(250);
const ORDERS: usize = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let destination = Destination::from_env()?;
    println!("Streaming to {destination}\n");

    let client = Client::builder()
        .url(destination.url())
        .token(destination.token())
        .source("APPL=WebOrders#PROCESS=?#SERVER=?".parse()?)
        .in_flight(1) // one request at a time, so that all arrives in order
        .build()?;

    // This is all: what the program and its libraries record is sent from now on.
    let guard = jkool_metrics::builder()
        .client(client.clone())
        .every(INTERVAL) // 10 s unless said otherwise
        .category("Shop")
        .client_stats(true)
        .install()?;

    describe_counter!("orders", "Orders that were taken");
    describe_histogram!("checkout", Unit::Microseconds, "From the basket to the receipt");
    describe_gauge!("process.memory", Unit::Bytes, "Resident memory of this process");
    describe_gauge!("process.cpu", Unit::Percent, "Load since it was last looked at");
    take_orders(ORDERS);

    // The last interval is sent, and delivered.
    let report = guard.shutdown(Duration::from_secs(10));
    show(&destination.received()?);
    println!("flush: {report}\nstats: {}", client.stats());
    if !report.is_delivered() {
        return Err("not everything was delivered".into());
    }
    Ok(())
}

/// Something to measure.
fn take_orders(orders: usize) {
    let pid = Pid::from_u32(std::process::id());
    let mut system = System::new();
    let mut basket: Vec<u64> = vec![1];
    for order in 0..orders {
        for item in 0..1_000 {
            basket.push(std::hint::black_box(basket[item].wrapping_mul(31)));
        }
        basket.truncate(1);
        counter!("orders", "country" => if order % 3 == 0 { "fr" } else { "de" }).increment(1);
        histogram!("checkout").record(200.0 + (order % 100) as f64);
        if order % 1_000 == 0 {
            let what = ProcessRefreshKind::nothing().with_cpu().with_memory();
            system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, what);
            if let Some(process) = system.process(pid) {
                gauge!("process.memory").set(process.memory() as f64);
                gauge!("process.cpu").set(process.cpu_usage());
            }
        }
    }
}

/// The first as it arrived, and all as a table.
fn show(received: &[Received]) {
    let named = |name: &str| {
        received.iter().find(|received| matches!(&received.entity, Entity::Snapshot(s) if s.name == *name))
    };
    for received in ["orders", "checkout"].into_iter().filter_map(named) {
        println!("{received}\n");
    }
    for received in received {
        let Entity::Snapshot(snapshot) = &received.entity else { continue };
        let time = snapshot.time.map_or(0, |time| time.as_usec());
        print!("{time}  {:14}", snapshot.name);
        for Property { name, value, value_type, .. } in snapshot.properties.iter().filter(|p| p.name != "description") {
            match (value_type, value.as_f64()) {
                (ValueType::SizeByte, Some(bytes)) => print!("  {name} {:.1} MiB", bytes / f64::from(1 << 20)),
                (_, Some(number)) => print!("  {name} {number:.1}"),
                (_, None) => print!("  {name} {value}"),
            }
        }
        println!();
    }
    println!();
}
