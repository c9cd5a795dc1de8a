//! Grafana Loki, by tracing-loki.

use super::{Job, Row, Watch};
use crate::delivers::Delivers;
use jkool_benches::pace;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use url::Url;

pub(super) const ROWS: &[Row] = &[Row {
    name: "loki",
    delivers: Delivers::WhatFits,
    about: "tracing-loki, defaults (channel of 512, drops), a runtime of 1 thread beside the caller",
    events: 200_000,
    run,
}];

fn run(job: &Job, watch: &mut Watch) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let url = Url::parse(&format!("http://127.0.0.1:{}/", job.port)).expect("a url");
    let builder = tracing_loki::builder().label("host", "bench").expect("a label");
    let (layer, controller, task) = builder.build_controller_url(url).expect("a layer");
    let subscriber = tracing_subscriber::registry().with(layer.with_filter(LevelFilter::INFO));
    tracing::subscriber::set_global_default(subscriber).expect("the first subscriber");
    let task = runtime.spawn(task);
    pace::emit(job.events, job.rate, |i| {
        tracing::info!(target: "orders", "order {} processed in {} ms", i, i & 63);
    });
    watch.emitted();
    runtime.block_on(async {
        controller.shutdown().await;
        task.await.expect("the task");
    });
}
