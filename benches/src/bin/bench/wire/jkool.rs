//! jKool, by its HTTP transport.

use super::{Job, Row, Watch};
use crate::delivers::Delivers;
use jkool_benches::event::emit;
use jkool_benches::jkool::{client, finish, layer, logger, lossless};
use jkool_benches::pace;
use jkool_benches::span::order;
use jkool_client::{Client, ClientBuilder, Spool, SpoolMode};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "jkool-ndjson512",
        delivers: Delivers::Everything,
        about: "full events by client.event(..)…emit(), 512 per POST, 32 under way, queue of 8192 events or 2.5 MiB (blocks)",
        events: 200_000,
        run: |job, watch| full_events(job, watch, batches),
    },
    Row {
        name: "jkool-ndjson512-gzip",
        delivers: Delivers::Everything,
        about: "the same, packed",
        events: 200_000,
        run: |job, watch| full_events(job, watch, |client| client.http(|http| http.batches(512).gzip(true))),
    },
    Row {
        name: "jkool-log-ndjson512",
        delivers: Delivers::Everything,
        about: "log::info! -> jkool_log, all decoration, otherwise as jkool-ndjson512",
        events: 200_000,
        run: log_lines,
    },
    Row {
        name: "jkool-span-ndjson512",
        delivers: Delivers::Everything,
        about: "root spans with 3 fields -> jkool_tracing, all decoration, otherwise as jkool-ndjson512",
        events: 200_000,
        run: spans,
    },
    Row {
        name: "jkool-one",
        delivers: Delivers::Everything,
        about: "1 full event per POST, as the service takes them, 32 under way, queue of 1 MiB (blocks)",
        events: 100_000,
        run: |job, watch| full_events(job, watch, one_by_one),
    },
    Row {
        name: "jkool-one-c128",
        delivers: Delivers::Everything,
        about: "the same, 128 under way",
        events: 100_000,
        run: |job, watch| full_events(job, watch, |client| one_by_one(client).in_flight(128)),
    },
    Row {
        name: "jkool-spool-writeahead",
        delivers: Delivers::Everything,
        about: "jkool-ndjson512, and everything is on disk before it is sent (the caller keeps to what the disk takes)",
        events: 50_000,
        run: written_ahead,
    },
];

fn batches(client: ClientBuilder) -> ClientBuilder {
    client.http(|http| http.batches(512))
}

/// More would only wait longer: requests set the pace.
fn one_by_one(client: ClientBuilder) -> ClientBuilder {
    client.queue_bytes(1 << 20)
}

fn url(job: &Job) -> String {
    format!("http://127.0.0.1:{}", job.port)
}

fn full_events(job: &Job, watch: &mut Watch, settings: fn(ClientBuilder) -> ClientBuilder) {
    let client = settings(lossless(client())).url(url(job)).build().expect("a client");
    emit_all(&client, job, watch);
}

fn emit_all(client: &Client, job: &Job, watch: &mut Watch) {
    pace::emit(job.events, job.rate, |i| {
        emit(client, i);
    });
    watch.emitted();
    finish(client);
}

fn log_lines(job: &Job, watch: &mut Watch) {
    let settings = |client| batches(lossless(client));
    let guard = logger().url(url(job)).configure(settings).install().expect("a logger");
    pace::log_lines(job.events, job.rate);
    watch.emitted();
    finish(guard.client());
}

fn spans(job: &Job, watch: &mut Watch) {
    let settings = |client| batches(lossless(client));
    let (layer, guard) = layer().url(url(job)).configure(settings).build().expect("a layer");
    tracing::subscriber::set_global_default(registry().with(layer)).expect("the first subscriber");
    pace::emit(job.events, job.rate, order);
    watch.emitted();
    finish(guard.client());
}

fn written_ahead(job: &Job, watch: &mut Watch) {
    let folder = std::env::temp_dir().join(format!("jkool-benches-{}", std::process::id()));
    let spool = Spool::new(&folder).mode(SpoolMode::WriteAhead);
    let client = batches(lossless(client())).url(url(job)).spool(spool).build().expect("a client");
    emit_all(&client, job, watch);
    std::fs::remove_dir_all(folder).expect("the spool's folder");
}
