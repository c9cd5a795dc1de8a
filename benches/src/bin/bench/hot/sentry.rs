//! Sentry's logs.

use super::{Row, Running, install};
use crate::delivers::Delivers;
use crate::sentry::{logger, options};
use jkool_benches::delivered;
use sentry::protocol::{EnvelopeItem, ItemContainer};
use sentry::{Envelope, Transport};
use std::sync::Arc;
use std::time::Duration;

pub(super) const ROWS: &[Row] = &[Row {
    name: "sentry-log",
    delivers: Delivers::Everything,
    about: "sentry's log integration, LogFilter::Log, a transport that discards",
    start: |_| log(),
}];

fn log() -> Running {
    let guard = sentry::init(options("http://public@127.0.0.1:9/1").transport(Arc::new(NullTransport)));
    install(Box::new(logger()));
    Running::log(move || assert!(guard.close(Some(Duration::from_secs(10))), "sentry closes in time"))
}

struct NullTransport;

impl Transport for NullTransport {
    fn send_envelope(&self, envelope: Envelope) {
        for item in envelope.items() {
            if let EnvelopeItem::ItemContainer(ItemContainer::Logs(logs)) = item {
                delivered::add(logs.len() as u64);
            }
        }
    }
}
