//! The naive pipelines.

use super::{Row, Running, install};
use crate::delivers::Delivers;
use jkool_benches::delivered;
use jkool_benches::naive::{Buffer, Channel, Ship, encoder_of};
use std::hint::black_box;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "ref:chan",
        delivers: Delivers::Everything,
        about: "naive client: owned record -> bounded crossbeam(8192, blocks) -> a worker encodes the full event",
        start: channel,
    },
    Row {
        name: "ref:chan-hand",
        delivers: Delivers::Everything,
        about: "ref:chan, the worker encodes by hand",
        start: channel,
    },
    Row {
        name: "ref:buf",
        delivers: Delivers::Everything,
        about: "naive client: the caller encodes the full event -> buffer behind a mutex (1 MiB, blocks)",
        start: buffer,
    },
    Row {
        name: "ref:buf-hand",
        delivers: Delivers::Everything,
        about: "ref:buf, the caller encodes by hand",
        start: buffer,
    },
];

fn channel(row: &str) -> Running {
    let (logger, channel) = Channel::start(encoder_of(row), nowhere());
    install(logger);
    Running::log(|| channel.finish())
}

fn buffer(row: &str) -> Running {
    let (logger, buffer) = Buffer::start(encoder_of(row), nowhere());
    install(logger);
    Running::log(|| buffer.finish())
}

fn nowhere() -> Ship {
    Box::new(|body, events| {
        black_box(body);
        delivered::add(events);
    })
}
