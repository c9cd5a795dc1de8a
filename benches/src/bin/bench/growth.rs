//! Growth: what an event costs as one thing grows and all else stays as it is. With a transport that leads nowhere.

mod backlog;
mod calls;
mod message;
mod snapshots;
mod threads;

use calls::Calls;
use jkool_benches::jkool::finish;
use jkool_benches::usage::Cpu;
use jkool_client::Client;
use std::time::{Duration, Instant};

pub(crate) fn run(scale: f64) {
    println!(
        "| what grows | to | events | caller waits, an event | callers' CPU, an event | all done, an event | × first | CPU of the process, an event |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    threads::run(scale);
    message::run(scale);
    snapshots::run(scale);
    backlog::run(scale);
}

/// So many, but some in any case.
fn scaled(events: u64, scale: f64) -> u64 {
    ((events as f64 * scale) as u64).max(8)
}

/// What became of some events.
struct Cost {
    events: u64,
    /// Of all callers; none where there are no calls.
    calls: Option<Calls>,
    /// Until the last was delivered.
    wall: Duration,
    cpu_us: u64,
}

impl Cost {
    /// Of `emit`, which says what its callers spent in it, and of the delivery after it.
    fn of(client: &Client, events: u64, emit: impl FnOnce() -> Calls) -> Self {
        let (cpu, start) = (Cpu::of_process(), Instant::now());
        let calls = emit();
        finish(client);
        let wall = start.elapsed();
        assert_eq!(client.stats().delivered(), events);
        Self { events, calls: Some(calls), wall, cpu_us: (Cpu::of_process() - cpu).total_us() }
    }

    fn ns_per_event(&self, time: Duration) -> f64 {
        time.as_nanos() as f64 / self.events as f64
    }
}

/// Prints a line for each case, as soon as it is measured.
fn table(what: &str, cases: impl IntoIterator<Item = (String, Cost)>) {
    let mut first = None;
    for (to, cost) in cases {
        let wall = cost.ns_per_event(cost.wall);
        let growth = wall / *first.get_or_insert(wall);
        let of_calls = |time: fn(&Calls) -> Duration| {
            cost.calls.as_ref().map_or("–".into(), |calls| human(cost.ns_per_event(time(calls))))
        };
        let (waits, callers_cpu) = (of_calls(|calls| calls.waited), of_calls(|calls| calls.cpu));
        let cpu = human(cost.cpu_us as f64 * 1000.0 / cost.events as f64);
        let (events, wall) = (cost.events, human(wall));
        println!("| {what} | {to} | {events} | {waits} | {callers_cpu} | {wall} | {growth:.2} | {cpu} |");
    }
}

fn human(ns: f64) -> String {
    match ns {
        ..1e4 => format!("{ns:.0} ns"),
        ..1e7 => format!("{:.1} µs", ns / 1e3),
        _ => format!("{:.1} ms", ns / 1e6),
    }
}
