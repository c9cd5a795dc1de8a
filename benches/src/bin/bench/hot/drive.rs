//! The loops that call, and what they time.

use jkool_benches::usage::cpu_of_thread;
use std::sync::Barrier;
use std::thread::{scope, sleep};
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
    /// Of each call in nanoseconds, sorted; in the mode that looks at each.
    pub(super) latencies: Vec<u32>,
}

pub(super) fn run(mode: &str, calls: u64, call: impl Fn(u64) + Sync) -> Timing {
    match mode {
        "1t" | "kv" => in_a_row(0, calls, &call),
        "4t" => threads(4, calls / 4, &call),
        "paced" => paced(calls / FEWER / BURST, &call),
        "lat" => latencies(calls / FEWER / BURST, &call),
        _ => panic!("no mode {mode}"),
    }
}

fn in_a_row(first: u64, calls: u64, call: &impl Fn(u64)) -> Timing {
    let (cpu, start) = (cpu_of_thread(), Instant::now());
    (first..first + calls).for_each(call);
    Timing { calls, wall: start.elapsed(), cpu: cpu_of_thread() - cpu, latencies: Vec::new() }
}

/// The wall time is from the first start to the last end.
fn threads(threads: u64, calls: u64, call: &(impl Fn(u64) + Sync)) -> Timing {
    let barrier = Barrier::new(threads as usize);
    let work = |thread: u64| {
        barrier.wait();
        let start = Instant::now();
        (start, in_a_row(thread * calls, calls, call).cpu, Instant::now())
    };
    let spans: Vec<_> = scope(|scope| {
        let work = &work;
        let handles: Vec<_> = (0..threads).map(|thread| scope.spawn(move || work(thread))).collect();
        handles.into_iter().map(|handle| handle.join().expect("a caller")).collect()
    });
    let start = spans.iter().map(|(start, _, _)| *start).min().expect("a thread");
    let end = spans.iter().map(|(_, _, end)| *end).max().expect("a thread");
    let cpu = spans.iter().map(|(_, cpu, _)| *cpu).sum();
    Timing { calls: threads * calls, wall: end - start, cpu, latencies: Vec::new() }
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

/// As paced, with every call timed by itself: the clock's own 20 to 40 ns are inside.
fn latencies(bursts: u64, call: &impl Fn(u64)) -> Timing {
    let mut latencies = Vec::with_capacity((bursts * BURST) as usize);
    let cpu = cpu_of_thread();
    for burst in 0..bursts {
        for i in 0..BURST {
            let start = Instant::now();
            call(burst * BURST + i);
            latencies.push(start.elapsed().as_nanos().min(u32::MAX.into()) as u32);
        }
        sleep(PAUSE);
    }
    let cpu = cpu_of_thread() - cpu;
    let wall = latencies.iter().map(|ns| Duration::from_nanos((*ns).into())).sum();
    latencies.sort_unstable();
    Timing { calls: bursts * BURST, wall, cpu, latencies }
}
