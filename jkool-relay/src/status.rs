//! The state and the counters of a relay.

use jkool_client::model::open_metrics::OpenMetrics;
use jkool_client::{Client, Condition};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The counters of a relay.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) received: AtomicU64,
    pub(crate) settled: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) dead_letters: AtomicU64,
    pub(crate) dead_letters_lost: AtomicU64,
    pub(crate) commits: AtomicU64,
    pub(crate) commits_failed: AtomicU64,
    pub(crate) given_up: AtomicU64,
    pub(crate) in_flight: AtomicU64,
    pub(crate) bytes_in_flight: AtomicU64,
    pub(crate) paused: AtomicU64,
}

/// A handle to the state and the counters of a relay. It is cheap to clone, and can be used while the relay runs and afterwards.
#[derive(Debug, Clone)]
pub struct RelayStatus {
    counters: Arc<Counters>,
    client: Client,
}

impl RelayStatus {
    pub(crate) fn new(counters: Arc<Counters>, client: Client) -> Self {
        Self { counters, client }
    }

    /// The number of records that were received from the source.
    pub fn received(&self) -> u64 {
        self.counters.received.load(Ordering::Relaxed)
    }

    /// The number of records that are settled: delivered, durable in the spool, dead letters, or dropped and counted by the client.
    pub fn settled(&self) -> u64 {
        self.counters.settled.load(Ordering::Relaxed)
    }

    /// The number of dead letters: records that were not valid events, and events that the server rejected permanently.
    pub fn dead_letters(&self) -> u64 {
        self.counters.dead_letters.load(Ordering::Relaxed)
    }

    /// The number of records in flight.
    pub fn in_flight(&self) -> u64 {
        self.counters.in_flight.load(Ordering::Relaxed)
    }

    /// Returns false while the configuration must be corrected, for example because the token is refused. Returns true while events are
    /// delivered, and also while the server is unavailable.
    pub fn is_healthy(&self) -> bool {
        matches!(self.client.health().condition, Condition::Running | Condition::BackingOff { .. })
    }

    /// Renders the counters of relay and client, and what the transport reports about itself, in the OpenMetrics text format; see
    /// [`Health::to_open_metrics`](jkool_client::Health::to_open_metrics).
    pub fn to_open_metrics(&self) -> String {
        let (mut metrics, counters) = (OpenMetrics::default(), &self.counters);
        for (name, kind, help, value) in [
            ("records_received", "counter", "Records received from the source.", &counters.received),
            ("records_settled", "counter", "Records settled.", &counters.settled),
            (
                "records_dropped",
                "counter",
                "Records dropped by the client because of their content.",
                &counters.dropped,
            ),
            ("records_given_up", "counter", "Records in flight when their partition was revoked.", &counters.given_up),
            ("dead_letters", "counter", "Records written as dead letters.", &counters.dead_letters),
            (
                "dead_letters_lost",
                "counter",
                "Dead letters rejected by their destination.",
                &counters.dead_letters_lost,
            ),
            ("commits", "counter", "Commits to the source.", &counters.commits),
            ("commits_failed", "counter", "Commits that failed.", &counters.commits_failed),
            ("records_in_flight", "gauge", "Records in flight.", &counters.in_flight),
            ("bytes_in_flight", "gauge", "Bytes of the records in flight.", &counters.bytes_in_flight),
            ("paused", "gauge", "1 while the source is paused because of the limits in flight.", &counters.paused),
        ] {
            let name = format!("jkool_relay_{name}");
            let family = if kind == "counter" { metrics.counter(&name) } else { metrics.gauge(&name) };
            family.help(help).value(value.load(Ordering::Relaxed));
        }
        self.client.health().write_open_metrics(&mut metrics);
        metrics.finish()
    }
}
