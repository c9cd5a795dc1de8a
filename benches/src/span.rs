//! The span that is opened, entered, left and closed in every row that has one.

use std::hint::black_box;

/// A root with three fields. Its name is what the sink counts.
pub fn order(i: u64) {
    let span = tracing::info_span!(
        target: "orders", "order processed in time", order_id = i, elapsed_ms = i & 63, customer = "acme-corp"
    );
    span.in_scope(|| black_box(i));
}
