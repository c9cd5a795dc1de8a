//! End to end: events over loopback to the sink, which is another process and counts what has arrived.

mod jkool;
#[cfg(feature = "peers")]
mod loki;
mod naive;
mod ndjson;
#[cfg(feature = "peers")]
mod otlp;
mod raw;
mod reqwest;
#[cfg(feature = "peers")]
mod sentry;
mod tcp;

use crate::delivers::Delivers;
use crate::options::Options;
use jkool_benches::sink;
use jkool_benches::usage::{Cpu, peak_memory_kib};
use serde_json::json;
use std::time::{Duration, Instant};

pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    delivers: Delivers,
    /// How many, unless said otherwise: about a second's work.
    events: u64,
    /// Sends all and waits until it has arrived.
    run: fn(&Job, &mut Watch),
}

/// What a row is to do.
struct Job {
    row: &'static str,
    port: u16,
    tcp_port: u16,
    events: u64,
    /// How many a second; 0 for as many as possible.
    rate: u64,
}

/// Time and CPU from the start on.
struct Watch {
    start: Instant,
    cpu: Cpu,
    emitted: Option<Duration>,
}

impl Watch {
    fn start() -> Self {
        Self { cpu: Cpu::of_process(), start: Instant::now(), emitted: None }
    }

    /// Starts again: what was before is preparation.
    fn restart(&mut self) {
        *self = Self::start();
    }

    /// The caller is through with its calls; what comes now is waiting.
    fn emitted(&mut self) {
        self.emitted = Some(self.start.elapsed());
    }
}

pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    let families = [
        raw::ROWS,
        reqwest::ROWS,
        ndjson::ROWS,
        tcp::ROWS,
        naive::ROWS,
        jkool::ROWS,
        #[cfg(feature = "peers")]
        otlp::ROWS,
        #[cfg(feature = "peers")]
        sentry::ROWS,
        #[cfg(feature = "peers")]
        loki::ROWS,
    ];
    families.into_iter().flatten()
}

pub(crate) fn run(name: &str, options: &Options) {
    let row = rows().find(|row| row.name == name).unwrap_or_else(|| panic!("no row {name}"));
    let port = options.get("port").unwrap_or(7001);
    let job = Job {
        row: row.name,
        port,
        tcp_port: options.get("tcp-port").unwrap_or(port + 1),
        events: options.get("events").unwrap_or(row.events),
        rate: options.get("rate").unwrap_or(0),
    };
    sink::reset(port);
    let mut watch = Watch::start();
    (row.run)(&job, &mut watch);
    let wall = watch.start.elapsed().as_secs_f64();
    let cpu = Cpu::of_process() - watch.cpu;
    let counts = sink::counts(port);
    let (events, delivered) = (job.events as f64, counts.markers.max(1) as f64);
    let result = json!({
        "workload": if job.rate > 0 { "steady" } else { "wire" },
        "row": format!("{name}{}", options.get::<String>("suffix").unwrap_or_default()),
        "mode": job.rate, "events": job.events, "must_deliver": row.delivers.word(), "delivered": counts.markers,
        "wall_s": wall, "emit_s": watch.emitted.map(|emitted| emitted.as_secs_f64()),
        "events_per_s": counts.markers as f64 / wall, "bytes": counts.bytes as f64 / delivered,
        "requests": counts.requests, "connections": counts.connections,
        "user_us": cpu.user_us as f64 / events, "sys_us": cpu.sys_us as f64 / events,
        "sink_cpu_us": counts.cpu_us as f64 / delivered, "peak_kib": peak_memory_kib(),
    });
    println!("{result}");
    // Some peers' threads don't end.
    std::process::exit(0);
}

#[cfg(feature = "peers")]
fn install(logger: impl log::Log + 'static) {
    log::set_boxed_logger(Box::new(logger)).expect("the first logger");
    log::set_max_level(log::LevelFilter::Info);
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}
