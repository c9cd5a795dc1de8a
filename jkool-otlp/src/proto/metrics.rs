//! Metrics.

use super::common::{InstrumentationScope, KeyValue, Resource};
use crate::json;
use bytes::Bytes;
use serde::Deserialize;

/// What `POST /v1/metrics` brings.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ExportMetricsServiceRequest {
    /// The metrics, by resource.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::or_default")]
    pub resource_metrics: Vec<ResourceMetrics>,
}

/// The metrics of a resource.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceMetrics {
    /// The resource.
    #[prost(message, optional, tag = "1")]
    pub resource: Option<Resource>,
    /// Its metrics, by scope.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "json::or_default")]
    pub scope_metrics: Vec<ScopeMetrics>,
}

/// The metrics of a scope.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ScopeMetrics {
    /// The scope.
    #[prost(message, optional, tag = "1")]
    pub scope: Option<InstrumentationScope>,
    /// Its metrics.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "json::or_default")]
    pub metrics: Vec<Metric>,
}

/// A metric, of one of five kinds.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Metric {
    /// Its name.
    #[prost(bytes = "bytes", tag = "1")]
    #[serde(deserialize_with = "json::text")]
    pub name: Bytes,
    /// What it is.
    #[prost(bytes = "bytes", tag = "2")]
    #[serde(deserialize_with = "json::text")]
    pub description: Bytes,
    /// What it is measured in, by UCUM: `ms`, `By`, `1`.
    #[prost(bytes = "bytes", tag = "3")]
    #[serde(deserialize_with = "json::text")]
    pub unit: Bytes,
    /// Values that stand for themselves.
    #[prost(message, optional, tag = "5")]
    pub gauge: Option<Gauge>,
    /// Sums.
    #[prost(message, optional, tag = "7")]
    pub sum: Option<Sum>,
    /// Distributions over buckets whose bounds are told.
    #[prost(message, optional, tag = "9")]
    pub histogram: Option<Histogram>,
    /// Distributions over buckets that grow.
    #[prost(message, optional, tag = "10")]
    pub exponential_histogram: Option<ExponentialHistogram>,
    /// Quantiles that the source has worked out.
    #[prost(message, optional, tag = "11")]
    pub summary: Option<Summary>,
    /// What else describes it.
    #[prost(message, repeated, tag = "12")]
    #[serde(deserialize_with = "json::or_default")]
    pub metadata: Vec<KeyValue>,
}

/// Values that stand for themselves.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Gauge {
    /// One for each series.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::or_default")]
    pub data_points: Vec<NumberDataPoint>,
}

/// Sums.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Sum {
    /// One for each series.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::or_default")]
    pub data_points: Vec<NumberDataPoint>,
    /// 2 cumulative, 1 delta, 0 not said.
    #[prost(int32, tag = "2")]
    #[serde(deserialize_with = "json::temporality")]
    pub aggregation_temporality: i32,
    /// Whether it never falls.
    #[prost(bool, tag = "3")]
    #[serde(deserialize_with = "json::or_default")]
    pub is_monotonic: bool,
}

/// Distributions over buckets whose bounds are told.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Histogram {
    /// One for each series.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::or_default")]
    pub data_points: Vec<HistogramDataPoint>,
    /// 2 cumulative, 1 delta, 0 not said.
    #[prost(int32, tag = "2")]
    #[serde(deserialize_with = "json::temporality")]
    pub aggregation_temporality: i32,
}

/// Distributions over buckets that grow.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ExponentialHistogram {
    /// One for each series.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::or_default")]
    pub data_points: Vec<ExponentialHistogramDataPoint>,
    /// 2 cumulative, 1 delta, 0 not said.
    #[prost(int32, tag = "2")]
    #[serde(deserialize_with = "json::temporality")]
    pub aggregation_temporality: i32,
}

/// Quantiles that the source has worked out.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Summary {
    /// One for each series.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::or_default")]
    pub data_points: Vec<SummaryDataPoint>,
}

/// A number.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NumberDataPoint {
    /// Which series it is of.
    #[prost(message, repeated, tag = "7")]
    #[serde(deserialize_with = "json::or_default")]
    pub attributes: Vec<KeyValue>,
    /// Since when it is summed up, in nanoseconds since 1970; 0 is unknown.
    #[prost(fixed64, tag = "2")]
    #[serde(deserialize_with = "json::uint64")]
    pub start_time_unix_nano: u64,
    /// When it was measured, in nanoseconds since 1970.
    #[prost(fixed64, tag = "3")]
    #[serde(deserialize_with = "json::uint64")]
    pub time_unix_nano: u64,
    /// The number, of one kind,
    #[prost(double, optional, tag = "4")]
    #[serde(deserialize_with = "json::optional_double")]
    pub as_double: Option<f64>,
    /// or of the other.
    #[prost(sfixed64, optional, tag = "6")]
    #[serde(deserialize_with = "json::optional_int64")]
    pub as_int: Option<i64>,
    /// Examples of what was measured.
    #[prost(message, repeated, tag = "5")]
    #[serde(deserialize_with = "json::or_default")]
    pub exemplars: Vec<Exemplar>,
    /// Bit 0: nothing was recorded.
    #[prost(uint32, tag = "8")]
    #[serde(deserialize_with = "json::uint32")]
    pub flags: u32,
}

/// A distribution over buckets whose bounds are told.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HistogramDataPoint {
    /// Which series it is of.
    #[prost(message, repeated, tag = "9")]
    #[serde(deserialize_with = "json::or_default")]
    pub attributes: Vec<KeyValue>,
    /// Since when it is summed up, in nanoseconds since 1970; 0 is unknown.
    #[prost(fixed64, tag = "2")]
    #[serde(deserialize_with = "json::uint64")]
    pub start_time_unix_nano: u64,
    /// When it was measured, in nanoseconds since 1970.
    #[prost(fixed64, tag = "3")]
    #[serde(deserialize_with = "json::uint64")]
    pub time_unix_nano: u64,
    /// How many values there are.
    #[prost(fixed64, tag = "4")]
    #[serde(deserialize_with = "json::uint64")]
    pub count: u64,
    /// Their sum.
    #[prost(double, optional, tag = "5")]
    #[serde(deserialize_with = "json::optional_double")]
    pub sum: Option<f64>,
    /// How many are in each bucket: one more than there are bounds.
    #[prost(fixed64, repeated, tag = "6")]
    #[serde(deserialize_with = "json::uint64s")]
    pub bucket_counts: Vec<u64>,
    /// The upper bounds of all buckets but the last.
    #[prost(double, repeated, tag = "7")]
    #[serde(deserialize_with = "json::doubles")]
    pub explicit_bounds: Vec<f64>,
    /// Examples of what was measured.
    #[prost(message, repeated, tag = "8")]
    #[serde(deserialize_with = "json::or_default")]
    pub exemplars: Vec<Exemplar>,
    /// Bit 0: nothing was recorded.
    #[prost(uint32, tag = "10")]
    #[serde(deserialize_with = "json::uint32")]
    pub flags: u32,
    /// The smallest value.
    #[prost(double, optional, tag = "11")]
    #[serde(deserialize_with = "json::optional_double")]
    pub min: Option<f64>,
    /// The largest value.
    #[prost(double, optional, tag = "12")]
    #[serde(deserialize_with = "json::optional_double")]
    pub max: Option<f64>,
}

/// A distribution over buckets that grow by the factor `2^(2^-scale)`.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ExponentialHistogramDataPoint {
    /// Which series it is of.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::or_default")]
    pub attributes: Vec<KeyValue>,
    /// Since when it is summed up, in nanoseconds since 1970; 0 is unknown.
    #[prost(fixed64, tag = "2")]
    #[serde(deserialize_with = "json::uint64")]
    pub start_time_unix_nano: u64,
    /// When it was measured, in nanoseconds since 1970.
    #[prost(fixed64, tag = "3")]
    #[serde(deserialize_with = "json::uint64")]
    pub time_unix_nano: u64,
    /// How many values there are.
    #[prost(fixed64, tag = "4")]
    #[serde(deserialize_with = "json::uint64")]
    pub count: u64,
    /// Their sum.
    #[prost(double, optional, tag = "5")]
    #[serde(deserialize_with = "json::optional_double")]
    pub sum: Option<f64>,
    /// How fine the buckets are.
    #[prost(sint32, tag = "6")]
    #[serde(deserialize_with = "json::sint32")]
    pub scale: i32,
    /// How many values are zero, or nearly.
    #[prost(fixed64, tag = "7")]
    #[serde(deserialize_with = "json::uint64")]
    pub zero_count: u64,
    /// Those above zero.
    #[prost(message, optional, tag = "8")]
    pub positive: Option<Buckets>,
    /// Those below zero.
    #[prost(message, optional, tag = "9")]
    pub negative: Option<Buckets>,
    /// Bit 0: nothing was recorded.
    #[prost(uint32, tag = "10")]
    #[serde(deserialize_with = "json::uint32")]
    pub flags: u32,
    /// Examples of what was measured.
    #[prost(message, repeated, tag = "11")]
    #[serde(deserialize_with = "json::or_default")]
    pub exemplars: Vec<Exemplar>,
    /// The smallest value.
    #[prost(double, optional, tag = "12")]
    #[serde(deserialize_with = "json::optional_double")]
    pub min: Option<f64>,
    /// The largest value.
    #[prost(double, optional, tag = "13")]
    #[serde(deserialize_with = "json::optional_double")]
    pub max: Option<f64>,
    /// What counts as zero.
    #[prost(double, tag = "14")]
    #[serde(deserialize_with = "json::double")]
    pub zero_threshold: f64,
}

/// Buckets one after the other.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Buckets {
    /// The index of the first.
    #[prost(sint32, tag = "1")]
    #[serde(deserialize_with = "json::sint32")]
    pub offset: i32,
    /// How many values are in each.
    #[prost(uint64, repeated, tag = "2")]
    #[serde(deserialize_with = "json::uint64s")]
    pub bucket_counts: Vec<u64>,
}

/// Quantiles.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SummaryDataPoint {
    /// Which series it is of.
    #[prost(message, repeated, tag = "7")]
    #[serde(deserialize_with = "json::or_default")]
    pub attributes: Vec<KeyValue>,
    /// Since when it is summed up, in nanoseconds since 1970; 0 is unknown.
    #[prost(fixed64, tag = "2")]
    #[serde(deserialize_with = "json::uint64")]
    pub start_time_unix_nano: u64,
    /// When it was measured, in nanoseconds since 1970.
    #[prost(fixed64, tag = "3")]
    #[serde(deserialize_with = "json::uint64")]
    pub time_unix_nano: u64,
    /// How many values there are.
    #[prost(fixed64, tag = "4")]
    #[serde(deserialize_with = "json::uint64")]
    pub count: u64,
    /// Their sum.
    #[prost(double, tag = "5")]
    #[serde(deserialize_with = "json::double")]
    pub sum: f64,
    /// The quantiles.
    #[prost(message, repeated, tag = "6")]
    #[serde(deserialize_with = "json::or_default")]
    pub quantile_values: Vec<ValueAtQuantile>,
    /// Bit 0: nothing was recorded.
    #[prost(uint32, tag = "8")]
    #[serde(deserialize_with = "json::uint32")]
    pub flags: u32,
}

/// A quantile.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ValueAtQuantile {
    /// Which: from 0 to 1.
    #[prost(double, tag = "1")]
    #[serde(deserialize_with = "json::double")]
    pub quantile: f64,
    /// Its value.
    #[prost(double, tag = "2")]
    #[serde(deserialize_with = "json::double")]
    pub value: f64,
}

/// An example of what was measured.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Exemplar {
    /// Attributes that the series lacks.
    #[prost(message, repeated, tag = "7")]
    #[serde(deserialize_with = "json::or_default")]
    pub filtered_attributes: Vec<KeyValue>,
    /// When, in nanoseconds since 1970.
    #[prost(fixed64, tag = "2")]
    #[serde(deserialize_with = "json::uint64")]
    pub time_unix_nano: u64,
    /// The number, of one kind,
    #[prost(double, optional, tag = "3")]
    #[serde(deserialize_with = "json::optional_double")]
    pub as_double: Option<f64>,
    /// or of the other.
    #[prost(sfixed64, optional, tag = "6")]
    #[serde(deserialize_with = "json::optional_int64")]
    pub as_int: Option<i64>,
    /// The span in which it was measured.
    #[prost(bytes = "bytes", tag = "4")]
    #[serde(deserialize_with = "json::id")]
    pub span_id: Bytes,
    /// The trace.
    #[prost(bytes = "bytes", tag = "5")]
    #[serde(deserialize_with = "json::id")]
    pub trace_id: Bytes,
}
