//! Panics in spans.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::layer;
use jkool_tracing::client::panic_hook;
use jkool_tracing::model::ActivityStatus;
use std::fmt;
use tracing::field::{Empty, debug};
use tracing::{Span, info_span};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Panics when it is formatted, for which the console has locked the span.
struct Panics;

impl fmt::Debug for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("this Debug does")
    }
}

#[test]
fn a_panic_belongs_to_the_span_that_it_happens_in_even_while_that_is_locked() {
    let (layer, streamed) = layer(|builder| builder);
    let console = tracing_subscriber::fmt::layer().with_writer(std::io::sink);
    let _default = tracing_subscriber::registry().with(layer).with(console).set_default();
    panic_hook(streamed.guard.client()).flush_timeout(common::PATIENCE).install();
    let run = || {
        info_span!("outer").in_scope(|| {
            drop(info_span!("over").entered());
            info_span!("inner", late = Empty).in_scope(|| {
                Span::current().record("late", debug(Panics));
            });
        });
    };
    // The console's own formatting panics, after ours has caught the same.
    std::panic::catch_unwind(run).unwrap_err();
    let (inner, outer) = (streamed.named("inner"), streamed.named("outer"));
    let mut events = streamed.events();
    // From then on the span's lock panics at each access, which is caught.
    events.retain(|event| event.message == "this Debug does");
    assert_eq!(events.len(), 2);
    for event in events {
        assert_eq!((&event.parent_id, &*event.operation), (&inner.tracking_id, "panic"));
        assert_eq!(event.correlators, inner.correlators);
    }
    assert_eq!((inner.status, outer.status), (Some(ActivityStatus::Exception), Some(ActivityStatus::Exception)));
}
