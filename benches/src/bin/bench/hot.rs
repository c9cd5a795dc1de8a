//! Hot path: what one log call costs on the caller's thread. The other end is nowhere, and counts.

mod drive;
#[cfg(feature = "peers")]
mod fastrace;
mod floors;
mod jkool;
#[cfg(feature = "peers")]
mod logforth;
mod naive;
#[cfg(feature = "peers")]
mod otel;
mod queues;
#[cfg(feature = "peers")]
mod sentry;
mod spans;
#[cfg(feature = "peers")]
mod tracing_json;

use crate::delivers::Delivers;
use drive::Timing;
use jkool_benches::delivered;
use jkool_benches::usage::{Cpu, peak_memory_kib};
use serde_json::json;

pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    delivers: Delivers,
    /// Sets everything up; the row is the name.
    start: fn(&str) -> Running,
}

/// A logger that is set up.
struct Running {
    call: Call,
    /// Flushes and shuts down.
    finish: Box<dyn FnOnce()>,
}

/// How a call is made.
enum Call {
    /// By the macros of the log crate.
    Log,
    /// By those of the tracing crate.
    Tracing,
    /// The closure is the call, of a certain number.
    Direct(Box<dyn Fn(u64) + Send + Sync>),
}

impl Running {
    fn log(finish: impl FnOnce() + 'static) -> Self {
        Self { call: Call::Log, finish: Box::new(finish) }
    }

    fn tracing(finish: impl FnOnce() + 'static) -> Self {
        Self { call: Call::Tracing, finish: Box::new(finish) }
    }

    fn direct(call: impl Fn(u64) + Send + Sync + 'static, finish: impl FnOnce() + 'static) -> Self {
        Self { call: Call::Direct(Box::new(call)), finish: Box::new(finish) }
    }
}

pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    let families = [
        floors::ROWS,
        queues::ROWS,
        naive::ROWS,
        jkool::ROWS,
        spans::ROWS,
        #[cfg(feature = "peers")]
        otel::ROWS,
        #[cfg(feature = "peers")]
        tracing_json::ROWS,
        #[cfg(feature = "peers")]
        logforth::ROWS,
        #[cfg(feature = "peers")]
        fastrace::ROWS,
        #[cfg(feature = "peers")]
        sentry::ROWS,
    ];
    families.into_iter().flatten()
}

/// The workload is what the report files it under: the same modes are run for several.
pub(crate) fn run(workload: &str, name: &str, mode: &str, calls: u64) {
    let row = rows().find(|row| row.name == name).unwrap_or_else(|| panic!("no row {name}"));
    let running = (row.start)(name);
    let before = Cpu::of_process();
    let Some(timing) = measure(&running.call, mode, calls) else { return };
    (running.finish)();
    let cpu = Cpu::of_process() - before;
    let calls = timing.calls as f64;
    let percentile = |share: f64| {
        let last = timing.latencies.len().checked_sub(1)?;
        Some(timing.latencies[(last as f64 * share) as usize])
    };
    let result = json!({
        "workload": workload, "row": name, "mode": mode, "events": timing.calls, "must_deliver": row.delivers.word(), "delivered": delivered::total(),
        "ns": timing.wall.as_nanos() as f64 / calls,
        "caller_cpu_ns": timing.cpu.as_nanos() as f64 / calls,
        "process_cpu_ns": cpu.total_us() as f64 * 1000.0 / calls,
        "p50": percentile(0.5), "p99": percentile(0.99), "p999": percentile(0.999),
        "peak_kib": peak_memory_kib(),
    });
    println!("{result}");
}

/// Each kind of call is inlined into each loop. None for what has no form with key-values.
fn measure(call: &Call, mode: &str, calls: u64) -> Option<Timing> {
    let timing = match (call, mode) {
        (Call::Log, "kv") => drive::run(mode, calls, |i| {
            log::info!(
                target: "orders", order_id = i, elapsed_ms = i & 63, customer = "acme-corp";
                "order {} processed in {} ms", i, i & 63
            );
        }),
        (Call::Log, _) => drive::run(mode, calls, |i| {
            log::info!(target: "orders", "order {} processed in {} ms", i, i & 63);
        }),
        (Call::Tracing, "kv") => drive::run(mode, calls, |i| {
            tracing::info!(
                target: "orders", order_id = i, elapsed_ms = i & 63, customer = "acme-corp",
                "order {} processed in {} ms", i, i & 63
            );
        }),
        (Call::Tracing, _) => drive::run(mode, calls, |i| {
            tracing::info!(target: "orders", "order {} processed in {} ms", i, i & 63);
        }),
        (Call::Direct(_), "kv") => return None,
        (Call::Direct(call), _) => drive::run(mode, calls, call),
    };
    Some(timing)
}

fn install(logger: Box<dyn log::Log>) {
    log::set_boxed_logger(logger).expect("the first logger");
    log::set_max_level(log::LevelFilter::Info);
}
