//! A log call into a transport that leads nowhere. Flat out it waits for the worker too: what it costs a program that
//! does something else in between, the hot path of `benches/run` measures.

use divan::{Bencher, black_box};
use jkool_benches::jkool::{finish, logger, lossless};
use jkool_benches::null_transport::NullTransport;
use log::LevelFilter;

fn main() {
    divan::main();
}

/// As any program sets it: the macro itself knows that nobody listens.
#[divan::bench]
fn disabled_by_level(bencher: Bencher<'_, '_>) {
    log_debug(bencher, LevelFilter::Info);
}

/// The logger is asked, and declines.
#[divan::bench]
fn disabled_by_filter(bencher: Bencher<'_, '_>) {
    log_debug(bencher, LevelFilter::Debug);
}

fn log_debug(bencher: Bencher<'_, '_>, max_level: LevelFilter) {
    let (logger, guard) = logger().transport(NullTransport).build().expect("a logger");
    log::set_max_level(max_level);
    bencher.bench_local(|| log::debug!(logger: logger, target: "orders", "order {} processed", black_box(42)));
    finish(guard.client());
}

#[divan::bench]
fn enabled(bencher: Bencher<'_, '_>) {
    let (logger, guard) = logger().transport(NullTransport).configure(lossless).build().expect("a logger");
    log::set_max_level(LevelFilter::Info);
    bencher.bench_local(|| {
        log::info!(logger: logger, target: "orders", "order {} processed in {} ms", black_box(42), black_box(7));
    });
    finish(guard.client());
}

#[divan::bench]
fn enabled_with_key_values(bencher: Bencher<'_, '_>) {
    let (logger, guard) = logger().transport(NullTransport).configure(lossless).build().expect("a logger");
    log::set_max_level(LevelFilter::Info);
    bencher.bench_local(|| {
        log::info!(
            logger: logger, target: "orders",
            order_id = black_box(42), elapsed_ms = black_box(7), customer = "acme-corp";
            "order {} processed in {} ms", black_box(42), black_box(7)
        );
    });
    finish(guard.client());
}
