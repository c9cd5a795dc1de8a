//! The exporter of spans.

use crate::convert;
use crate::outlet::Outlet;
use bytes::Bytes;
use jkool_otlp::proto::common::Resource;
use jkool_otlp::proto::trace::{ExportTraceServiceRequest, ResourceSpans, ScopeSpans, Span, SpanEvent, SpanLink};
use jkool_otlp::{Limits, map_traces, proto};
use opentelemetry::trace::{Event, Link, SpanId, SpanKind, Status};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use std::time::Duration;

/// An exporter that sends spans to jKool as activities, and their events as events. Create it by
/// [`Exporters::spans`](crate::Exporters::spans).
#[derive(Debug)]
pub struct JkoolSpanExporter {
    outlet: Outlet,
    resource: Resource,
}

impl JkoolSpanExporter {
    pub(crate) fn new(outlet: Outlet) -> Self {
        Self { outlet, resource: Resource::default() }
    }

    fn request(&self, batch: &[SpanData]) -> ExportTraceServiceRequest {
        let of_one_scope = batch.chunk_by(|one, next| one.instrumentation_scope == next.instrumentation_scope);
        let scope_spans = of_one_scope.map(|spans| ScopeSpans {
            scope: spans.first().and_then(|span| convert::scope(&span.instrumentation_scope, None)),
            spans: spans.iter().map(span).collect(),
        });
        let scope_spans = scope_spans.collect();
        ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans { resource: Some(self.resource.clone()), scope_spans }],
        }
    }
}

impl SpanExporter for JkoolSpanExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.outlet.emit(|| map_traces(&self.request(&batch), Limits::NONE))
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.outlet.shutdown(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.outlet.flush()
    }

    fn set_resource(&mut self, resource: &opentelemetry_sdk::Resource) {
        self.resource = convert::resource(resource);
    }
}

fn span(span: &SpanData) -> Span {
    let parent = Some(span.parent_span_id).filter(|parent| *parent != SpanId::INVALID);
    Span {
        trace_id: Bytes::copy_from_slice(&span.span_context.trace_id().to_bytes()),
        span_id: Bytes::copy_from_slice(&span.span_context.span_id().to_bytes()),
        trace_state: span.span_context.trace_state().header().into(),
        parent_span_id: parent.map(|parent| Bytes::copy_from_slice(&parent.to_bytes())).unwrap_or_default(),
        flags: span.span_context.trace_flags().to_u8().into(),
        name: convert::text(&span.name),
        kind: kind(&span.span_kind),
        start_time_unix_nano: convert::nanoseconds(span.start_time),
        end_time_unix_nano: convert::nanoseconds(span.end_time),
        attributes: convert::attributes(&span.attributes),
        dropped_attributes_count: span.dropped_attributes_count,
        events: span.events.iter().map(event).collect(),
        dropped_events_count: span.events.dropped_count,
        links: span.links.iter().map(link).collect(),
        dropped_links_count: span.links.dropped_count,
        status: Some(status(&span.status)),
    }
}

fn kind(kind: &SpanKind) -> i32 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

fn status(status: &Status) -> proto::trace::Status {
    match status {
        Status::Unset => proto::trace::Status::default(),
        Status::Ok => proto::trace::Status { code: 1, message: Bytes::new() },
        Status::Error { description } => proto::trace::Status { code: 2, message: convert::text(description) },
    }
}

fn event(event: &Event) -> SpanEvent {
    SpanEvent {
        time_unix_nano: convert::nanoseconds(event.timestamp),
        name: convert::text(&event.name),
        attributes: convert::attributes(&event.attributes),
        dropped_attributes_count: event.dropped_attributes_count,
    }
}

fn link(link: &Link) -> SpanLink {
    SpanLink {
        trace_id: Bytes::copy_from_slice(&link.span_context.trace_id().to_bytes()),
        span_id: Bytes::copy_from_slice(&link.span_context.span_id().to_bytes()),
        trace_state: link.span_context.trace_state().header().into(),
        attributes: convert::attributes(&link.attributes),
        dropped_attributes_count: link.dropped_attributes_count,
    }
}
