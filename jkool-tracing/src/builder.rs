//! The settings of the layer.

use crate::layer::JkoolLayer;
use crate::settings::{Settings, Spans};
use jkool_client::facade::settings::ClientSettings;
use jkool_client::{BuildError, Guard};
use std::time::Duration;
use tracing_core::LevelFilter;

/// A builder for a [`JkoolLayer`].
///
/// All settings have defaults, except the token, which can be set in the environment variable `JKOOL_TOKEN`.
///
/// ```no_run
/// use tracing_subscriber::layer::SubscriberExt;
/// use tracing_subscriber::util::SubscriberInitExt;
///
/// let (layer, _guard) = jkool_tracing::builder()
///     .source("APPL=WebOrders#SERVER=?#NETADDR=?#DATACENTER=DC1".parse()?)
///     .configure(|client| client.queue_events(10_000))
///     .build()?;
/// tracing_subscriber::registry().with(layer).init();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct Builder {
    client: ClientSettings,
    settings: Settings,
    shutdown_timeout: Duration,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self { client: ClientSettings::new(), settings: Settings::default(), shutdown_timeout: Duration::from_secs(5) }
    }

    jkool_client::__client_settings!(client);

    /// Sets what a span becomes. Default: [`Spans::Activities`].
    pub fn spans(mut self, spans: Spans) -> Self {
        self.settings.spans = spans;
        self
    }

    /// Sets the most verbose level of the spans that are recorded. Default: all levels. Events and spans inside a span that is not
    /// recorded belong to the next recorded span around it.
    ///
    /// A filter on the layer can do the same and more; this setting only costs a comparison.
    pub fn span_level(mut self, level: LevelFilter) -> Self {
        self.settings.span_level = level;
        self
    }

    /// Sets the most verbose level of the events that are sent. Default: all events that the layer's filter lets through.
    pub fn event_level(mut self, level: LevelFilter) -> Self {
        self.settings.event_level = level;
        self
    }

    /// Sends only spans that took at least this long, and spans that failed. Default: zero.
    ///
    /// Events in a shorter span are sent all the same, and so are longer spans in it. They then refer to a parent that is not sent.
    pub fn min_duration(mut self, duration: Duration) -> Self {
        self.settings.min_duration = duration;
        self
    }

    /// Sets the ratio of traces whose spans are sent, from 0 (none) to 1 (all). Default: 1.
    ///
    /// The decision depends on the trace id, so that services with the same ratio select the same traces. In a trace that came from
    /// another service, the decision of that service applies. Events are sent whether or not the trace is sampled.
    pub fn sample_ratio(mut self, ratio: f64) -> Self {
        self.settings.sample_ratio = ratio;
        self
    }

    /// Sets whether an event gets the fields of all enclosing spans as properties. Default: false. If several have a field of the same
    /// name, that of the event takes precedence, then that of the innermost span.
    pub fn inherit_fields(mut self, enabled: bool) -> Self {
        self.settings.inherit_fields = enabled;
        self
    }

    /// Sets whether events and spans get the properties `module`, `file` and `line`. Default: true.
    pub fn code_location(mut self, enabled: bool) -> Self {
        self.settings.code_location = enabled;
        self
    }

    /// Sets whether a span gets the properties `busy` and `idle`: the times during which it was entered and was not, in microseconds.
    /// Default: true. Without them, entering and leaving a span does not read the clock.
    pub fn busy_and_idle(mut self, enabled: bool) -> Self {
        self.settings.busy_and_idle = enabled;
        self
    }

    /// Sets the maximum number of child ids that an activity lists. Default: 64. All children refer to their parent in any case.
    pub fn max_children(mut self, children: usize) -> Self {
        self.settings.max_children = children;
        self
    }

    /// Sets the maximum number of spans that are open at the same time. Default: 65,536. Further spans are not recorded, and are
    /// counted as [`LossReason::SpanLimit`](jkool_client::LossReason::SpanLimit).
    pub fn max_open_spans(mut self, spans: usize) -> Self {
        self.settings.max_open_spans = spans;
        self
    }

    /// Sets whether spans that are still open when the [`Guard`] is flushed, shut down or dropped are sent as activities with the status
    /// BEGIN. Default: false.
    ///
    /// Such an activity has the data that the span has recorded until then. It is sent again, with the same id, when the span has ended.
    /// This setting takes a lock shared by all threads whenever a span opens or closes. It has no effect with [`Spans::Events`].
    pub fn open_spans_at_flush(mut self, enabled: bool) -> Self {
        self.settings.open_spans_at_flush = enabled;
        self
    }

    /// Sets how long dropping the guard waits for queued events to be delivered. Default: 5 s.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = timeout;
        self
    }

    /// Starts the client, and returns the layer for a subscriber and a guard that delivers queued events when it is dropped.
    ///
    /// Nothing is sent yet, so an unavailable server is not an error.
    ///
    /// # Errors
    /// Returns an error if settings exclude each other or are out of range, or if the client cannot be built.
    pub fn build(self) -> Result<(JkoolLayer, Guard), BuildError> {
        let ratio = self.settings.sample_ratio;
        if !(0.0..=1.0).contains(&ratio) {
            return Err(BuildError::Setting { setting: "sample_ratio", reason: "must be from 0 to 1" });
        }
        let mut settings = self.settings;
        settings.open_spans_at_flush &= settings.spans == Spans::Activities;
        let client = self.client.client()?;
        let guard = Guard::new(client.clone(), self.shutdown_timeout);
        let layer = JkoolLayer::new(client, settings);
        let guard = match layer.tell_open_spans() {
            Some(tell) => guard.before_flush(tell),
            None => guard,
        };
        Ok((layer, guard))
    }
}

#[cfg(test)]
mod tests {
    use super::Builder;
    use jkool_client::transport::MemoryTransport;

    #[test]
    fn a_ratio_is_from_0_to_1() {
        let build = |ratio| Builder::new().transport(MemoryTransport::new()).sample_ratio(ratio).build();
        for wrong in [-0.1, 1.1, f64::NAN] {
            assert_eq!(build(wrong).unwrap_err().to_string(), "sample_ratio must be from 0 to 1");
        }
        assert!(build(0.0).is_ok() && build(1.0).is_ok());
    }

    #[test]
    fn a_ready_client_excludes_settings_of_a_new_one() {
        let (_, guard) = Builder::new().transport(MemoryTransport::new()).build().unwrap();
        let ready = || Builder::new().client(guard.client().clone());
        assert!(ready().build().is_ok());
        let refused = ready().user("bob").build().unwrap_err();
        assert_eq!(refused.to_string(), "user applies to a new client, but an existing one was passed");
    }

    #[test]
    fn the_token_is_not_shown() {
        let shown = format!("{:?}", Builder::new().token("canary-5ec7e8"));
        assert!(shown.contains("***") && !shown.contains("canary-5ec7e8"), "{shown}");
    }
}
