//! The settings of the layer.

use crate::layer::JkoolLayer;
use crate::settings::{Settings, Spans};
use jkool_client::facade::settings::ClientSettings;
use jkool_client::{BuildError, Guard};
use std::time::Duration;
use tracing_core::LevelFilter;

/// Builds a [`JkoolLayer`]. Everything has a default but the token, and that can come from the variable `JKOOL_TOKEN`.
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

    /// What a span becomes; [`Spans::Activities`] unless said otherwise.
    pub fn spans(mut self, spans: Spans) -> Self {
        self.settings.spans = spans;
        self
    }

    /// The most verbose spans that are recorded; all unless said otherwise. What happens in others belongs to the span around them.
    ///
    /// A filter on the layer does the same and more; this one costs a comparison.
    pub fn span_level(mut self, level: LevelFilter) -> Self {
        self.settings.span_level = level;
        self
    }

    /// The most verbose events that are streamed; all that the layer's filter lets through unless said otherwise.
    pub fn event_level(mut self, level: LevelFilter) -> Self {
        self.settings.event_level = level;
        self
    }

    /// Only spans that took at least so long are streamed, and those that failed. Events in a span that was shorter are
    /// streamed all the same, and so are longer spans in it: they name a parent that nobody gets to see.
    pub fn min_duration(mut self, duration: Duration) -> Self {
        self.settings.min_duration = duration;
        self
    }

    /// Of how many traces the spans are streamed: from 0, none, to 1, all. It goes by the trace id, so that services with the
    /// same ratio choose the same traces; and in a trace that came from another service, by what that has chosen. Events are
    /// streamed whatever becomes of the spans around them.
    pub fn sample_ratio(mut self, ratio: f64) -> Self {
        self.settings.sample_ratio = ratio;
        self
    }

    /// Whether an event has the fields of the spans around it as properties. False unless said otherwise. Of one name, that
    /// of the event itself counts, then that of the innermost span.
    pub fn inherit_fields(mut self, enabled: bool) -> Self {
        self.settings.inherit_fields = enabled;
        self
    }

    /// Whether events and spans have the properties `module`, `file` and `line`. True unless said otherwise.
    pub fn code_location(mut self, enabled: bool) -> Self {
        self.settings.code_location = enabled;
        self
    }

    /// Whether a span has the properties `busy` and `idle`: how long it was entered, and how long it was not. True unless
    /// said otherwise; without them, entering and leaving a span asks no clock.
    pub fn busy_and_idle(mut self, enabled: bool) -> Self {
        self.settings.busy_and_idle = enabled;
        self
    }

    /// How many ids of its children an activity lists; 64 unless said otherwise. All children name their parent anyway.
    pub fn max_children(mut self, children: usize) -> Self {
        self.settings.max_children = children;
        self
    }

    /// How many spans may be open at the same time; 65,536 unless said otherwise. What is opened beyond that is not recorded,
    /// and counted as [`LossReason::SpanLimit`](jkool_client::LossReason::SpanLimit).
    pub fn max_open_spans(mut self, spans: usize) -> Self {
        self.settings.max_open_spans = spans;
        self
    }

    /// Whether activities with the status BEGIN tell of the spans that are open when the [`Guard`] is flushed, shut down or dropped:
    /// with what they have said until then. They come again, with the same id, when they have ended. False unless said otherwise;
    /// it costs a lock shared by all threads whenever a span opens or closes. Nothing is told with [`Spans::Events`].
    pub fn open_spans_at_flush(mut self, enabled: bool) -> Self {
        self.settings.open_spans_at_flush = enabled;
        self
    }

    /// How long dropping the guard waits for what is queued; 5 s unless said otherwise.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = timeout;
        self
    }

    /// Starts the client, and hands over the layer for a subscriber. A server that is down is no error: nothing is sent yet.
    ///
    /// # Errors
    /// When settings exclude each other, or the client can't be built.
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
        assert_eq!(refused.to_string(), "user is for a new client, and a ready one was passed");
    }

    #[test]
    fn the_token_is_not_shown() {
        let shown = format!("{:?}", Builder::new().token("canary-5ec7e8"));
        assert!(shown.contains("***") && !shown.contains("canary-5ec7e8"), "{shown}");
    }
}
