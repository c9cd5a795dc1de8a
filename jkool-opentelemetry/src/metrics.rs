//! The exporter of metrics.

mod points;

use crate::convert;
use crate::outlet::Outlet;
use jkool_otlp::proto::metrics::{ExportMetricsServiceRequest, ResourceMetrics, ScopeMetrics};
use jkool_otlp::{Limits, map_metrics};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use std::time::Duration;

/// An exporter that sends metrics to jKool, with a snapshot for each series. Create it by
/// [`Exporters::metrics`](crate::Exporters::metrics).
#[derive(Debug)]
pub struct JkoolMetricExporter {
    outlet: Outlet,
    temporality: Temporality,
}

impl JkoolMetricExporter {
    pub(crate) fn new(outlet: Outlet, temporality: Temporality) -> Self {
        Self { outlet, temporality }
    }
}

impl PushMetricExporter for JkoolMetricExporter {
    async fn export(&self, metrics: &data::ResourceMetrics) -> OTelSdkResult {
        self.outlet.emit(|| map_metrics(&request(metrics), Limits::NONE))
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.outlet.flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.outlet.shutdown(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.temporality
    }
}

fn request(metrics: &data::ResourceMetrics) -> ExportMetricsServiceRequest {
    let scope_metrics = metrics.scope_metrics().map(|metrics| ScopeMetrics {
        scope: convert::scope(metrics.scope(), None),
        metrics: metrics.metrics().map(points::metric).collect(),
    });
    let scope_metrics = scope_metrics.collect();
    let resource = Some(convert::resource(metrics.resource()));
    ExportMetricsServiceRequest { resource_metrics: vec![ResourceMetrics { resource, scope_metrics }] }
}
