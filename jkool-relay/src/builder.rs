//! The settings of a relay.

use crate::dead_letters::{Letter, OnNotice, outbox};
use crate::engine::{Engine, Limits};
use crate::relay::Relay;
use crate::source::Source;
use crate::status::Counters;
use jkool_client::transport::Transport;
use jkool_client::{BuildError, ClientBuilder};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A builder for a [`Relay`]; [`Relay::builder`] creates it.
#[must_use = "a builder does nothing until build"]
pub struct RelayBuilder {
    source: Box<dyn Source>,
    client: ClientBuilder,
    dead_letters: Option<Arc<dyn Transport>>,
    limits: Limits,
    on_notice: OnNotice,
}

impl RelayBuilder {
    pub(crate) fn new(source: impl Source, client: ClientBuilder) -> Self {
        let limits = Limits {
            records: 8_192,
            bytes: 16 << 20,
            drain: Duration::from_secs(10),
            revoke: Duration::from_secs(10),
            commit: Duration::from_millis(500),
        };
        Self { source: Box::new(source), client, dead_letters: None, limits, on_notice: Arc::new(|_| {}) }
    }

    /// Sets the transport to which dead letters are sent, each as a line of JSON with the reason. A record is settled when its dead letter
    /// is delivered. Without this setting, dead letters are only counted and reported to [`on_notice`](Self::on_notice).
    pub fn dead_letters(mut self, transport: impl Transport) -> Self {
        self.dead_letters = Some(Arc::new(transport));
        self
    }

    /// Sets how many records may be in flight before the source is paused. Default: 8,192; 0 counts as 1.
    pub fn max_in_flight(mut self, records: usize) -> Self {
        self.limits.records = records.clamp(1, 1 << 24);
        self
    }

    /// Sets how many bytes of records may be in flight before the source is paused. Default: 16 MiB.
    pub fn max_bytes_in_flight(mut self, bytes: usize) -> Self {
        self.limits.bytes = bytes.clamp(1, 1 << 40);
        self
    }

    /// Sets how long a stop waits for the records in flight and for their commit. Default: 10 seconds. Records that are left then go to the
    /// client's spool, or are read from the source again by the next relay.
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.limits.drain = timeout;
        self
    }

    /// Sets how long a partition that moves to another relay is held until its records in flight are settled. Default: 10 seconds. Both
    /// relays deliver the records that are left then.
    pub fn revoke_timeout(mut self, timeout: Duration) -> Self {
        self.limits.revoke = timeout;
        self
    }

    /// Sets the interval at which positions are committed. Default: 500 milliseconds; the minimum is 10.
    pub fn commit_interval(mut self, interval: Duration) -> Self {
        self.limits.commit = interval.max(Duration::from_millis(10));
        self
    }

    /// Sets a function that receives messages about dead letters and failures, as text for people. It may be called from any thread.
    pub fn on_notice(mut self, hook: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.on_notice = Arc::new(hook);
        self
    }

    /// Builds the client and the relay. The relay sets the client's queue, overflow policy, hook for dead letters, and notices.
    ///
    /// # Errors
    /// Returns an error if the client cannot be built.
    pub fn build(self) -> Result<Relay, BuildError> {
        let Self { source, client, dead_letters, limits, on_notice } = self;
        let counters = Arc::<Counters>::default();
        let (letters, writer) = outbox(dead_letters, Arc::clone(&counters), Arc::clone(&on_notice));
        let refused = letters.clone();
        let client = client
            .passes_on(true)
            .loss_events(false)
            .notices(false)
            // The queue has room for all records that the relay's limits allow: the relay pauses the source.
            .queue_events(limits.records.saturating_mul(2))
            .queue_bytes(limits.bytes.saturating_mul(4).saturating_add(limits.records.saturating_mul(2 << 10)))
            .on_dead_letter(move |letter| {
                refused.put(Letter::refused(&letter));
            })
            .build()?;
        Ok(Relay { engine: Engine::new(source, client, letters, counters, limits, on_notice), writer })
    }
}

impl fmt::Debug for RelayBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelayBuilder")
            .field("source", &self.source)
            .field("client", &self.client)
            .field("dead_letters", &self.dead_letters)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
