//! Metrics.

use super::common::{InstrumentationScope, KeyValue, Resource};
use crate::json;
use bytes::Bytes;
use serde::Deserialize;

/// The request of `POST /v1/metrics`.
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
    /// Its description.
    #[prost(bytes = "bytes", tag = "2")]
    #[serde(deserialize_with = "json::text")]
    pub description: Bytes,
    /// Its unit, as defined by UCUM: `ms`, `By`, `1`.
    #[prost(bytes = "bytes", tag = "3")]
    #[serde(deserialize_with = "json::text")]
    pub unit: Bytes,
    /// The data of a gauge.
    #[prost(message, optional, tag = "5")]
    pub gauge: Option<Gauge>,
    /// Sums.
    #[prost(message, optional, tag = "7")]
    pub sum: Option<Sum>,
    /// Distributions over buckets with explicit bounds.
    #[prost(message, optional, tag = "9")]
    pub histogram: Option<Histogram>,
    /// Distributions over buckets that grow exponentially.
    #[prost(message, optional, tag = "10")]
    pub exponential_histogram: Option<ExponentialHistogram>,
    /// Quantiles that the source computed.
    #[prost(message, optional, tag = "11")]
    pub summary: Option<Summary>,
    /// Its metadata.
    #[prost(message, repeated, tag = "12")]
    #[serde(deserialize_with = "json::or_default")]
    pub metadata: Vec<KeyValue>,
}

/// The data of a gauge.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Gauge {
    /// The data points, one for each series.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::or_default")]
    pub data_points: Vec<NumberDataPoint>,
}

/// Sums.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Sum {
    /// The data points, one for each series.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::or_default")]
    pub data_points: Vec<NumberDataPoint>,
    /// The temporality: 2 cumulative, 1 delta, 0 unspecified.
    #[prost(int32, tag = "2")]
    #[serde(deserialize_with = "json::temporality")]
    pub aggregation_temporality: i32,
    /// Whether it is monotonic.
    #[prost(bool, tag = "3")]
    #[serde(deserialize_with = "json::or_default")]
    pub is_monotonic: bool,
}

/// Distributions over buckets with explicit bounds.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Histogram {
    /// The data points, one for each series.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::or_default")]
    pub data_points: Vec<HistogramDataPoint>,
    /// The temporality: 2 cumulative, 1 delta, 0 unspecified.
    #[prost(int32, tag = "2")]
    #[serde(deserialize_with = "json::temporality")]
    pub aggregation_temporality: i32,
}

/// Distributions over buckets that grow exponentially.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ExponentialHistogram {
    /// The data points, one for each series.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::or_default")]
    pub data_points: Vec<ExponentialHistogramDataPoint>,
    /// The temporality: 2 cumulative, 1 delta, 0 unspecified.
    #[prost(int32, tag = "2")]
    #[serde(deserialize_with = "json::temporality")]
    pub aggregation_temporality: i32,
}

/// Quantiles that the source computed.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Summary {
    /// The data points, one for each series.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::or_default")]
    pub data_points: Vec<SummaryDataPoint>,
}

/// A number.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NumberDataPoint {
    /// The attributes of the series.
    #[prost(message, repeated, tag = "7")]
    #[serde(deserialize_with = "json::or_default")]
    pub attributes: Vec<KeyValue>,
    /// The start of the aggregation, in nanoseconds since 1970; 0 is unknown.
    #[prost(fixed64, tag = "2")]
    #[serde(deserialize_with = "json::uint64")]
    pub start_time_unix_nano: u64,
    /// When it was measured, in nanoseconds since 1970.
    #[prost(fixed64, tag = "3")]
    #[serde(deserialize_with = "json::uint64")]
    pub time_unix_nano: u64,
    /// The number, if it is a float.
    #[prost(double, optional, tag = "4")]
    #[serde(deserialize_with = "json::optional_double")]
    pub as_double: Option<f64>,
    /// The number, if it is an integer.
    #[prost(sfixed64, optional, tag = "6")]
    #[serde(deserialize_with = "json::optional_int64")]
    pub as_int: Option<i64>,
    /// Examples of measured values.
    #[prost(message, repeated, tag = "5")]
    #[serde(deserialize_with = "json::or_default")]
    pub exemplars: Vec<Exemplar>,
    /// Flags; bit 0: nothing was recorded.
    #[prost(uint32, tag = "8")]
    #[serde(deserialize_with = "json::uint32")]
    pub flags: u32,
}

/// A distribution over buckets with explicit bounds.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HistogramDataPoint {
    /// The attributes of the series.
    #[prost(message, repeated, tag = "9")]
    #[serde(deserialize_with = "json::or_default")]
    pub attributes: Vec<KeyValue>,
    /// The start of the aggregation, in nanoseconds since 1970; 0 is unknown.
    #[prost(fixed64, tag = "2")]
    #[serde(deserialize_with = "json::uint64")]
    pub start_time_unix_nano: u64,
    /// When it was measured, in nanoseconds since 1970.
    #[prost(fixed64, tag = "3")]
    #[serde(deserialize_with = "json::uint64")]
    pub time_unix_nano: u64,
    /// The number of values.
    #[prost(fixed64, tag = "4")]
    #[serde(deserialize_with = "json::uint64")]
    pub count: u64,
    /// Their sum.
    #[prost(double, optional, tag = "5")]
    #[serde(deserialize_with = "json::optional_double")]
    pub sum: Option<f64>,
    /// The number of values in each bucket; there is one bucket more than there are bounds.
    #[prost(fixed64, repeated, tag = "6")]
    #[serde(deserialize_with = "json::uint64s")]
    pub bucket_counts: Vec<u64>,
    /// The upper bounds of all buckets except the last.
    #[prost(double, repeated, tag = "7")]
    #[serde(deserialize_with = "json::doubles")]
    pub explicit_bounds: Vec<f64>,
    /// Examples of measured values.
    #[prost(message, repeated, tag = "8")]
    #[serde(deserialize_with = "json::or_default")]
    pub exemplars: Vec<Exemplar>,
    /// Flags; bit 0: nothing was recorded.
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
    /// The attributes of the series.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::or_default")]
    pub attributes: Vec<KeyValue>,
    /// The start of the aggregation, in nanoseconds since 1970; 0 is unknown.
    #[prost(fixed64, tag = "2")]
    #[serde(deserialize_with = "json::uint64")]
    pub start_time_unix_nano: u64,
    /// When it was measured, in nanoseconds since 1970.
    #[prost(fixed64, tag = "3")]
    #[serde(deserialize_with = "json::uint64")]
    pub time_unix_nano: u64,
    /// The number of values.
    #[prost(fixed64, tag = "4")]
    #[serde(deserialize_with = "json::uint64")]
    pub count: u64,
    /// Their sum.
    #[prost(double, optional, tag = "5")]
    #[serde(deserialize_with = "json::optional_double")]
    pub sum: Option<f64>,
    /// The scale, which determines the width of the buckets.
    #[prost(sint32, tag = "6")]
    #[serde(deserialize_with = "json::sint32")]
    pub scale: i32,
    /// The number of values that are zero, or nearly.
    #[prost(fixed64, tag = "7")]
    #[serde(deserialize_with = "json::uint64")]
    pub zero_count: u64,
    /// The buckets of positive values.
    #[prost(message, optional, tag = "8")]
    pub positive: Option<Buckets>,
    /// The buckets of negative values.
    #[prost(message, optional, tag = "9")]
    pub negative: Option<Buckets>,
    /// Flags; bit 0: nothing was recorded.
    #[prost(uint32, tag = "10")]
    #[serde(deserialize_with = "json::uint32")]
    pub flags: u32,
    /// Examples of measured values.
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
    /// The largest magnitude that counts as zero.
    #[prost(double, tag = "14")]
    #[serde(deserialize_with = "json::double")]
    pub zero_threshold: f64,
}

/// Consecutive buckets.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Buckets {
    /// The index of the first bucket.
    #[prost(sint32, tag = "1")]
    #[serde(deserialize_with = "json::sint32")]
    pub offset: i32,
    /// The number of values in each bucket.
    #[prost(uint64, repeated, tag = "2")]
    #[serde(deserialize_with = "json::uint64s")]
    pub bucket_counts: Vec<u64>,
}

/// Quantiles.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SummaryDataPoint {
    /// The attributes of the series.
    #[prost(message, repeated, tag = "7")]
    #[serde(deserialize_with = "json::or_default")]
    pub attributes: Vec<KeyValue>,
    /// The start of the aggregation, in nanoseconds since 1970; 0 is unknown.
    #[prost(fixed64, tag = "2")]
    #[serde(deserialize_with = "json::uint64")]
    pub start_time_unix_nano: u64,
    /// When it was measured, in nanoseconds since 1970.
    #[prost(fixed64, tag = "3")]
    #[serde(deserialize_with = "json::uint64")]
    pub time_unix_nano: u64,
    /// The number of values.
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
    /// Flags; bit 0: nothing was recorded.
    #[prost(uint32, tag = "8")]
    #[serde(deserialize_with = "json::uint32")]
    pub flags: u32,
}

/// A quantile.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ValueAtQuantile {
    /// The quantile, from 0 to 1.
    #[prost(double, tag = "1")]
    #[serde(deserialize_with = "json::double")]
    pub quantile: f64,
    /// Its value.
    #[prost(double, tag = "2")]
    #[serde(deserialize_with = "json::double")]
    pub value: f64,
}

/// An example of a measured value.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Exemplar {
    /// Attributes that the series does not have.
    #[prost(message, repeated, tag = "7")]
    #[serde(deserialize_with = "json::or_default")]
    pub filtered_attributes: Vec<KeyValue>,
    /// The time, in nanoseconds since 1970.
    #[prost(fixed64, tag = "2")]
    #[serde(deserialize_with = "json::uint64")]
    pub time_unix_nano: u64,
    /// The number, if it is a float.
    #[prost(double, optional, tag = "3")]
    #[serde(deserialize_with = "json::optional_double")]
    pub as_double: Option<f64>,
    /// The number, if it is an integer.
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
