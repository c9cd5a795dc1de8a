//! tracing's spans and events to jKool, beside a registry that nobody listens to. What the peers do is in their own files.

use super::{Row, Running};
use crate::delivers::Delivers;
use jkool_benches::jkool::{finish, layer, lossless};
use jkool_benches::null_transport::NullTransport;
use jkool_benches::span::order;
use jkool_tracing::Guard;
use std::hint::black_box;
use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "jkool-tracing",
        delivers: Delivers::Everything,
        about: "jkool_tracing, an event in no span, all decoration, queue as jkool-log",
        start: |_| {
            let guard = start();
            Running::tracing(move || finish(guard.client()))
        },
    },
    Row {
        name: "jkool-span",
        delivers: Delivers::Everything,
        about: "jkool_tracing, a root span with 3 fields, entered and left once, closed; queue as jkool-log",
        start: |_| {
            let guard = start();
            Running::direct(order, move || finish(guard.client()))
        },
    },
    Row {
        name: "floor:span-registry",
        delivers: Delivers::Nothing,
        about: "the same span in a registry with no layer",
        start: |_| {
            install(registry());
            Running::direct(order, || {})
        },
    },
    Row {
        name: "jkool-enter",
        delivers: Delivers::Nothing,
        about: "jkool_tracing, an open span entered and left",
        start: |_| enter(start()),
    },
    Row {
        name: "jkool-enter-untimed",
        delivers: Delivers::Nothing,
        about: "the same with busy_and_idle(false)",
        start: |_| enter(start_with(|builder| builder.busy_and_idle(false))),
    },
    Row {
        name: "floor:enter-registry",
        delivers: Delivers::Nothing,
        about: "the same in a registry with no layer",
        start: |_| {
            install(registry());
            enter(())
        },
    },
];

/// Enters one span again and again.
pub(super) fn enter(until_the_end: impl Sized + 'static) -> Running {
    let span = tracing::info_span!(target: "orders", "order", order_id = 1);
    Running::direct(move |i| _ = span.in_scope(|| black_box(i)), move || drop(until_the_end))
}

pub(super) fn install(subscriber: impl Subscriber + Send + Sync) {
    tracing::subscriber::set_global_default(subscriber).expect("the first subscriber");
}

fn start() -> Guard {
    start_with(|builder| builder)
}

fn start_with(settings: fn(jkool_tracing::Builder) -> jkool_tracing::Builder) -> Guard {
    let builder = settings(layer()).transport(NullTransport).configure(lossless);
    let (layer, guard) = builder.build().expect("a layer");
    install(registry().with(layer));
    guard
}
