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

/// The settings of a [`Relay`]: see [`Relay::builder`].
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

    /// Where dead letters go, each as a line of JSON with the reason. A record is settled when its dead letter has arrived. Without
    /// this they are counted and told to [`on_notice`](Self::on_notice) only.
    pub fn dead_letters(mut self, transport: impl Transport) -> Self {
        self.dead_letters = Some(Arc::new(transport));
        self
    }

    /// How many records may be under way before the source is paused. 8,192 by default; 0 counts as 1.
    pub fn max_in_flight(mut self, records: usize) -> Self {
        self.limits.records = records.clamp(1, 1 << 24);
        self
    }

    /// How many bytes of records may be under way before the source is paused. 16 MiB by default.
    pub fn max_bytes_in_flight(mut self, bytes: usize) -> Self {
        self.limits.bytes = bytes.clamp(1, 1 << 40);
        self
    }

    /// How long a stop waits for what is under way. 10 seconds by default. What is left then goes to the client's spool, or is given
    /// again by the source to the next relay.
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.limits.drain = timeout;
        self
    }

    /// How long partitions that go to another relay wait for what of them is under way. 10 seconds by default. What is left then is
    /// delivered by both.
    pub fn revoke_timeout(mut self, timeout: Duration) -> Self {
        self.limits.revoke = timeout;
        self
    }

    /// How often positions are committed. Every 500 milliseconds by default; at least 10.
    pub fn commit_interval(mut self, interval: Duration) -> Self {
        self.limits.commit = interval.max(Duration::from_millis(10));
        self
    }

    /// Is told of dead letters and of what goes wrong, in a sentence for people; may be called from any thread.
    pub fn on_notice(mut self, hook: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.on_notice = Arc::new(hook);
        self
    }

    /// Builds the client and the relay. The client's queue, overflow policy, hook for dead letters and notices are the relay's.
    ///
    /// # Errors
    /// When the client can't be built.
    pub fn build(self) -> Result<Relay, BuildError> {
        let Self { source, client, dead_letters, limits, on_notice } = self;
        let counters = Arc::<Counters>::default();
        let (letters, writer) = outbox(dead_letters, Arc::clone(&counters), Arc::clone(&on_notice));
        let refused = letters.clone();
        let client = client
            .passes_on(true)
            .loss_events(false)
            .notices(false)
            // There is always room for what the limits let in: the relay itself holds up the source.
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
