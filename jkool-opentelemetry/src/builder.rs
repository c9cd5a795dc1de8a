//! The settings of the exporters.

use crate::exporters::Exporters;
use crate::suppress;
use jkool_client::facade::settings::ClientSettings;
use jkool_client::{BuildError, Guard};
use opentelemetry_sdk::metrics::Temporality;
use std::time::Duration;

/// Builds the [`Exporters`]. Everything has a default but the token, and that can come from the variable `JKOOL_TOKEN`.
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

    /// Since when counters and histograms count: since the program's start, unless this says since the last report. Then a counter is
    /// told with its rate.
    pub fn temporality(mut self, temporality: Temporality) -> Self {
        self.temporality = temporality;
        self
    }

    /// How long dropping the guard waits for what is queued; 5 s unless said otherwise.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = timeout;
        self
    }

    /// Starts the client, and hands over what makes its exporters. A server that is down is no error: nothing is sent yet.
    ///
    /// # Errors
    /// When settings exclude each other, or the client can't be built.
    pub fn build(self) -> Result<(Exporters, Guard), BuildError> {
        let client = self.client.client()?;
        suppress::on_delivery_thread_of(&client)?;
        let guard = Guard::new(client.clone(), self.shutdown_timeout);
        Ok((Exporters::new(client, self.temporality), guard))
    }
}
