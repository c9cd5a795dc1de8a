//! What is logged while a span or an event is made, where tracing itself does not stop it: by the subscriber of the whole process.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{layer, said};
use jkool_tracing::client::LossReason;
use std::fmt;
use tracing::field::{Empty, debug};
use tracing::{info, info_span};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Logs itself whenever it is formatted: without an end, if nobody stops it.
struct Endless;

impl fmt::Debug for Endless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        info_span!("endless", value = ?self).in_scope(|| info!("{self:?}"));
        f.write_str("formatted")
    }
}

#[test]
fn a_debug_that_logs_itself_ends_and_is_counted() {
    let (layer, streamed) = layer(|builder| builder);
    tracing_subscriber::registry().with(layer).init();
    let span = info_span!("s", first = ?Endless, later = Empty);
    span.record("later", debug(Endless));
    span.in_scope(|| info!(value = ?Endless, "m"));
    drop(span);
    let formatted = || "formatted".to_owned();
    assert_eq!(said(&streamed.activity().properties), [("first", formatted()), ("later", formatted())]);
    assert_eq!(said(&streamed.event().properties), [("value", formatted())]);
    // A span and an event, each of the three times.
    assert_eq!(streamed.dropped(LossReason::Recursion), 6);
}
