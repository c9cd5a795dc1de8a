//! The counters of an MQTT transport.

use jkool_transport::Metric;
use std::sync::atomic::{AtomicU64, Ordering};

/// The counters of an [`MqttTransport`](crate::MqttTransport) since it was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MqttStats {
    /// Messages that were written for the first time. A payload that the client sends again is counted again.
    pub published: u64,
    /// Messages that were written again, because the connection broke before they were acknowledged.
    pub resent: u64,
    /// Messages that the broker has acknowledged.
    pub delivered: u64,
    /// Delivered messages that had no subscriber, and so were not kept by the broker. Only some MQTT 5 brokers report this.
    pub unheard: u64,
    /// Messages that failed: refused, too large, timed out, or without a connection. The client sends most of them again.
    pub failed: u64,
    /// Failed messages that may have arrived all the same.
    pub in_doubt: u64,
    /// Connections that the broker has accepted.
    pub connections: u64,
    /// Acknowledgements that match no message in flight, and are ignored.
    pub strays: u64,
}

impl MqttStats {
    pub(crate) fn metrics(&self) -> Vec<Metric> {
        [
            ("mqtt_messages_published", "Messages written for the first time.", self.published),
            ("mqtt_messages_resent", "Messages written again on a new connection.", self.resent),
            ("mqtt_messages_delivered", "Messages acknowledged by the broker.", self.delivered),
            ("mqtt_messages_unheard", "Delivered messages that had no subscriber.", self.unheard),
            ("mqtt_messages_failed", "Messages that failed.", self.failed),
            ("mqtt_messages_in_doubt", "Failed messages that may have arrived.", self.in_doubt),
            ("mqtt_connections", "Connections accepted by the broker.", self.connections),
            ("mqtt_stray_acknowledgements", "Acknowledgements that match no message in flight.", self.strays),
        ]
        .map(|(name, help, value)| Metric::counter(name, help, value))
        .into()
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) published: Counter,
    pub(crate) resent: Counter,
    pub(crate) delivered: Counter,
    pub(crate) unheard: Counter,
    pub(crate) failed: Counter,
    pub(crate) in_doubt: Counter,
    pub(crate) connections: Counter,
    pub(crate) strays: Counter,
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: usize) {
        self.0.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    pub(crate) fn read(&self) -> MqttStats {
        // Read in this order, so that no message is counted as delivered and not as published.
        let (unheard, delivered, failed) = (self.unheard.read(), self.delivered.read(), self.failed.read());
        MqttStats {
            unheard,
            delivered,
            failed,
            in_doubt: self.in_doubt.read(),
            resent: self.resent.read(),
            published: self.published.read(),
            connections: self.connections.read(),
            strays: self.strays.read(),
        }
    }
}
