//! How a relay is doing, for whoever watches it.

use jkool_client::{Client, Condition};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the relay counts.
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

/// How a relay is doing. Cloning is cheap; it can be asked while the relay runs and afterwards.
#[derive(Debug, Clone)]
pub struct RelayStatus {
    counters: Arc<Counters>,
    client: Client,
}

impl RelayStatus {
    pub(crate) fn new(counters: Arc<Counters>, client: Client) -> Self {
        Self { counters, client }
    }

    /// Records that have come from the source.
    pub fn received(&self) -> u64 {
        self.counters.received.load(Ordering::Relaxed)
    }

    /// Records that are done with: delivered, durable in the spool, dead letters, or dropped and counted by the client.
    pub fn settled(&self) -> u64 {
        self.counters.settled.load(Ordering::Relaxed)
    }

    /// Records that were no events, and events that the server refused for good.
    pub fn dead_letters(&self) -> u64 {
        self.counters.dead_letters.load(Ordering::Relaxed)
    }

    /// Records that are under way.
    pub fn in_flight(&self) -> u64 {
        self.counters.in_flight.load(Ordering::Relaxed)
    }

    /// Whether events get through, or will as soon as the server is back: false while a person has to mend a setting.
    pub fn is_healthy(&self) -> bool {
        matches!(self.client.health().condition, Condition::Running | Condition::BackingOff { .. })
    }

    /// The counts of relay and client in the text format of OpenMetrics; see
    /// [`Stats::to_open_metrics`](jkool_client::Stats::to_open_metrics).
    pub fn to_open_metrics(&self) -> String {
        let (mut text, counters) = (String::new(), &self.counters);
        for (name, kind, help, value) in [
            ("records_received", "counter", "Records that have come from the source.", &counters.received),
            ("records_settled", "counter", "Records that are done with.", &counters.settled),
            ("records_dropped", "counter", "Records that the client dropped for what they are.", &counters.dropped),
            (
                "records_given_up",
                "counter",
                "Records that were under way when their partition went.",
                &counters.given_up,
            ),
            ("dead_letters", "counter", "Records that became dead letters.", &counters.dead_letters),
            ("dead_letters_lost", "counter", "Dead letters that were refused.", &counters.dead_letters_lost),
            ("commits", "counter", "Commits to the source.", &counters.commits),
            ("commits_failed", "counter", "Commits that the source could not keep.", &counters.commits_failed),
            ("records_in_flight", "gauge", "Records that are under way.", &counters.in_flight),
            ("bytes_in_flight", "gauge", "Bytes of the records that are under way.", &counters.bytes_in_flight),
            ("paused", "gauge", "1 while the source is paused, since enough is under way.", &counters.paused),
        ] {
            let (total, value) = (if kind == "counter" { "_total" } else { "" }, value.load(Ordering::Relaxed));
            // To write to a string does not fail.
            writeln!(
                text,
                "# TYPE jkool_relay_{name} {kind}\n# HELP jkool_relay_{name} {help}\njkool_relay_{name}{total} {value}"
            )
            .unwrap_or_default();
        }
        text + &self.client.stats().to_open_metrics()
    }
}
