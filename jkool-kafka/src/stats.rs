//! How many records went where.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of a [`KafkaTransport`](crate::KafkaTransport) since it was built, in records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct KafkaStats {
    /// Handed to librdkafka. A payload that is sent again counts again.
    pub enqueued: u64,
    /// Acknowledged by all replicas that are in sync.
    pub delivered: u64,
    /// Reported as failed.
    pub failed: u64,
}

impl KafkaStats {
    /// Waiting for their delivery report, those of sends that were cancelled included.
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
        // In this order no report is counted whose record is not.
        let (delivered, failed) = (read(&self.delivered), read(&self.failed));
        KafkaStats { enqueued: read(&self.enqueued), delivered, failed }
    }
}
