//! The counters of a Kafka transport.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counters of a [`KafkaTransport`](crate::KafkaTransport) since it was built, in records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct KafkaStats {
    /// Records that were handed to librdkafka. A payload that is sent again is counted again.
    pub enqueued: u64,
    /// Records that all in-sync replicas have acknowledged.
    pub delivered: u64,
    /// Records that failed.
    pub failed: u64,
}

impl KafkaStats {
    /// Returns the number of records that wait for their delivery report, including those of cancelled sends.
    pub fn waiting(&self) -> u64 {
        self.enqueued.saturating_sub(self.delivered + self.failed)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    enqueued: AtomicU64,
    delivered: AtomicU64,
    failed: AtomicU64,
}

impl Counters {
    pub(crate) fn enqueued(&self) {
        self.enqueued.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn reported(&self, delivered: bool) {
        let counter = if delivered { &self.delivered } else { &self.failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> KafkaStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        // Read in this order, so that a report is never counted without its record.
        let (delivered, failed) = (read(&self.delivered), read(&self.failed));
        KafkaStats { enqueued: read(&self.enqueued), delivered, failed }
    }
}
