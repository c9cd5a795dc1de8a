//! More snapshots on an event, of 5 properties each.

use super::{Calls, Cost, scaled, table};
use jkool_benches::jkool::{client, lossless};
use jkool_benches::null_transport::NullTransport;
use jkool_model::Snapshot;

pub(super) fn run(scale: f64) {
    let case = |snapshots: u64| (snapshots.to_string(), cost(snapshots, scaled(1_000_000 / (1 + snapshots), scale)));
    table("snapshots on the event", [0, 1, 10, 100].into_iter().map(case));
}

fn cost(snapshots: u64, events: u64) -> Cost {
    let client = lossless(client()).transport(NullTransport).build().expect("a client");
    Cost::of(&client, events, || {
        Calls::of(|| {
            for i in 0..events {
                let event = client.event("orders").message("processed");
                (0..snapshots).fold(event, |event, _| event.snapshot(payment(i))).emit();
            }
        })
    })
}

fn payment(i: u64) -> Snapshot {
    Snapshot::builder("Payment")
        .category("Order")
        .property("order-no", i)
        .property("order-amount", 129.95)
        .property("currency", "EUR")
        .property("customer", "acme-corp")
        .property("items", i & 7)
        .build()
}
