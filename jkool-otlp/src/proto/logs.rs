//! Log records.

use super::common::{AnyValue, InstrumentationScope, KeyValue, Resource};
use crate::json;
use bytes::Bytes;
use serde::Deserialize;

/// The request of `POST /v1/logs`.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ExportLogsServiceRequest {
    /// The records, by resource.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::or_default")]
    pub resource_logs: Vec<ResourceLogs>,
}

/// The log records of a resource.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceLogs {
    /// The resource.
    #[prost(message, optional, tag = "1")]
    pub resource: Option<Resource>,
    /// Its records, by scope.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "json::or_default")]
    pub scope_logs: Vec<ScopeLogs>,
}

/// The log records of a scope.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ScopeLogs {
    /// The scope.
    #[prost(message, optional, tag = "1")]
    pub scope: Option<InstrumentationScope>,
    /// Its records.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "json::or_default")]
    pub log_records: Vec<LogRecord>,
}

/// A log record, or an event if it has a name.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LogRecord {
    /// When it occurred, in nanoseconds since 1970; 0 is unknown.
    #[prost(fixed64, tag = "1")]
    #[serde(deserialize_with = "json::uint64")]
    pub time_unix_nano: u64,
    /// When it was observed, in nanoseconds since 1970; 0 is unknown.
    #[prost(fixed64, tag = "11")]
    #[serde(deserialize_with = "json::uint64")]
    pub observed_time_unix_nano: u64,
    /// The severity number, from 1 (TRACE) to 24 (FATAL4); 0 is unknown.
    #[prost(int32, tag = "2")]
    #[serde(deserialize_with = "json::severity_number")]
    pub severity_number: i32,
    /// The severity text of the source.
    #[prost(bytes = "bytes", tag = "3")]
    #[serde(deserialize_with = "json::text")]
    pub severity_text: Bytes,
    /// The message.
    #[prost(message, optional, tag = "5")]
    pub body: Option<AnyValue>,
    /// Its attributes.
    #[prost(message, repeated, tag = "6")]
    #[serde(deserialize_with = "json::or_default")]
    pub attributes: Vec<KeyValue>,
    /// The number of attributes that were dropped.
    #[prost(uint32, tag = "7")]
    #[serde(deserialize_with = "json::uint32")]
    pub dropped_attributes_count: u32,
    /// The W3C trace flags in the lowest 8 bits.
    #[prost(fixed32, tag = "8")]
    #[serde(deserialize_with = "json::uint32")]
    pub flags: u32,
    /// The trace id: 16 bytes, or empty.
    #[prost(bytes = "bytes", tag = "9")]
    #[serde(deserialize_with = "json::id")]
    pub trace_id: Bytes,
    /// The span id: 8 bytes, or empty.
    #[prost(bytes = "bytes", tag = "10")]
    #[serde(deserialize_with = "json::id")]
    pub span_id: Bytes,
    /// The name of the event.
    #[prost(bytes = "bytes", tag = "12")]
    #[serde(deserialize_with = "json::text")]
    pub event_name: Bytes,
}
