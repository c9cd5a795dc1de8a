//! Counters and the transport's metrics in the text format of OpenMetrics.

use crate::report::health::Health;
use crate::report::loss::LossReason;
use crate::report::stats::Stats;
use jkool_model::open_metrics::OpenMetrics;
use jkool_transport::{Metric, MetricKind};
use std::collections::BTreeMap;

impl Stats {
    /// Renders the counters in the text format of [OpenMetrics](https://prometheus.io/docs/specs/om/open_metrics_spec/), for
    /// Prometheus and compatible software. Serve it as `application/openmetrics-text; version=1.0.0; charset=utf-8`. Totals are
    /// counters; the number of waiting events and their size are gauges.
    ///
    /// ```
    /// # use jkool_client::Stats;
    /// let text = Stats::default().to_open_metrics();
    /// assert!(text.contains("jkool_client_events_delivered_total 0\n"));
    /// assert!(text.contains("jkool_client_events_dropped_total{reason=\"overflow\"} 0\n"));
    /// assert!(text.ends_with("# EOF\n"));
    /// ```
    pub fn to_open_metrics(&self) -> String {
        let mut metrics = OpenMetrics::default();
        self.write_open_metrics(&mut metrics);
        metrics.finish()
    }

    fn write_open_metrics(&self, metrics: &mut OpenMetrics) {
        for (name, help, value) in [
            ("events_accepted", "Events accepted by the client.", self.accepted),
            ("events_recovered", "Events recovered from the spool of an earlier process.", self.recovered),
            ("events_delivered", "Events confirmed by the server.", self.delivered),
            (
                "events_maybe_duplicated",
                "Events sent again that may already have been delivered.",
                self.maybe_duplicated,
            ),
        ] {
            metrics.counter(&format!("jkool_client_{name}")).help(help).value(value);
        }
        let dropped = metrics.counter("jkool_client_events_dropped").help("Events dropped, by reason.");
        LossReason::ALL
            .iter()
            .fold(dropped, |dropped, reason| dropped.labelled("reason", reason.name(), self.dropped(*reason)));
        for (name, help, value) in [
            ("events_in_memory", "Events in memory, waiting or in flight.", self.in_memory),
            ("events_spooled", "Events in the spool.", self.spooled),
            ("spool_files", "Files in the spool.", self.files_spooled),
        ] {
            metrics.gauge(&format!("jkool_client_{name}")).help(help).value(value);
        }
        for (name, help, value) in [
            ("memory_bytes", "Approximate memory used by events.", self.bytes_in_memory as u64),
            ("spool_bytes", "Disk space used by the spool.", self.bytes_spooled),
            ("spool_damaged_bytes", "Damaged bytes in files of the spool.", self.damaged_bytes),
        ] {
            metrics.gauge(&format!("jkool_client_{name}")).help(help).unit("bytes").value(value);
        }
    }
}

impl Health {
    /// Renders the counters as [`Stats::to_open_metrics`] does, and what the transport reports about itself, as
    /// `jkool_transport_…`. The label `part` names the part of a combined transport.
    ///
    /// ```
    /// # use jkool_client::Client;
    /// # use jkool_client::transport::{Failover, MemoryTransport};
    /// let transport = Failover::new(MemoryTransport::new(), MemoryTransport::new());
    /// let client = Client::builder().transport(transport).build()?;
    /// assert!(client.health().to_open_metrics().contains("jkool_transport_failover_active 0\n"));
    /// # Ok::<(), jkool_client::BuildError>(())
    /// ```
    pub fn to_open_metrics(&self) -> String {
        let mut metrics = OpenMetrics::default();
        self.write_open_metrics(&mut metrics);
        metrics.finish()
    }

    /// Adds the same to other metrics.
    #[doc(hidden)]
    pub fn write_open_metrics(&self, metrics: &mut OpenMetrics) {
        self.stats.write_open_metrics(metrics);
        write_transport(&self.transport, metrics);
    }
}

/// The format requires that the values of a name follow each other.
fn write_transport(of_transport: &[Metric], metrics: &mut OpenMetrics) {
    let mut by_name = BTreeMap::<_, Vec<_>>::new();
    for metric in of_transport {
        by_name.entry(metric.name).or_default().push(metric);
    }
    for (name, of_name) in by_name {
        let name = format!("jkool_transport_{name}");
        let family = match of_name[0].kind {
            MetricKind::Counter => metrics.counter(&name),
            _ => metrics.gauge(&name),
        };
        of_name.iter().fold(family.help(of_name[0].help), |family, Metric { part, value, .. }| {
            if part.is_empty() { family.value(value) } else { family.labelled("part", part, value) }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::write_transport;
    use crate::report::loss::LossReason;
    use crate::report::stats::Stats;
    use jkool_model::open_metrics::OpenMetrics;
    use jkool_transport::Metric;
    use std::collections::{BTreeMap, HashSet};

    #[test]
    fn every_count_is_told_once_and_described_before() {
        let mut stats = Stats { accepted: 1, recovered: 2, delivered: 3, spooled: 4, ..Stats::default() };
        (stats.bytes_spooled, stats.damaged_bytes, stats.in_memory) = (5, 6, 7);
        stats.files_spooled = 10 + LossReason::COUNT as u64;
        (stats.bytes_in_memory, stats.maybe_duplicated) = (8, 9);
        stats.dropped = std::array::from_fn(|reason| 10 + reason as u64);
        let text = stats.to_open_metrics();
        let mut described = HashSet::new();
        let mut values = BTreeMap::new();
        for line in text.lines() {
            match line.strip_prefix("# TYPE ") {
                Some(kind) => assert!(described.insert(kind.split_once(' ').unwrap().0)),
                None if line.starts_with('#') => {}
                None => {
                    let (name, value) = line.rsplit_once(' ').unwrap();
                    let family = name.split('{').next().unwrap();
                    assert!(described.contains(family.strip_suffix("_total").unwrap_or(family)), "{line}");
                    assert!(values.insert(name, value.parse::<u64>().unwrap()).is_none());
                }
            }
        }
        let mut told: Vec<_> = values.values().copied().collect();
        told.sort_unstable();
        assert_eq!(told, (1..=10 + LossReason::COUNT as u64).collect::<Vec<_>>());
        assert_eq!(values["jkool_client_events_dropped_total{reason=\"worker_failed\"}"], 9 + LossReason::COUNT as u64);
        assert_eq!(text.matches("# EOF").count(), 1);
    }

    #[test]
    fn metrics_of_the_parts_of_a_transport_are_told_together() {
        let text = |of_transport: &[Metric]| {
            let mut metrics = OpenMetrics::default();
            write_transport(of_transport, &mut metrics);
            metrics.finish()
        };
        let metrics = ["one", "other"].map(|part| {
            let waiting = Metric::gauge("queue_seconds", "The time in the queue.", 0.25).of_part(part);
            [Metric::counter("failed", "Records that failed.", 3).of_part(part).of_part("first"), waiting]
        });
        let expected = "# TYPE jkool_transport_failed counter\n\
            # HELP jkool_transport_failed Records that failed.\n\
            jkool_transport_failed_total{part=\"first/one\"} 3\n\
            jkool_transport_failed_total{part=\"first/other\"} 3\n\
            # TYPE jkool_transport_queue_seconds gauge\n\
            # HELP jkool_transport_queue_seconds The time in the queue.\n\
            jkool_transport_queue_seconds{part=\"one\"} 0.25\n\
            jkool_transport_queue_seconds{part=\"other\"} 0.25\n\
            # EOF\n";
        assert_eq!(text(&metrics.concat()), expected);
        let text = text(&[Metric::gauge("active", "Active.", 1.0).of_part("a \"b\"\\c\n")]);
        assert!(text.ends_with("jkool_transport_active{part=\"a \\\"b\\\"\\\\c\\n\"} 1\n# EOF\n"), "{text}");
    }
}
