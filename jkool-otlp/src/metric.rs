//! Maps the data points of a metric to snapshots: one for each series, like those of `jkool-metrics`.

use crate::attributes;
use crate::distribution::{Bucket, QUANTILES, explicit, exponential, quantile};
use crate::ids;
use crate::mapped::Mapping;
use crate::origin::Origin;
use crate::proto::common::KeyValue;
use crate::proto::metrics::{
    Exemplar, ExponentialHistogramDataPoint, ExportMetricsServiceRequest, HistogramDataPoint, Metric, NumberDataPoint,
    SummaryDataPoint,
};
use crate::time;
use crate::units::value_type;
use jkool_model::{Entity, Property, Snapshot, Text, TypedValue, Value, ValueType};

/// The category of the snapshots.
const CATEGORY: &str = "Metrics";

/// The maximum number of buckets of a histogram; an SDK creates at most 160 by default.
const MOST_BUCKETS: usize = 2_048;

/// Adds a snapshot for each data point.
pub(crate) fn map(request: &ExportMetricsServiceRequest, mapping: &mut Mapping) {
    for resource in &request.resource_metrics {
        let of_resource = Origin::of_resource(resource.resource.as_ref());
        for scope in &resource.scope_metrics {
            let origin = of_resource.with_scope(scope.scope.as_ref());
            for metric in &scope.metrics {
                add(metric, &origin, mapping);
            }
        }
    }
}

/// Maps the data points of all kinds in the metric. A metric should be of one kind; one of no kind, or of a newer kind, is
/// rejected.
fn add(metric: &Metric, origin: &Origin, mapping: &mut Mapping) {
    let called = || format!("the metric {:?}", attributes::text(&metric.name).chars().take(64).collect::<String>());
    if metric.name.is_empty() {
        return mapping.reject(points(metric).max(1) as u64, || "a metric has no name".into());
    }
    let Metric { gauge, sum, histogram, exponential_histogram, summary, .. } = metric;
    let measured = value_type(&String::from_utf8_lossy(&metric.unit));
    let mut add = |point: Result<Point, String>| {
        mapping.add(|| {
            let point = point.map_err(|why| format!("{} {why}", called()))?;
            Ok(vec![Entity::Snapshot(point.finish(metric, measured.is_some(), origin))])
        });
    };
    for point in gauge.iter().flat_map(|gauge| &gauge.data_points) {
        add(number(point, measured.clone().unwrap_or(ValueType::Gauge)));
    }
    for (sum, point) in sum.iter().flat_map(|sum| sum.data_points.iter().map(move |point| (sum, point))) {
        let is_delta = sum.aggregation_temporality == 1;
        let kind = match (sum.is_monotonic, is_delta) {
            (true, false) => ValueType::Counter,
            (true, true) => ValueType::Absolute,
            (false, _) => ValueType::Gauge,
        };
        add(number(point, measured.clone().unwrap_or(kind)).map(|mut made| {
            if sum.is_monotonic && is_delta {
                made.add_rate(point);
            }
            made.add("otel.monotonic", sum.is_monotonic, ValueType::None);
            made.with_temporality(sum.aggregation_temporality)
        }));
    }
    for (kind, point) in histogram.iter().flat_map(|kind| kind.data_points.iter().map(move |point| (kind, point))) {
        add(of_histogram(point, &measured).map(|made| made.with_temporality(kind.aggregation_temporality)));
    }
    let exponential = exponential_histogram.iter();
    for (kind, point) in exponential.flat_map(|kind| kind.data_points.iter().map(move |point| (kind, point))) {
        add(of_exponential(point, &measured).map(|made| made.with_temporality(kind.aggregation_temporality)));
    }
    for point in summary.iter().flat_map(|summary| &summary.data_points) {
        add(Ok(of_summary(point, &measured)));
    }
    if gauge.is_none() && sum.is_none() && histogram.is_none() && exponential_histogram.is_none() && summary.is_none() {
        mapping.reject(1, || format!("{} has no data, or data of an unknown kind", called()));
    }
}

fn points(metric: &Metric) -> usize {
    metric.gauge.as_ref().map_or(0, |kind| kind.data_points.len())
        + metric.sum.as_ref().map_or(0, |kind| kind.data_points.len())
        + metric.histogram.as_ref().map_or(0, |kind| kind.data_points.len())
        + metric.exponential_histogram.as_ref().map_or(0, |kind| kind.data_points.len())
        + metric.summary.as_ref().map_or(0, |kind| kind.data_points.len())
}

/// The parts of the snapshot of a data point.
struct Point<'a> {
    attributes: &'a [KeyValue],
    exemplars: &'a [Exemplar],
    start: u64,
    time: u64,
    /// The measured values, which come first.
    properties: Vec<Property>,
}

impl Point<'_> {
    fn add(&mut self, name: &'static str, value: impl Into<TypedValue>, value_type: ValueType) {
        self.properties.push(Property::new(name, value).value_type(value_type));
    }

    fn with_temporality(mut self, temporality: i32) -> Self {
        match temporality {
            1 => self.add("otel.temporality", "delta", ValueType::None),
            2 => self.add("otel.temporality", "cumulative", ValueType::None),
            _ => {}
        }
        self
    }

    /// The rate per second, for delta temporality.
    fn add_rate(&mut self, point: &NumberDataPoint) {
        let seconds = point.time_unix_nano.saturating_sub(point.start_time_unix_nano) as f64 / 1e9;
        let value = point.as_double.or(point.as_int.map(|int| int as f64));
        if let Some(value) = value.filter(|_| seconds > 0.0 && point.start_time_unix_nano > 0) {
            self.add("rate", value / seconds, ValueType::RateSec);
        }
    }

    fn finish(mut self, metric: &Metric, has_value_type: bool, origin: &Origin) -> Box<Snapshot> {
        if let Some(start) = time::of(self.start) {
            self.add("start_time", start, ValueType::None);
        }
        if !metric.unit.is_empty() && !has_value_type {
            self.add("unit", attributes::text(&metric.unit), ValueType::None);
        }
        if !metric.description.is_empty() {
            self.add("description", attributes::text(&metric.description), ValueType::None);
        }
        self.add_labels();
        for (index, exemplar) in self.exemplars.iter().enumerate() {
            append_exemplar(exemplar, index + 1, &mut self.properties);
        }
        attributes::append("metadata.", &metric.metadata, &mut self.properties);
        self.properties.extend_from_slice(&origin.properties);
        let mut snapshot = Box::new(Snapshot::builder(attributes::text(&metric.name)).category(CATEGORY).build());
        snapshot.time = time::of(self.time);
        snapshot.source = origin.source.clone();
        snapshot.properties = self.properties;
        snapshot
    }

    /// An attribute becomes a property with its name, or `label.name` if the metric has a property of that name.
    fn add_labels(&mut self) {
        let own = self.properties.len();
        attributes::append("", self.attributes, &mut self.properties);
        let (own, labels) = self.properties.split_at_mut(own);
        for label in labels {
            if own.iter().any(|property| property.name == label.name) {
                label.name = format!("label.{}", label.name).into();
            }
        }
    }
}

/// Bit 0 of the flags means that nothing was recorded.
const NO_VALUE: u32 = 1;

fn number(point: &NumberDataPoint, value_type: ValueType) -> Result<Point<'_>, String> {
    let mut made = Point {
        attributes: &point.attributes,
        exemplars: &point.exemplars,
        start: point.start_time_unix_nano,
        time: point.time_unix_nano,
        properties: Vec::new(),
    };
    match (point.as_int, point.as_double) {
        (Some(int), _) => made.add("value", int, value_type),
        (None, Some(double)) => made.add("value", double, value_type),
        (None, None) if point.flags & NO_VALUE != 0 => made.add("no_recorded_value", true, ValueType::None),
        (None, None) => return Err("has a data point without a value".into()),
    }
    Ok(made)
}

/// The values that all kinds of distributions have.
struct Totals {
    count: u64,
    sum: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    flags: u32,
}

impl Point<'_> {
    fn add_totals(&mut self, Totals { count, sum, min, max, flags }: Totals, measured: &Option<ValueType>) {
        if flags & NO_VALUE != 0 {
            self.add("no_recorded_value", true, ValueType::None);
            return;
        }
        self.add("count", count, ValueType::Absolute);
        let mean = sum.filter(|_| count > 0).map(|sum| sum / count as f64);
        for (name, value) in [("sum", sum), ("min", min), ("max", max), ("mean", mean)] {
            if let Some(value) = value {
                self.add(name, value, measured.clone().unwrap_or_default());
            }
        }
    }

    /// Quantiles, as exact as the buckets allow.
    fn add_quantiles(&mut self, buckets: &[Bucket], measured: &Option<ValueType>) {
        for (name, which) in QUANTILES {
            if let Some(value) = quantile(buckets, which) {
                self.add(name, value, measured.clone().unwrap_or_default());
            }
        }
    }

    fn add_counts(&mut self, name: &'static str, counts: &[u64]) {
        let counts = counts.iter().map(|count| TypedValue::from(*count).value).collect();
        self.add(name, Value::List(counts), ValueType::None);
    }
}

fn of_histogram<'a>(point: &'a HistogramDataPoint, measured: &Option<ValueType>) -> Result<Point<'a>, String> {
    let (counts, bounds) = (&point.bucket_counts, &point.explicit_bounds);
    if counts.len() > MOST_BUCKETS || bounds.len() > MOST_BUCKETS {
        return Err(format!("has a histogram of more than {MOST_BUCKETS} buckets"));
    }
    if !(counts.is_empty() && bounds.is_empty()) && counts.len() != bounds.len() + 1 {
        return Err(format!("has a histogram of {} buckets, and {} bounds between them", counts.len(), bounds.len()));
    }
    let mut made = Point {
        attributes: &point.attributes,
        exemplars: &point.exemplars,
        start: point.start_time_unix_nano,
        time: point.time_unix_nano,
        properties: Vec::new(),
    };
    let HistogramDataPoint { count, sum, min, max, flags, .. } = *point;
    made.add_totals(Totals { count, sum, min, max, flags }, measured);
    made.add_quantiles(&explicit(counts, bounds, min, max), measured);
    if !counts.is_empty() {
        made.add_counts("bucket_counts", counts);
        made.add("bounds", Value::List(bounds.iter().map(|bound| Value::Double(*bound)).collect()), ValueType::None);
    }
    Ok(made)
}

fn of_exponential<'a>(
    point: &'a ExponentialHistogramDataPoint,
    measured: &Option<ValueType>,
) -> Result<Point<'a>, String> {
    let sides = [("positive", &point.positive), ("negative", &point.negative)];
    if sides.iter().any(|(_, side)| side.as_ref().is_some_and(|side| side.bucket_counts.len() > MOST_BUCKETS)) {
        return Err(format!("has a histogram of more than {MOST_BUCKETS} buckets"));
    }
    let mut made = Point {
        attributes: &point.attributes,
        exemplars: &point.exemplars,
        start: point.start_time_unix_nano,
        time: point.time_unix_nano,
        properties: Vec::new(),
    };
    let ExponentialHistogramDataPoint { count, sum, min, max, flags, .. } = *point;
    made.add_totals(Totals { count, sum, min, max, flags }, measured);
    made.add_quantiles(&exponential(point), measured);
    made.add("scale", point.scale, ValueType::None);
    made.add("zero_count", point.zero_count, ValueType::None);
    if point.zero_threshold != 0.0 {
        made.add("zero_threshold", point.zero_threshold, ValueType::None);
    }
    for (side, (offset, counts)) in [
        (&point.positive, ("positive.offset", "positive.bucket_counts")),
        (&point.negative, ("negative.offset", "negative.bucket_counts")),
    ] {
        if let Some(side) = side.as_ref().filter(|side| !side.bucket_counts.is_empty()) {
            made.add(offset, side.offset, ValueType::None);
            made.add_counts(counts, &side.bucket_counts);
        }
    }
    Ok(made)
}

fn of_summary<'a>(point: &'a SummaryDataPoint, measured: &Option<ValueType>) -> Point<'a> {
    let mut made = Point {
        attributes: &point.attributes,
        exemplars: &[],
        start: point.start_time_unix_nano,
        time: point.time_unix_nano,
        properties: Vec::new(),
    };
    let SummaryDataPoint { count, sum, flags, .. } = *point;
    made.add_totals(Totals { count, sum: Some(sum), min: None, max: None, flags }, measured);
    for quantile in &point.quantile_values {
        // Quantiles 0 and 1 are the minimum and the maximum.
        let name: Text = match quantile.quantile {
            0.0 => "min".into(),
            1.0 => "max".into(),
            which => format!("p{}", (which * 1e8).round() / 1e6).into(),
        };
        made.properties.push(Property::new(name, quantile.value).value_type(measured.clone().unwrap_or_default()));
    }
    made
}

fn append_exemplar(exemplar: &Exemplar, number: usize, properties: &mut Vec<Property>) {
    let prefix = format!("exemplar.{number}.");
    let value = exemplar.as_int.map(TypedValue::from).or(exemplar.as_double.map(TypedValue::from));
    let ids = [("trace_id", ids::trace(&exemplar.trace_id)), ("span_id", ids::span(&exemplar.span_id))];
    let ids = ids.into_iter().filter_map(|(name, id)| Some((name, TypedValue::from(id?))));
    let time = time::of(exemplar.time_unix_nano).map(|time| ("time", TypedValue::from(time)));
    for (name, value) in value.map(|value| ("value", value)).into_iter().chain(time).chain(ids) {
        properties.push(Property::new(format!("{prefix}{name}"), value));
    }
    attributes::append(&prefix, &exemplar.filtered_attributes, properties);
}
