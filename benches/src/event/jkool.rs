//! The full event as jKool's client makes it.

use super::{LOCATION, SOURCE, USER};
use jkool_client::{Admission, Client};
use jkool_model::{Event, Severity, Snapshot, Timestamp};
use std::time::{Duration, SystemTime};

/// The calls that decorate it, on a builder or a draft.
macro_rules! decorate {
    ($event:expr, $i:expr, $time:expr) => {
        $event
            .severity(Severity::Info)
            .message(format!("order {} processed in {} ms", $i, $i & 63))
            .correlator("CID:7f3d12")
            .pid(4242)
            .tid(4243)
            .user(USER)
            .location(LOCATION)
            .resource("ORDERS.QUEUE")
            .time($time)
            .end_time($time)
            .elapsed(Duration::from_micros($i & 63))
            .snapshot(
                Snapshot::builder("Payment")
                    .category("Order")
                    .time($time)
                    .property("order-no", $i as i32)
                    .property("order-amount", 129.95)
                    .property("currency", "EUR")
                    .property("customer", "acme-corp")
                    .property("items", ($i & 7) as i32)
                    .build(),
            )
    };
}

/// Emits the full event; the client adds the id and the source.
pub fn emit(client: &Client, i: u64) -> Admission {
    let now = SystemTime::now();
    decorate!(client.event("orders"), i, now).emit()
}

/// The full event as the client encodes it, source and all.
pub fn event(id: &str, i: u64, time: u64) -> Event {
    let builder = Event::builder().operation("orders").tracking_id(id).source(SOURCE.parse().expect("a source name"));
    decorate!(builder, i, Timestamp::from_usec(time as i64)).build().expect("a valid event")
}
