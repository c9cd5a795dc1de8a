//! The loops in several threads at once.

use super::{BURST, Timing, in_a_row, latencies};
use std::sync::Barrier;
use std::thread::scope;
use std::time::Instant;

/// So many calls in each. The wall time is from the first start to the last end.
pub(super) fn flat_out(threads: u64, calls: u64, call: &(impl Fn(u64) + Sync)) -> Timing {
    let spans = at_once(threads, |thread| {
        let start = Instant::now();
        (start, in_a_row(thread * calls, calls, call).cpu, Instant::now())
    });
    let start = spans.iter().map(|(start, _, _)| *start).min().expect("a thread");
    let end = spans.iter().map(|(_, _, end)| *end).max().expect("a thread");
    let cpu = spans.iter().map(|(_, cpu, _)| *cpu).sum();
    Timing { calls: threads * calls, wall: end - start, cpu, latencies: Vec::new() }
}

/// So many bursts in each, every call timed. The wall time is that of all calls added up, so that its mean is a call's.
pub(super) fn paced(threads: u64, bursts: u64, call: &(impl Fn(u64) + Sync)) -> Timing {
    let mut all = Timing::default();
    for timing in at_once(threads, |thread| latencies(thread * bursts * BURST, bursts, call)) {
        all.calls += timing.calls;
        all.wall += timing.wall;
        all.cpu += timing.cpu;
        all.latencies.extend(timing.latencies);
    }
    all
}

/// No thread starts before all are there.
fn at_once<T: Send>(threads: u64, work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(threads as usize);
    let work = |thread: u64| {
        barrier.wait();
        work(thread)
    };
    scope(|scope| {
        let work = &work;
        let handles: Vec<_> = (0..threads).map(|thread| scope.spawn(move || work(thread))).collect();
        handles.into_iter().map(|handle| handle.join().expect("a caller")).collect()
    })
}
