//! The values that a transport reports about itself.

/// A value that a transport reports about itself, such as the length of its queue. [`Transport::metrics`] returns them, and
/// `jkool_client::Health` contains them.
///
/// [`Transport::metrics`]: crate::Transport::metrics
///
/// ```
/// use jkool_transport::Metric;
///
/// let waiting = Metric::gauge("queue_records", "Records in the queue.", 5.0);
/// assert_eq!((waiting.name, waiting.value), ("queue_records", 5.0));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Metric {
    /// The name as in OpenMetrics: lower-case words with underscores, and the unit at the end, such as
    /// `kafka_round_trip_seconds`. A counter's name has no `_total`.
    pub name: &'static str,
    /// What it means, as one sentence for people.
    pub help: &'static str,
    /// Whether the value only increases.
    pub kind: MetricKind,
    /// The value.
    pub value: f64,
    /// The part of a combined transport that reports it, such as `first` or `second/one`; empty for a transport without parts.
    pub part: String,
}

/// The kind of a [`Metric`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MetricKind {
    /// A count since the transport was built. It may start again at 0.
    Counter,
    /// A current value.
    Gauge,
}

impl Metric {
    /// Creates a counter.
    pub fn counter(name: &'static str, help: &'static str, value: u64) -> Self {
        Self { name, help, kind: MetricKind::Counter, value: value as f64, part: String::new() }
    }

    /// Creates a gauge.
    pub fn gauge(name: &'static str, help: &'static str, value: f64) -> Self {
        Self { name, help, kind: MetricKind::Gauge, value, part: String::new() }
    }

    /// Sets which part of a combined transport reports it. Call it with the name of each part in a transport that contains others.
    pub fn of_part(mut self, part: &str) -> Self {
        self.part = if self.part.is_empty() { part.to_owned() } else { format!("{part}/{}", self.part) };
        self
    }
}

/// The metrics of two transports.
pub(crate) fn of_two(parts: [(&str, Vec<Metric>); 2]) -> Vec<Metric> {
    let of_part = |(part, metrics): (&str, Vec<Metric>)| {
        let part = part.to_owned();
        metrics.into_iter().map(move |metric| metric.of_part(&part))
    };
    parts.into_iter().flat_map(of_part).collect()
}
