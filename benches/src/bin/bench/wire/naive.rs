//! The naive pipelines, with NDJSON over one connection.

use super::{Job, Row, Watch};
use crate::delivers::Delivers;
use jkool_benches::naive::{Buffer, Channel, Ship, encoder_of};
use jkool_benches::pace::log_lines;
use jkool_benches::raw_http::RawHttp;
use log::{LevelFilter, Log};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "ref:chan",
        delivers: Delivers::Everything,
        about: "log::info! -> naive client (channel, a worker encodes the full event) -> up to 512 per POST",
        events: 200_000,
        run: channel,
    },
    Row {
        name: "ref:chan-small",
        delivers: Delivers::Everything,
        about: "ref:chan with the small event",
        events: 200_000,
        run: channel,
    },
    Row {
        name: "ref:chan-hand",
        delivers: Delivers::Everything,
        about: "ref:chan, encoded by hand",
        events: 200_000,
        run: channel,
    },
    Row {
        name: "ref:buf",
        delivers: Delivers::Everything,
        about: "log::info! -> naive client (the caller encodes the full event, buffer) -> up to 1 MiB per POST",
        events: 200_000,
        run: buffer,
    },
    Row {
        name: "ref:buf-hand",
        delivers: Delivers::Everything,
        about: "ref:buf, encoded by hand",
        events: 200_000,
        run: buffer,
    },
];

fn channel(job: &Job, watch: &mut Watch) {
    let (logger, channel) = Channel::start(encoder_of(job.row), to_sink(job));
    log_all(logger, job, watch);
    channel.finish();
}

fn buffer(job: &Job, watch: &mut Watch) {
    let (logger, buffer) = Buffer::start(encoder_of(job.row), to_sink(job));
    log_all(logger, job, watch);
    buffer.finish();
}

fn to_sink(job: &Job) -> Ship {
    let mut http = RawHttp::connect(job.port);
    Box::new(move |body, _| http.post(body))
}

fn log_all(logger: Box<dyn Log>, job: &Job, watch: &mut Watch) {
    log::set_boxed_logger(logger).expect("the first logger");
    log::set_max_level(LevelFilter::Info);
    log_lines(job.events, job.rate);
    watch.emitted();
}
