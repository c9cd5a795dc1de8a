//! Records of the log crate, which come by way of `tracing-log`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{layer, said};
use jkool_tracing::model::Severity;
use tracing::info_span;
use tracing_subscriber::layer::SubscriberExt;

#[test]
fn a_record_keeps_its_own_target_and_place_and_comes_once() {
    let (layer, streamed) = layer(|builder| builder.code_location(true));
    tracing_log::LogTracer::init().unwrap();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();
    let line = info_span!("s").in_scope(|| {
        log::warn!(target: "orders", "Order {} is late", "A-100");
        line!() - 1
    });
    let event = streamed.event();
    assert_eq!(
        (&*event.operation, &*event.message, event.severity),
        ("orders", "Order A-100 is late", Severity::Warning)
    );
    let expected = [("module", module_path!().to_owned()), ("file", file!().into()), ("line", line.to_string())];
    assert_eq!(said(&event.properties), expected);
    assert_eq!(event.parent_id, streamed.activity().tracking_id);
}
