//! More threads that log at the same time.

use super::{Calls, Cost, scaled, table};
use jkool_benches::jkool::{logger, lossless};
use jkool_benches::machine::cores;
use jkool_benches::null_transport::NullTransport;
use jkool_log::Logger;
use std::thread::scope;

pub(super) fn run(scale: f64) {
    log::set_max_level(log::LevelFilter::Info);
    let case = |threads: u64| (threads.to_string(), cost(threads, scaled(1_000_000, scale)));
    // Sixteen threads on fewer cores say no more than eight do.
    let sixteen = (cores() >= 16).then_some(16);
    table("threads that log", [1, 2, 4, 8].into_iter().chain(sixteen).map(case));
}

fn cost(threads: u64, events: u64) -> Cost {
    let (logger, guard) = logger().transport(NullTransport).configure(lossless).build().expect("a logger");
    let each = events / threads;
    Cost::of(guard.client(), each * threads, || {
        scope(|scope| {
            let callers: Vec<_> = (0..threads).map(|_| scope.spawn(|| log_lines(&logger, each))).collect();
            callers.into_iter().map(|caller| caller.join().expect("a caller")).sum()
        })
    })
}

fn log_lines(logger: &Logger, lines: u64) -> Calls {
    Calls::of(|| {
        for i in 0..lines {
            log::info!(logger: logger, target: "orders", "order {} processed in {} ms", i, i & 63);
        }
    })
}
