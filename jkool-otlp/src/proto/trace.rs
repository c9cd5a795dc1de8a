//! Spans.

use super::common::{InstrumentationScope, KeyValue, Resource};
use crate::json;
use bytes::Bytes;
use serde::Deserialize;

/// The request of `POST /v1/traces`.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ExportTraceServiceRequest {
    /// The spans, by resource.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::or_default")]
    pub resource_spans: Vec<ResourceSpans>,
}

/// The spans of a resource.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceSpans {
    /// The resource.
    #[prost(message, optional, tag = "1")]
    pub resource: Option<Resource>,
    /// Its spans, by scope.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "json::or_default")]
    pub scope_spans: Vec<ScopeSpans>,
}

/// The spans of a scope.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ScopeSpans {
    /// The scope.
    #[prost(message, optional, tag = "1")]
    pub scope: Option<InstrumentationScope>,
    /// Its spans.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "json::or_default")]
    pub spans: Vec<Span>,
}

/// An operation of a trace, which has ended.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Span {
    /// The trace: 16 bytes.
    #[prost(bytes = "bytes", tag = "1")]
    #[serde(deserialize_with = "json::id")]
    pub trace_id: Bytes,
    /// The span: 8 bytes.
    #[prost(bytes = "bytes", tag = "2")]
    #[serde(deserialize_with = "json::id")]
    pub span_id: Bytes,
    /// `tracestate` of W3C.
    #[prost(bytes = "bytes", tag = "3")]
    #[serde(deserialize_with = "json::text")]
    pub trace_state: Bytes,
    /// The parent span: 8 bytes, or empty.
    #[prost(bytes = "bytes", tag = "4")]
    #[serde(deserialize_with = "json::id")]
    pub parent_span_id: Bytes,
    /// The W3C trace flags in the lowest 8 bits.
    #[prost(fixed32, tag = "16")]
    #[serde(deserialize_with = "json::uint32")]
    pub flags: u32,
    /// The name of the operation.
    #[prost(bytes = "bytes", tag = "5")]
    #[serde(deserialize_with = "json::text")]
    pub name: Bytes,
    /// 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    #[prost(int32, tag = "6")]
    #[serde(deserialize_with = "json::span_kind")]
    pub kind: i32,
    /// When it started, in nanoseconds since 1970.
    #[prost(fixed64, tag = "7")]
    #[serde(deserialize_with = "json::uint64")]
    pub start_time_unix_nano: u64,
    /// When it ended, in nanoseconds since 1970.
    #[prost(fixed64, tag = "8")]
    #[serde(deserialize_with = "json::uint64")]
    pub end_time_unix_nano: u64,
    /// Its attributes.
    #[prost(message, repeated, tag = "9")]
    #[serde(deserialize_with = "json::or_default")]
    pub attributes: Vec<KeyValue>,
    /// The number of attributes that were dropped.
    #[prost(uint32, tag = "10")]
    #[serde(deserialize_with = "json::uint32")]
    pub dropped_attributes_count: u32,
    /// Its events.
    #[prost(message, repeated, tag = "11")]
    #[serde(deserialize_with = "json::or_default")]
    pub events: Vec<SpanEvent>,
    /// The number of events that were dropped.
    #[prost(uint32, tag = "12")]
    #[serde(deserialize_with = "json::uint32")]
    pub dropped_events_count: u32,
    /// Links to related spans.
    #[prost(message, repeated, tag = "13")]
    #[serde(deserialize_with = "json::or_default")]
    pub links: Vec<SpanLink>,
    /// The number of links that were dropped.
    #[prost(uint32, tag = "14")]
    #[serde(deserialize_with = "json::uint32")]
    pub dropped_links_count: u32,
    /// Its status.
    #[prost(message, optional, tag = "15")]
    pub status: Option<Status>,
}

/// Something that happened within a span.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SpanEvent {
    /// The time, in nanoseconds since 1970.
    #[prost(fixed64, tag = "1")]
    #[serde(deserialize_with = "json::uint64")]
    pub time_unix_nano: u64,
    /// The name of the event.
    #[prost(bytes = "bytes", tag = "2")]
    #[serde(deserialize_with = "json::text")]
    pub name: Bytes,
    /// Its attributes.
    #[prost(message, repeated, tag = "3")]
    #[serde(deserialize_with = "json::or_default")]
    pub attributes: Vec<KeyValue>,
    /// The number of attributes that were dropped.
    #[prost(uint32, tag = "4")]
    #[serde(deserialize_with = "json::uint32")]
    pub dropped_attributes_count: u32,
}

/// A link to a related span.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SpanLink {
    /// Its trace.
    #[prost(bytes = "bytes", tag = "1")]
    #[serde(deserialize_with = "json::id")]
    pub trace_id: Bytes,
    /// Its id.
    #[prost(bytes = "bytes", tag = "2")]
    #[serde(deserialize_with = "json::id")]
    pub span_id: Bytes,
    /// `tracestate` of W3C.
    #[prost(bytes = "bytes", tag = "3")]
    #[serde(deserialize_with = "json::text")]
    pub trace_state: Bytes,
    /// The attributes of the link.
    #[prost(message, repeated, tag = "4")]
    #[serde(deserialize_with = "json::or_default")]
    pub attributes: Vec<KeyValue>,
    /// The number of attributes that were dropped.
    #[prost(uint32, tag = "5")]
    #[serde(deserialize_with = "json::uint32")]
    pub dropped_attributes_count: u32,
}

/// The status of a span.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Status {
    /// The reason of a failure.
    #[prost(bytes = "bytes", tag = "2")]
    #[serde(deserialize_with = "json::text")]
    pub message: Bytes,
    /// 0 unset, 1 ok, 2 error.
    #[prost(int32, tag = "3")]
    #[serde(deserialize_with = "json::status_code")]
    pub code: i32,
}
