//! jKool, with a transport that leads nowhere.

use super::{Row, Running};
use crate::delivers::Delivers;
use jkool_benches::event::emit;
use jkool_benches::jkool::{client, finish, logger, lossless};
use jkool_benches::null_transport::NullTransport;
use jkool_client::ClientBuilder;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "jkool-log",
        delivers: Delivers::Everything,
        about: "jkool_log, all decoration, queue of 8192 events or 2.5 MiB (blocks)",
        start: |_| log(lossless),
    },
    Row {
        name: "jkool-log-drop",
        delivers: Delivers::WhatFits,
        about: "the same with the default queue, 65,536 events or 64 MiB (drops)",
        // What is lost is told by an event too, which would count as delivered.
        start: |_| log(|client| client.loss_events(false)),
    },
    Row {
        name: "jkool-emit",
        delivers: Delivers::Everything,
        about: "jkool_client, the full event by client.event(..)…emit(), queue as jkool-log",
        start: |_| direct(),
    },
];

fn log(settings: fn(ClientBuilder) -> ClientBuilder) -> Running {
    let guard = logger().transport(NullTransport).configure(settings).install().expect("a logger");
    Running::log(move || finish(guard.client()))
}

fn direct() -> Running {
    let client = lossless(client()).transport(NullTransport).build().expect("a client");
    let emitting = client.clone();
    let call = move |i| {
        emit(&emitting, i);
    };
    Running::direct(call, move || finish(&client))
}
