//! Calls at a steady rate.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Calls `emit(i)` for each of `events`: without pause when `rate` is 0, else so many a second, in bursts 1 ms apart.
pub fn emit(events: u64, rate: u64, mut emit: impl FnMut(u64)) {
    if rate == 0 {
        return (0..events).for_each(emit);
    }
    let per_ms = rate / 1000;
    let start = Instant::now();
    let mut next = 0;
    while next < events {
        let due = (start.elapsed().as_nanos() as u64 * per_ms / 1_000_000 + per_ms).min(events);
        (next..due).for_each(&mut emit);
        next = due;
        if next < events {
            sleep(Duration::from_millis(1));
        }
    }
}

/// The same for the log line that every logger in here gets.
pub fn log_lines(events: u64, rate: u64) {
    emit(events, rate, |i| log::info!(target: "orders", "order {} processed in {} ms", i, i & 63));
}
