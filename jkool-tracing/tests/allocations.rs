//! What spans and events cost that nobody wants.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use cap::Cap;
use common::layer;
use jkool_tracing::Spans;
use std::alloc::System;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::with_default;
use tracing::{debug, debug_span};
use tracing_subscriber::layer::SubscriberExt;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

#[test]
fn a_span_that_is_not_recorded_costs_no_memory() {
    for off in [false, true] {
        let (layer, _streamed) = layer(|builder| {
            let builder = builder.event_level(LevelFilter::INFO).span_level(LevelFilter::INFO);
            if off { builder.spans(Spans::Off) } else { builder }
        });
        with_default(tracing_subscriber::registry().with(layer), || {
            let span = || {
                let span = debug_span!("hidden", order = "A-100");
                span.record("order", "A-101");
                span.in_scope(|| debug!(amount = 5, "hidden"));
            };
            // The registry makes room for its first spans.
            (0..1000).for_each(|_| span());
            let before = ALLOCATOR.total_allocated();
            (0..1000).for_each(|_| span());
            // The delivery thread may look after its queue meanwhile.
            let allocated = ALLOCATOR.total_allocated() - before;
            assert!(allocated < 1000, "{allocated} bytes for 1000 spans");
        });
    }
}
