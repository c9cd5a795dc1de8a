//! Converts the data points of a metric to OTLP messages.

use crate::convert;
use bytes::Bytes;
use jkool_otlp::proto::metrics::{
    Buckets, Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint,
    Metric, NumberDataPoint, Sum,
};
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::{self, AggregatedMetrics, MetricData};

/// A number of the SDK: an integer or a float, as in the protocol.
trait Number: Copy {
    fn whole(self) -> Option<i64>;
    fn float(self) -> f64;
}

impl Number for i64 {
    fn whole(self) -> Option<i64> {
        Some(self)
    }

    fn float(self) -> f64 {
        self as f64
    }
}

/// An integer that does not fit a signed 64-bit one becomes a float.
impl Number for u64 {
    fn whole(self) -> Option<i64> {
        i64::try_from(self).ok()
    }

    fn float(self) -> f64 {
        self as f64
    }
}

impl Number for f64 {
    fn whole(self) -> Option<i64> {
        None
    }

    fn float(self) -> f64 {
        self
    }
}

pub(super) fn metric(metric: &data::Metric) -> Metric {
    let mut made = Metric {
        name: convert::text(metric.name()),
        description: convert::text(metric.description()),
        unit: convert::text(metric.unit()),
        ..Metric::default()
    };
    match metric.data() {
        AggregatedMetrics::F64(data) => add(&mut made, data),
        AggregatedMetrics::U64(data) => add(&mut made, data),
        AggregatedMetrics::I64(data) => add(&mut made, data),
    }
    made
}

fn add<T: Number>(metric: &mut Metric, data: &MetricData<T>) {
    match data {
        MetricData::Gauge(gauge) => metric.gauge = Some(of_gauge(gauge)),
        MetricData::Sum(sum) => metric.sum = Some(of_sum(sum)),
        MetricData::Histogram(histogram) => metric.histogram = Some(of_histogram(histogram)),
        MetricData::ExponentialHistogram(histogram) => metric.exponential_histogram = Some(of_exponential(histogram)),
    }
}

fn of_gauge<T: Number>(gauge: &data::Gauge<T>) -> Gauge {
    let point = |point: &data::GaugeDataPoint<T>| NumberDataPoint {
        attributes: convert::attributes(point.attributes()),
        start_time_unix_nano: gauge.start_time().map(convert::nanoseconds).unwrap_or_default(),
        time_unix_nano: convert::nanoseconds(gauge.time()),
        exemplars: point.exemplars().map(exemplar).collect(),
        ..number(point.value())
    };
    Gauge { data_points: gauge.data_points().map(point).collect() }
}

fn of_sum<T: Number>(sum: &data::Sum<T>) -> Sum {
    let point = |point: &data::SumDataPoint<T>| NumberDataPoint {
        attributes: convert::attributes(point.attributes()),
        start_time_unix_nano: convert::nanoseconds(sum.start_time()),
        time_unix_nano: convert::nanoseconds(sum.time()),
        exemplars: point.exemplars().map(exemplar).collect(),
        ..number(point.value())
    };
    Sum {
        data_points: sum.data_points().map(point).collect(),
        aggregation_temporality: temporality(sum.temporality()),
        is_monotonic: sum.is_monotonic(),
    }
}

fn number<T: Number>(value: T) -> NumberDataPoint {
    let as_int = value.whole();
    let as_double = as_int.is_none().then(|| value.float());
    NumberDataPoint { as_int, as_double, ..NumberDataPoint::default() }
}

fn of_histogram<T: Number>(histogram: &data::Histogram<T>) -> Histogram {
    let point = |point: &data::HistogramDataPoint<T>| HistogramDataPoint {
        attributes: convert::attributes(point.attributes()),
        start_time_unix_nano: convert::nanoseconds(histogram.start_time()),
        time_unix_nano: convert::nanoseconds(histogram.time()),
        count: point.count(),
        sum: Some(point.sum().float()),
        bucket_counts: point.bucket_counts().collect(),
        explicit_bounds: point.bounds().collect(),
        exemplars: point.exemplars().map(exemplar).collect(),
        flags: 0,
        min: point.min().map(Number::float),
        max: point.max().map(Number::float),
    };
    Histogram {
        data_points: histogram.data_points().map(point).collect(),
        aggregation_temporality: temporality(histogram.temporality()),
    }
}

fn of_exponential<T: Number>(histogram: &data::ExponentialHistogram<T>) -> ExponentialHistogram {
    let buckets = |buckets: &data::ExponentialBucket| {
        Some(Buckets { offset: buckets.offset(), bucket_counts: buckets.counts().collect() })
    };
    let point = |point: &data::ExponentialHistogramDataPoint<T>| ExponentialHistogramDataPoint {
        attributes: convert::attributes(point.attributes()),
        start_time_unix_nano: convert::nanoseconds(histogram.start_time()),
        time_unix_nano: convert::nanoseconds(histogram.time()),
        count: point.count() as u64,
        sum: Some(point.sum().float()),
        scale: point.scale().into(),
        zero_count: point.zero_count(),
        positive: buckets(point.positive_bucket()),
        negative: buckets(point.negative_bucket()),
        flags: 0,
        exemplars: point.exemplars().map(exemplar).collect(),
        min: point.min().map(Number::float),
        max: point.max().map(Number::float),
        zero_threshold: point.zero_threshold(),
    };
    ExponentialHistogram {
        data_points: histogram.data_points().map(point).collect(),
        aggregation_temporality: temporality(histogram.temporality()),
    }
}

fn exemplar<T: Number>(exemplar: &data::Exemplar<T>) -> Exemplar {
    let as_int = exemplar.value.whole();
    Exemplar {
        filtered_attributes: convert::attributes(exemplar.filtered_attributes()),
        time_unix_nano: convert::nanoseconds(exemplar.time()),
        as_double: as_int.is_none().then(|| exemplar.value.float()),
        as_int,
        span_id: Bytes::copy_from_slice(exemplar.span_id()),
        trace_id: Bytes::copy_from_slice(exemplar.trace_id()),
    }
}

/// The protocol's numbers. Data has one of these two.
fn temporality(temporality: Temporality) -> i32 {
    match temporality {
        Temporality::Delta => 1,
        _ => 2,
    }
}
