//! The factory for the exporters.

use crate::logs::JkoolLogExporter;
use crate::metrics::JkoolMetricExporter;
use crate::outlet::Outlet;
use crate::spans::JkoolSpanExporter;
use jkool_client::Client;
use opentelemetry_sdk::metrics::Temporality;

/// Creates the exporters of one client, one for each provider of the SDK.
///
/// The client has a queue of its own, so an export does not wait, and `with_simple_exporter` is sufficient.
#[derive(Debug, Clone)]
pub struct Exporters {
    client: Client,
    temporality: Temporality,
}

impl Exporters {
    pub(crate) fn new(client: Client, temporality: Temporality) -> Self {
        Self { client, temporality }
    }

    /// Returns an exporter for `SdkLoggerProvider`.
    pub fn logs(&self) -> JkoolLogExporter {
        JkoolLogExporter::new(Outlet::new(self.client.clone()))
    }

    /// Returns an exporter for `SdkTracerProvider`.
    pub fn spans(&self) -> JkoolSpanExporter {
        JkoolSpanExporter::new(Outlet::new(self.client.clone()))
    }

    /// Returns an exporter for `SdkMeterProvider`, to be used as a periodic exporter.
    pub fn metrics(&self) -> JkoolMetricExporter {
        JkoolMetricExporter::new(Outlet::new(self.client.clone()), self.temporality)
    }
}
