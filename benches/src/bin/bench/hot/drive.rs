//! The loops that call, and what they time.

mod threads;

use jkool_benches::usage::cpu_of_thread;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A burst is what a busy program logs in a moment.
const BURST: u64 = 100;
/// So many bursts a second are no more than any of the peers takes.
const PAUSE: Duration = Duration::from_millis(1);
/// Paced modes make fewer calls, to take a second too.
const FEWER: u64 = 20;

#[derive(Default)]
pub(super) struct Timing {
    pub(super) calls: u64,
    pub(super) wall: Duration,
    /// Of the calling threads.
    pub(super) cpu: Duration,
    /// Of each call in nanoseconds, sorted; in the modes that look at each.
    pub(super) latencies: Vec<u32>,
}

pub(super) fn run(mode: &str, calls: u64, call: impl Fn(u64) + Sync) -> Timing {
    let bursts = calls / FEWER / BURST;
    let mut timing = match mode {
        "1t" | "kv" => in_a_row(0, calls, &call),
        "paced" => paced(bursts, &call),
        "lat" => latencies(0, bursts, &call),
        _ => {
            let count = |digits: Option<&str>| digits?.parse().ok();
            match (count(mode.strip_suffix('t')), count(mode.strip_prefix("paced"))) {
                (Some(threads), _) => threads::flat_out(threads, calls / threads, &call),
                (_, Some(threads)) => threads::paced(threads, bursts, &call),
                (None, None) => panic!("no mode {mode}"),
            }
        }
    };
    timing.latencies.sort_unstable();
    timing
}

fn in_a_row(first: u64, calls: u64, call: &impl Fn(u64)) -> Timing {
    let (cpu, start) = (cpu_of_thread(), Instant::now());
    (first..first + calls).for_each(call);
    Timing { calls, wall: start.elapsed(), cpu: cpu_of_thread() - cpu, latencies: Vec::new() }
}

fn paced(bursts: u64, call: &impl Fn(u64)) -> Timing {
    let mut all = Timing::default();
    for burst in 0..bursts {
        let timing = in_a_row(burst * BURST, BURST, call);
        all.calls += timing.calls;
        all.wall += timing.wall;
        all.cpu += timing.cpu;
        sleep(PAUSE);
    }
    all
}

/// As paced, with every call timed by itself: the clock's own 20 to 40 ns are inside. The latencies are as they came.
fn latencies(first: u64, bursts: u64, call: &impl Fn(u64)) -> Timing {
    let calls = bursts * BURST;
    let mut latencies = Vec::with_capacity(calls as usize);
    let cpu = cpu_of_thread();
    for burst in 0..bursts {
        for i in 0..BURST {
            let start = Instant::now();
            call(first + burst * BURST + i);
            latencies.push(start.elapsed().as_nanos().min(u32::MAX.into()) as u32);
        }
        sleep(PAUSE);
    }
    let cpu = cpu_of_thread() - cpu;
    let wall = latencies.iter().map(|ns| Duration::from_nanos((*ns).into())).sum();
    Timing { calls, wall, cpu, latencies }
}
