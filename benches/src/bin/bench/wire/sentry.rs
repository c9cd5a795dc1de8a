//! Sentry's logs, by its own transport.

use super::{Job, Row, Watch, install};
use crate::delivers::Delivers;
use crate::sentry::{logger, options};
use jkool_benches::pace::log_lines;
use std::time::Duration;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "sentry",
        delivers: Delivers::WhatFits,
        about: "sentry's logs, its default transport (reqwest, drops), LogFilter::Log",
        events: 200_000,
        run: |job, watch| run(job, watch, None),
    },
    Row {
        name: "sentry-big",
        delivers: Delivers::WhatFits,
        about: "the same, transport_channel_capacity 4096",
        events: 200_000,
        run: |job, watch| run(job, watch, Some(4096)),
    },
];

fn run(job: &Job, watch: &mut Watch, capacity: Option<usize>) {
    let mut options = options(&format!("http://public@127.0.0.1:{}/1", job.port));
    if let Some(capacity) = capacity {
        options = options.transport_channel_capacity(capacity);
    }
    let guard = sentry::init(options);
    install(logger());
    log_lines(job.events, job.rate);
    watch.emitted();
    assert!(guard.close(Some(Duration::from_secs(60))), "sentry closes in time");
}
