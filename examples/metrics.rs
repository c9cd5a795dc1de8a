//! Metrics over time: the CPU and memory of this process, as snapshots that travel alone.
//! `cargo run --example metrics`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use jkool_client::Client;
use jkool_client::model::{Entity, Property, ValueType};
use jkool_examples::{Destination, Received};
use std::error::Error;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

const INTERVAL: Duration = Duration::from_millis(250);
const SAMPLES: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let destination = Destination::from_env()?;
    println!("Streaming to {destination}\n");

    let client = Client::builder()
        .url(destination.url())
        .token(destination.token())
        .source("APPL=WebOrders#PROCESS=?#SERVER=?".parse()?)
        .in_flight(1) // one request at a time, so that all arrives in order
        .build()?;

    // A server would let the sampler run as long as it runs itself, and drop `stop` at its end.
    let (stop, stopped) = mpsc::channel();
    let sampler = std::thread::spawn({
        let client = client.clone();
        move || sample(&client, SAMPLES, &stopped)
    });
    work_until(|| sampler.is_finished());
    drop(stop);
    sampler.join().map_err(|_| "the sampler panicked")?;

    let report = client.flush(Duration::from_secs(10));
    show(&destination.received()?)?;
    println!("flush: {report}\nstats: {}", client.stats());
    if !report.is_delivered() {
        return Err("not everything was delivered".into());
    }
    Ok(())
}

/// Emits two snapshots per interval, until it was so many times or `stopped` says so.
fn sample(client: &Client, times: usize, stopped: &Receiver<()>) {
    let pid = Pid::from_u32(std::process::id());
    let mut system = System::new();
    let mut refresh = || {
        let what = ProcessRefreshKind::nothing().with_cpu().with_memory();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, what);
        system.process(pid).map(|process| (process.cpu_usage(), process.memory(), process.virtual_memory()))
    };

    for look in 0..=times {
        // Waits for the interval, unless somebody says stop.
        if stopped.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout) {
            return;
        }
        let Some((cpu, memory, virtual_memory)) = refresh() else { return };
        if look == 0 {
            continue; // The load is that since the last look.
        }
        client
            .snapshot("CPU")
            .category("Process")
            .add_property(Property::new("load", cpu).value_type(ValueType::Percent))
            .emit();
        client
            .snapshot("Memory")
            .category("Process")
            .add_property(Property::new("resident", memory).value_type(ValueType::SizeByte))
            .add_property(Property::new("virtual", virtual_memory).value_type(ValueType::SizeByte))
            .emit();
    }
}

/// Something to measure: takes more and more memory, and keeps one core busy.
fn work_until(finished: impl Fn() -> bool) {
    const MOST: usize = 64 << 20;
    let mut numbers: Vec<u64> = vec![1];
    while !finished() {
        let sum = numbers.iter().fold(0_u64, |sum, number| sum.wrapping_mul(31).wrapping_add(*number));
        if numbers.len() < MOST / size_of::<u64>() {
            numbers.extend([std::hint::black_box(sum); 4096]);
        }
    }
}

/// The first of each as it arrived, and all as a table.
fn show(received: &[Received]) -> Result<(), Box<dyn Error>> {
    for first in received.iter().take(2) {
        println!("{first}\n");
    }
    for received in received {
        let Entity::Snapshot(snapshot) = &received.entity else { continue };
        let time = snapshot.time.map_or(0, |time| time.as_usec());
        print!("{time}  {:6}", snapshot.name);
        for Property { name, value, value_type, .. } in &snapshot.properties {
            let number = value.as_f64().unwrap_or_default();
            match value_type {
                ValueType::Percent => print!("  {name} {number:5.1} %"),
                ValueType::SizeByte => print!("  {name} {:5.1} MiB", number / f64::from(1 << 20)),
                other => print!("  {name} {value} {other}"),
            }
        }
        println!();
    }
    println!();
    Ok(())
}
