//! The settings of the exporters.

use crate::exporters::Exporters;
use crate::suppress;
use jkool_client::facade::settings::ClientSettings;
use jkool_client::{BuildError, Guard};
use opentelemetry_sdk::metrics::Temporality;
use std::time::Duration;

/// Builds the [`Exporters`]. Every setting has a default except the token, which can also come from the environment variable
/// `JKOOL_TOKEN`.
///
/// ```
/// use jkool_opentelemetry::transport::MemoryTransport;
/// use opentelemetry::trace::{Tracer, TracerProvider};
/// use opentelemetry_sdk::trace::SdkTracerProvider;
///
/// let (jkool, _guard) = jkool_opentelemetry::builder().transport(MemoryTransport::new()).build()?;
/// let spans = SdkTracerProvider::builder().with_simple_exporter(jkool.spans()).build();
/// spans.tracer("shop").in_span("checkout", |_| {});
/// spans.shutdown()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct Builder {
    client: ClientSettings,
    temporality: Temporality,
    shutdown_timeout: Duration,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            client: ClientSettings::new(),
            temporality: Temporality::default(),
            shutdown_timeout: Duration::from_secs(5),
        }
    }

    jkool_client::__client_settings!(client);

    /// Sets the temporality of counters and histograms. The default is cumulative, since the start of the program. With delta
    /// temporality, since the last report, counters also have a rate.
    pub fn temporality(mut self, temporality: Temporality) -> Self {
        self.temporality = temporality;
        self
    }

    /// Sets how long dropping the guard waits for delivery. The default is 5 s.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = timeout;
        self
    }

    /// Starts the client, and returns the factory for its exporters and the guard. Nothing is sent yet, so it succeeds even if
    /// the server is unreachable.
    ///
    /// # Errors
    /// If settings exclude each other, or the client cannot be built.
    pub fn build(self) -> Result<(Exporters, Guard), BuildError> {
        let client = self.client.client()?;
        suppress::on_delivery_thread_of(&client)?;
        let guard = Guard::new(client.clone(), self.shutdown_timeout);
        Ok((Exporters::new(client, self.temporality), guard))
    }
}
