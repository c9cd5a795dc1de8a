//! The counters of a Kafka transport, and the state of its producer.

use jkool_transport::Metric;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The counters of a [`KafkaTransport`](crate::KafkaTransport), and the state of its connections to the brokers.
///
/// Records are counted since the transport was built. All other fields are from the last report of librdkafka's producer, which it makes
/// every 5 seconds (the property `statistics.interval.ms`); they are 0 before the first one, and when the transport is closed. When an
/// error makes a new producer necessary, its counters start at 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct KafkaStats {
    /// Records that were handed to librdkafka. A payload that is sent again is counted again.
    pub enqueued: u64,
    /// Records that all in-sync replicas have acknowledged.
    pub delivered: u64,
    /// Records that failed.
    pub failed: u64,
    /// The size in bytes of the records that wait for their delivery report.
    pub bytes_waiting: u64,
    /// Requests that wait to be sent to a broker.
    pub requests_waiting: u64,
    /// Requests that were sent to a broker and are not answered.
    pub requests_in_flight: u64,
    /// Requests that were sent again.
    pub requests_retried: u64,
    /// Requests that could not be sent.
    pub requests_failed: u64,
    /// Requests that were not answered in time.
    pub requests_timed_out: u64,
    /// The average time from a request to its answer, in the last interval that had any.
    pub round_trip: Option<Duration>,
    /// Brokers that are connected.
    pub brokers_up: u64,
    /// Brokers to which a connection is needed and there is none.
    pub brokers_down: u64,
}

impl KafkaStats {
    /// Returns the number of records that wait for their delivery report, including those of cancelled sends.
    pub fn waiting(&self) -> u64 {
        self.enqueued.saturating_sub(self.delivered + self.failed)
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let counters = [
            ("kafka_records_enqueued", "Records handed to librdkafka.", self.enqueued),
            ("kafka_records_delivered", "Records acknowledged by all in-sync replicas.", self.delivered),
            ("kafka_records_failed", "Records that failed.", self.failed),
            ("kafka_requests_retried", "Requests that were sent again.", self.requests_retried),
            ("kafka_requests_failed", "Requests that could not be sent.", self.requests_failed),
            ("kafka_requests_timed_out", "Requests that were not answered in time.", self.requests_timed_out),
        ];
        let gauges = [
            ("kafka_records_waiting", "Records that wait for their delivery report.", self.waiting()),
            ("kafka_waiting_bytes", "The size of the records that wait for their delivery report.", self.bytes_waiting),
            ("kafka_requests_waiting", "Requests that wait to be sent.", self.requests_waiting),
            ("kafka_requests_in_flight", "Requests that were sent and are not answered.", self.requests_in_flight),
            ("kafka_brokers_up", "Brokers that are connected.", self.brokers_up),
            ("kafka_brokers_down", "Brokers to which a connection is needed and there is none.", self.brokers_down),
        ];
        let round_trip = self.round_trip.map(|time| {
            let help = "The average time from a request to its answer.";
            Metric::gauge("kafka_round_trip_seconds", help, time.as_secs_f64())
        });
        let counters = counters.into_iter().map(|(name, help, value)| Metric::counter(name, help, value));
        let gauges = gauges.into_iter().map(|(name, help, value)| Metric::gauge(name, help, value as f64));
        counters.chain(gauges).chain(round_trip).collect()
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

    /// The counters, with the state of the producer.
    pub(crate) fn read(&self, producer: KafkaStats) -> KafkaStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        // Read in this order, so that a report is never counted without its record.
        let (delivered, failed) = (read(&self.delivered), read(&self.failed));
        KafkaStats { enqueued: read(&self.enqueued), delivered, failed, ..producer }
    }
}
