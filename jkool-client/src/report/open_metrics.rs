//! Counters and the transport's metrics in the text format of OpenMetrics.

use crate::report::health::Health;
use crate::report::loss::LossReason;
use crate::report::stats::Stats;
use jkool_transport::{Metric, MetricKind};
use std::collections::BTreeMap;
use std::fmt::{self, Write};

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
        let mut text = String::new();
        // Writing to a string cannot fail.
        self.write_open_metrics(&mut text).unwrap_or_default();
        text + END
    }

    fn write_open_metrics(&self, text: &mut String) -> fmt::Result {
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
            head(text, "client", name, "counter", help)?;
            writeln!(text, "jkool_client_{name}_total {value}")?;
        }
        head(text, "client", "events_dropped", "counter", "Events dropped, by reason.")?;
        for reason in LossReason::ALL {
            let name = reason.name();
            writeln!(text, "jkool_client_events_dropped_total{{reason=\"{name}\"}} {}", self.dropped(*reason))?;
        }
        for (name, help, value) in [
            ("events_in_memory", "Events in memory, waiting or in flight.", self.in_memory),
            ("events_spooled", "Events in the spool.", self.spooled),
            ("spool_files", "Files in the spool.", self.files_spooled),
        ] {
            head(text, "client", name, "gauge", help)?;
            writeln!(text, "jkool_client_{name} {value}")?;
        }
        for (name, help, value) in [
            ("memory_bytes", "Approximate memory used by events.", self.bytes_in_memory as u64),
            ("spool_bytes", "Disk space used by the spool.", self.bytes_spooled),
            ("spool_damaged_bytes", "Damaged bytes in files of the spool.", self.damaged_bytes),
        ] {
            head(text, "client", name, "gauge", help)?;
            writeln!(text, "# UNIT jkool_client_{name} bytes\njkool_client_{name} {value}")?;
        }
        Ok(())
    }
}

/// What follows the metrics.
const END: &str = "# EOF\n";

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
        let mut text = String::new();
        // Writing to a string cannot fail.
        self.stats.write_open_metrics(&mut text).unwrap_or_default();
        write_transport(&self.transport, &mut text).unwrap_or_default();
        text + END
    }
}

/// The format requires that the values of a name follow each other.
fn write_transport(metrics: &[Metric], text: &mut String) -> fmt::Result {
    let mut by_name = BTreeMap::<_, Vec<_>>::new();
    for metric in metrics {
        by_name.entry(metric.name).or_default().push(metric);
    }
    for (name, metrics) in by_name {
        let (kind, total) = match metrics[0].kind {
            MetricKind::Counter => ("counter", "_total"),
            _ => ("gauge", ""),
        };
        head(text, "transport", name, kind, metrics[0].help)?;
        for Metric { part, value, .. } in metrics {
            let part = part.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let label = if part.is_empty() { String::new() } else { format!("{{part=\"{part}\"}}") };
            writeln!(text, "jkool_transport_{name}{total}{label} {value}")?;
        }
    }
    Ok(())
}

fn head(text: &mut String, of: &str, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(text, "# TYPE jkool_{of}_{name} {kind}\n# HELP jkool_{of}_{name} {help}")
}

#[cfg(test)]
mod tests {
    use super::write_transport;
    use crate::report::loss::LossReason;
    use crate::report::stats::Stats;
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
        let mut text = String::new();
        let metrics = ["one", "other"].map(|part| {
            let waiting = Metric::gauge("queue_seconds", "The time in the queue.", 0.25).of_part(part);
            [Metric::counter("failed", "Records that failed.", 3).of_part(part).of_part("first"), waiting]
        });
        write_transport(&metrics.concat(), &mut text).unwrap();
        let expected = "# TYPE jkool_transport_failed counter\n\
            # HELP jkool_transport_failed Records that failed.\n\
            jkool_transport_failed_total{part=\"first/one\"} 3\n\
            jkool_transport_failed_total{part=\"first/other\"} 3\n\
            # TYPE jkool_transport_queue_seconds gauge\n\
            # HELP jkool_transport_queue_seconds The time in the queue.\n\
            jkool_transport_queue_seconds{part=\"one\"} 0.25\n\
            jkool_transport_queue_seconds{part=\"other\"} 0.25\n";
        assert_eq!(text, expected);
        text.clear();
        write_transport(&[Metric::gauge("active", "Active.", 1.0).of_part("a \"b\"\\c\n")], &mut text).unwrap();
        assert!(text.ends_with("jkool_transport_active{part=\"a \\\"b\\\"\\\\c\\n\"} 1\n"), "{text}");
    }
}
