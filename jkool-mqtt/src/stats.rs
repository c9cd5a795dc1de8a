//! How many messages went where.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of a [`MqttTransport`](crate::MqttTransport) since it was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MqttStats {
    /// Messages that were written for the first time. A payload that the client sends again counts again.
    pub published: u64,
    /// Messages that were written once more, since the connection had broken before their acknowledgement.
    pub resent: u64,
    /// Messages that the broker has acknowledged.
    pub delivered: u64,
    /// Of those, how many had no subscriber, and so were kept by nobody. Only a broker of MQTT 5 says so, and not each does.
    pub unheard: u64,
    /// Messages that failed: refused, too large, late, or without a connection. The client sends most of them again.
    pub failed: u64,
    /// Of those, how many may have arrived all the same.
    pub in_doubt: u64,
    /// Connections that the broker has accepted.
    pub connections: u64,
    /// Acknowledgements of what was not under way, which are passed over.
    pub strays: u64,
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
        // In this order none is counted as delivered that was not as published.
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
