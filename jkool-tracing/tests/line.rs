//! An event in no span goes a shorter way: what arrives is the same.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::start;
use jkool_tracing::model::Event;
use std::fmt;
use tracing::{error, info, info_span, warn};

/// Events of all kinds of fields, by the way that is asked for.
fn emitted(hook: bool) -> Vec<Event> {
    let (streamed, _default) = start(|builder| {
        builder.code_location(true).configure(move |client| {
            // With a hook there is an event made of each.
            if hook { client.before_send(Some) } else { client }
        })
    });
    info!("plain");
    info!(target: "orders", i = -1, u = 7_u64, large = u64::MAX, wide = i128::MAX, f = 0.5, b = true, s = "x \" y", "all {}", 1);
    warn!(debug = ?[1, 2], display = %"text", bytes = &b"ab"[..], r#type = "t", empty = "");
    info!(name: "order.late", order = "A-100");
    info!(message = 5);
    error!(error = &fmt::Error as &dyn std::error::Error, n = 1, "failed");
    info!(corrid = "order-42", n = 1, "decorated");
    info!(line = 7, "as the code's own");
    info!("{}", "long ".repeat(10_000));
    info!(n = 1, "{}", "long ".repeat(10_000));
    let mut events = streamed.events();
    for event in &mut events {
        assert!(event.tracking_id.take().is_some() && event.time.take().is_some() && event.tid.take().is_some());
    }
    events
}

#[test]
fn what_arrives_is_the_same() {
    let (short, long) = (emitted(false), emitted(true));
    assert_eq!((short.len(), long.len()), (10, 10));
    for (short, long) in short.iter().zip(&long) {
        assert_eq!(short, long);
    }
}

#[test]
fn an_event_in_a_span_and_one_beside_it() {
    let (streamed, _default) = start(|builder| builder);
    let span = info_span!("s");
    span.in_scope(|| info!("inside"));
    info!("outside");
    span.in_scope(|| info!(parent: None, "told to be outside"));
    info!(parent: &span, "told to be inside");
    let parents: Vec<bool> = streamed.events().iter().map(|event| event.parent_id.is_some()).collect();
    assert_eq!(parents, [true, false, false, true]);
}
