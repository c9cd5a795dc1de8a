//! An increment of a counter, a gauge and a histogram through the macros of `metrics`: ours, and `metrics-exporter-prometheus`, which
//! keeps the same to be asked for. Neither is asked meanwhile.

use divan::{Bencher, black_box};
use jkool_benches::null_transport::NullTransport;
use jkool_client::Client;
use metrics::{Recorder, counter, gauge, histogram, with_local_recorder};
use metrics_exporter_prometheus::PrometheusBuilder;
use std::time::Duration;

fn main() {
    divan::main();
}

/// The same calls for each recorder.
fn increments(bencher: Bencher<'_, '_>, recorder: &dyn Recorder) {
    with_local_recorder(recorder, || {
        bencher.bench_local(|| counter!("orders", "country" => "de").increment(black_box(1)));
    });
}

fn gauges(bencher: Bencher<'_, '_>, recorder: &dyn Recorder) {
    with_local_recorder(recorder, || bencher.bench_local(|| gauge!("stock").set(black_box(12.0))));
}

fn histograms(bencher: Bencher<'_, '_>, recorder: &dyn Recorder) {
    with_local_recorder(recorder, || {
        bencher.bench_local(|| histogram!("took", "path" => "/").record(black_box(250.0)));
    });
}

fn with_ours(run: impl FnOnce(&dyn Recorder)) {
    let client = Client::builder().transport(NullTransport).build().expect("a client");
    let builder = jkool_metrics::builder().client(client).every(Duration::from_secs(3_600));
    let (recorder, _guard) = builder.build().expect("a recorder");
    run(&recorder);
}

fn with_prometheus(run: impl FnOnce(&dyn Recorder)) {
    run(&PrometheusBuilder::new().build_recorder());
}

#[divan::bench]
fn counter_jkool(bencher: Bencher<'_, '_>) {
    with_ours(|recorder| increments(bencher, recorder));
}

#[divan::bench]
fn counter_prometheus(bencher: Bencher<'_, '_>) {
    with_prometheus(|recorder| increments(bencher, recorder));
}

#[divan::bench]
fn gauge_jkool(bencher: Bencher<'_, '_>) {
    with_ours(|recorder| gauges(bencher, recorder));
}

#[divan::bench]
fn gauge_prometheus(bencher: Bencher<'_, '_>) {
    with_prometheus(|recorder| gauges(bencher, recorder));
}

#[divan::bench]
fn histogram_jkool(bencher: Bencher<'_, '_>) {
    with_ours(|recorder| histograms(bencher, recorder));
}

#[divan::bench]
fn histogram_prometheus(bencher: Bencher<'_, '_>) {
    with_prometheus(|recorder| histograms(bencher, recorder));
}
