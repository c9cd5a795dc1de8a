//! The settings of a client, and their validation.

mod https;

use crate::api::client::Client;
use crate::api::error::BuildError;
use crate::delivery::decisions::Delivery;
use crate::delivery::echo::Echo;
use crate::delivery::engine::{Engine, OnDeadLetter};
use crate::delivery::prepare::{BeforeSend, Prepare};
use crate::delivery::retry::RetryPolicy;
use crate::delivery::worker::Worker;
use crate::delivery::worker_thread::WorkerThread;
use crate::emit::clock;
use crate::emit::defaults::Defaults;
use crate::emit::encode::Encoder;
use crate::emit::host::Host;
use crate::emit::surroundings;
use crate::queue::consumer::Consumer;
use crate::queue::limits::{self, Limits};
use crate::queue::overflow::OverflowPolicy;
use crate::queue::shared::Shared;
use crate::report::diagnostics::{Diagnostics, OnLoss};
use crate::report::loss::DeadLetter;
use crate::report::stats::Stats;
use crate::spool::disks::disks;
use crate::spool::settings::Spool;
use crate::spool::spooler::Spooler;
use https::Chosen;
use jkool_model::{Entity, Property, Severity, SourceFqn, Text, TypedValue};
use jkool_transport::Transport;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Builds a [`Client`]. Every setting has a default except the token, which can also come from the environment.
///
/// ```no_run
/// use jkool_client::{Client, OverflowPolicy};
/// use std::time::Duration;
///
/// // The token from JKOOL_TOKEN, the service's own url unless JKOOL_URL is set.
/// let client = Client::builder()
///     .source("APPL=WebOrders#SERVER=?#NETADDR=?#DATACENTER=DC1".parse()?)
///     .property("environment", "production")
///     .overflow(OverflowPolicy::DropOldest)
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct ClientBuilder {
    transport: Option<Arc<dyn Transport>>,
    url: Option<String>,
    token: Option<String>,
    token_file: Option<PathBuf>,
    #[cfg(feature = "http")]
    http: Option<HttpSettings>,
    source: Option<SourceFqn>,
    user: Option<Text>,
    location: Text,
    passes_on: bool,
    properties: Vec<Property>,
    queue_events: usize,
    queue_bytes: usize,
    overflow: Option<OverflowPolicy>,
    shed_below: Severity,
    priority: Option<Severity>,
    spool: Option<Spool>,
    max_batch: usize,
    flush_interval: Duration,
    in_flight: usize,
    retry: RetryPolicy,
    before_send: Option<BeforeSend>,
    on_dead_letter: Option<OnDeadLetter>,
    on_loss: Option<OnLoss>,
    loss_events: bool,
    shutdown_timeout: Duration,
    notices: bool,
    thread: Option<Arc<WorkerThread>>,
    env: fn(&str) -> Option<String>,
}

#[cfg(feature = "http")]
type HttpSettings =
    Box<dyn FnOnce(jkool_transport::HttpTransportBuilder) -> jkool_transport::HttpTransportBuilder + Send>;

/// The minimum number of events that are worth waking the worker, because a wake costs more than queueing an event.
const MIN_WAKE_AT: usize = 32;

/// Larger limits make no difference. Sums and products of a few of these fit 64 bits.
const NO_LIMIT: usize = usize::MAX >> 4;
const MAX_BATCH: usize = 1 << 20;
const MAX_IN_FLIGHT: usize = 1 << 16;

/// The worker is woken once for this many batches, so that at most one call in a thousand pays for a wake; these are the
/// slowest log calls of a program.
const BATCHES_A_WAKE: usize = 4;

/// The approximate maximum size of a request; a single event may be larger.
const MAX_BATCH_BYTES: usize = 1 << 20;

impl Client {
    /// Returns a builder with default settings.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }
}

impl ClientBuilder {
    pub(crate) fn new() -> Self {
        Self {
            transport: None,
            url: None,
            token: None,
            token_file: None,
            #[cfg(feature = "http")]
            http: None,
            source: None,
            user: None,
            location: Text::default(),
            passes_on: false,
            properties: Vec::new(),
            queue_events: 65_536,
            queue_bytes: 64 << 20,
            overflow: None,
            shed_below: Severity::None,
            priority: None,
            spool: None,
            max_batch: 512,
            flush_interval: Duration::from_millis(100),
            in_flight: 32,
            retry: RetryPolicy::default(),
            before_send: None,
            on_dead_letter: None,
            on_loss: None,
            loss_events: true,
            shutdown_timeout: Duration::from_secs(5),
            notices: true,
            thread: None,
            // Invalid UTF-8 is an error where the variable is parsed, and not treated as a missing variable.
            env: |name| Some(std::env::var_os(name)?.to_string_lossy().into_owned()).filter(|value| !value.is_empty()),
        }
    }

    /// The access token. By default it is read from [`token_file`](Self::token_file), if set, or from the environment variable
    /// `JKOOL_TOKEN`.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// The path of a file that contains the access token, optionally followed by a line break. Use it when the token may be
    /// replaced while the program runs.
    ///
    /// While the server refuses the token, the file is read again every second, and a new token is used at once. While delivery
    /// works, the file is not read: a new token is used when the server refuses the old one, which takes no more than a few
    /// tries. To use a new token sooner, call [`Client::set_token`](crate::Client::set_token).
    pub fn token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.token_file = Some(path.into());
        self
    }

    /// The base url of the server. The default is the environment variable `JKOOL_URL`, or else the service,
    /// `https://stream.meshiq.com`. The kind of each entity is appended to the path.
    ///
    /// Use `http://` only for a local collector: with a token it is refused for every other machine.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Further settings of the HTTPS transport: batches, compression, proxy, certificates, timeouts.
    ///
    /// Certificate and key files are read again when they change; if requests fail because of one of them, within a second.
    ///
    /// ```no_run
    /// # use jkool_client::Client;
    /// let client = Client::builder().http(|http| http.batches(512).proxy("http://proxy.example:3128")).build()?;
    /// # Ok::<(), jkool_client::BuildError>(())
    /// ```
    #[cfg(feature = "http")]
    pub fn http(
        mut self,
        settings: impl FnOnce(jkool_transport::HttpTransportBuilder) -> jkool_transport::HttpTransportBuilder
        + Send
        + 'static,
    ) -> Self {
        self.http = Some(Box::new(settings));
        self
    }

    /// Replaces the HTTPS transport, for example by a [`MemoryTransport`](jkool_transport::MemoryTransport) in tests. It cannot
    /// be combined with `token`, `token_file` and `url`, because such a transport has its own settings.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// The source of events that have none. Elements with the value `?` are filled in: APPL with the name of the program,
    /// SERVER with the host name, NETADDR with the address of the host, USER with the user, and RUNTIME or PROCESS with
    /// `pid@host`.
    ///
    /// The default is the environment variable `JKOOL_SOURCE`, or else the source that OpenTelemetry's variables, Kubernetes'
    /// variables and the container's files describe, at least `APPL=?#SERVER=?#NETADDR=?`. The
    /// [README](crate#where-events-come-from) has the details.
    pub fn source(mut self, source: SourceFqn) -> Self {
        self.source = Some(source);
        self
    }

    /// The user of events that have none. The default is the user that the environment names, if any.
    pub fn user(mut self, user: impl Into<Text>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// For programs that forward events of other programs, such as the lines of a log file: the client adds no process, thread
    /// or user of its own. It still adds the source to events that have none. The default is false.
    pub fn passes_on(mut self, passes_on: bool) -> Self {
        self.passes_on = passes_on;
        self
    }

    /// The location of events that have none, such as `Atlanta, Ga`. The default is none.
    pub fn location(mut self, location: impl Into<Text>) -> Self {
        self.location = location.into();
        self
    }

    /// Adds a property to every entity that has no property of this name.
    pub fn property(mut self, name: impl Into<Text>, value: impl Into<TypedValue>) -> Self {
        self.properties.push(Property::new(name, value));
        self
    }

    /// The maximum number of events in memory, waiting or in flight. The default is 65,536.
    pub fn queue_events(mut self, events: usize) -> Self {
        self.queue_events = events;
        self
    }

    /// The approximate maximum number of bytes that events take in memory. The default is 64 MiB.
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.queue_bytes = bytes;
        self
    }

    /// What happens when the queue is full. The default is [`OverflowPolicy::DropNewest`], with a spool
    /// [`OverflowPolicy::Spill`].
    pub fn overflow(mut self, policy: OverflowPolicy) -> Self {
        self.overflow = Some(policy);
        self
    }

    /// Reserves the last quarter of the queue for events of at least this severity. While that quarter is in use, less severe
    /// events are dropped and counted as [`LossReason::Shed`](crate::LossReason::Shed). For example, [`Severity::Info`] drops
    /// TRACE and DEBUG first. By default no events are preferred.
    pub fn shed_below(mut self, severity: Severity) -> Self {
        self.shed_below = severity;
        self
    }

    /// Sends events of at least this severity before all others. Use it so that after an outage new errors do not wait behind a
    /// spool full of DEBUG events.
    ///
    /// Severe events wait only for the batches in flight. They keep their order among themselves, and so do the others. While
    /// the queue is full, [`OverflowPolicy::DropOldest`] and [`OverflowPolicy::Spill`] remove other events first. By default
    /// all events are equal.
    ///
    /// ```
    /// # use jkool_client::Client;
    /// # use jkool_client::transport::MemoryTransport;
    /// use jkool_client::model::Severity;
    ///
    /// let client = Client::builder().transport(MemoryTransport::new()).priority(Severity::Error).build()?;
    /// # Ok::<(), jkool_client::BuildError>(())
    /// ```
    pub fn priority(mut self, severity: Severity) -> Self {
        self.priority = Some(severity);
        self
    }

    /// A folder on disk for events that cannot be delivered now, and for those that are left at shutdown. The next client with
    /// the same folder sends them, whether this program ends normally or is killed. Any number of processes can share a folder.
    ///
    /// A folder that cannot be used is not an error here: events stay in memory, the problem is reported once on standard error
    /// and by [`health`](crate::Client::health), and the client tries the folder again.
    ///
    /// ```
    /// # use jkool_client::Client;
    /// # use jkool_client::transport::MemoryTransport;
    /// use jkool_client::{Spool, SpoolMode};
    ///
    /// # let folder = std::env::temp_dir().join(format!("jkool-doc-spool-{}", std::process::id()));
    /// let spool = Spool::new(&folder).mode(SpoolMode::WriteAhead).max_bytes(256 << 20);
    /// let client = Client::builder().transport(MemoryTransport::new()).spool(spool).build()?;
    /// # drop(client);
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn spool(mut self, spool: impl Into<Spool>) -> Self {
        self.spool = Some(spool.into());
        self
    }

    /// The maximum number of events in a batch, if the transport supports batches. The default is 512. A batch is also limited
    /// to about 1 MiB.
    pub fn max_batch(mut self, events: usize) -> Self {
        self.max_batch = events;
        self
    }

    /// The maximum time that an event waits for a batch to fill. The default is 100 ms.
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.flush_interval = interval;
        self
    }

    /// The maximum number of concurrent sends. The default is 32; the client uses fewer while the server is overloaded. With 1,
    /// the events of a thread arrive in order; with more, events may overtake each other.
    pub fn in_flight(mut self, sends: usize) -> Self {
        self.in_flight = sends;
        self
    }

    /// The backoff after failed sends.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// A hook that gets each entity before it is encoded, with all fields that the client adds. It can change the entity, for
    /// example to remove secrets, or drop it by returning `None`.
    ///
    /// The hook runs on the delivery thread. Entities that it drops are counted as
    /// [`LossReason::BeforeSend`](crate::LossReason::BeforeSend), and those over which it panics as
    /// [`LossReason::HookPanic`](crate::LossReason::HookPanic).
    ///
    /// ```
    /// # use jkool_client::Client;
    /// # use jkool_transport::MemoryTransport;
    /// use jkool_model::Entity;
    ///
    /// let builder = Client::builder().before_send(|mut entity| {
    ///     if let Entity::Event(event) = &mut entity {
    ///         event.properties.retain(|property| property.name != "password");
    ///     }
    ///     Some(entity)
    /// });
    /// # builder.transport(MemoryTransport::new()).build()?;
    /// # Ok::<(), jkool_client::BuildError>(())
    /// ```
    pub fn before_send(mut self, hook: impl Fn(Entity) -> Option<Entity> + Send + 'static) -> Self {
        self.before_send = Some(Box::new(hook));
        self
    }

    /// A hook that gets each event that was given up because the server rejected it, with the reason. Use it to store such
    /// events elsewhere, or to find out why they are rejected. It runs on the delivery thread; panics in it are caught.
    pub fn on_dead_letter(mut self, hook: impl Fn(DeadLetter) + Send + 'static) -> Self {
        self.on_dead_letter = Some(Box::new(hook));
        self
    }

    /// A hook that is called when events were lost: at the first loss, then at most once a minute, and at shutdown. It gets the
    /// counters by reason. It runs on the delivery thread and may emit events; panics in it are caught. Events that
    /// `before_send` drops do not count as lost.
    pub fn on_loss(mut self, hook: impl Fn(&Stats) + Send + 'static) -> Self {
        self.on_loss = Some(Box::new(hook));
        self
    }

    /// Whether losses that the server cannot know of are also reported by an event, as soon as there is room: operation `events
    /// lost`, severity WARNING, and a message such as `1204 lost: 1200 the queue was full, 4 shed to make room`. At
    /// most one
    /// such event is sent per minute. The default is true.
    pub fn loss_events(mut self, enabled: bool) -> Self {
        self.loss_events = enabled;
        self
    }

    /// How long dropping the last clone of the client waits for delivery. The default is 5 s.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = timeout;
        self
    }

    /// Whether losses, and problems that only a person can fix, are reported on standard error: at once, then at most once a
    /// minute. The default is true.
    pub fn notices(mut self, enabled: bool) -> Self {
        self.notices = enabled;
        self
    }

    /// Uses the delivery thread of another client instead of a new one, for a program with many clients, such as one per tenant
    /// or destination. The thread ends with the last client that uses it. A slow hook, transport or disk delays all of them.
    ///
    /// ```
    /// # use jkool_client::Client;
    /// # use jkool_client::transport::MemoryTransport;
    /// let orders = Client::builder().transport(MemoryTransport::new()).build()?;
    /// let payments = Client::builder().transport(MemoryTransport::new()).share_worker(&orders).build()?;
    /// # Ok::<(), jkool_client::BuildError>(())
    /// ```
    pub fn share_worker(mut self, other: &Client) -> Self {
        self.thread = other.thread();
        self
    }

    /// Checks the settings and starts the delivery thread. Nothing is sent yet, so it succeeds even if the server is
    /// unreachable.
    ///
    /// # Errors
    /// If there is no token, a setting is out of range, or the thread cannot be started.
    pub fn build(mut self) -> Result<Client, BuildError> {
        for (setting, value) in [
            ("queue_events", self.queue_events),
            ("queue_bytes", self.queue_bytes),
            ("max_batch", self.max_batch),
            ("in_flight", self.in_flight),
        ] {
            if value == 0 {
                return Err(BuildError::Setting { setting, reason: "can't be 0" });
            }
        }
        // Larger values make no difference, and must not overflow.
        self.queue_events = self.queue_events.min(NO_LIMIT);
        self.queue_bytes = self.queue_bytes.min(NO_LIMIT);
        self.max_batch = self.max_batch.min(MAX_BATCH);
        self.in_flight = self.in_flight.min(MAX_IN_FLIGHT);
        let default = if self.spool.is_some() { OverflowPolicy::Spill } else { OverflowPolicy::default() };
        let overflow = self.overflow.unwrap_or(default);
        if overflow == OverflowPolicy::Spill && self.spool.is_none() {
            return Err(BuildError::Setting { setting: "overflow", reason: "can't be Spill without a spool" });
        }
        let Chosen { transport, set_token, token_watch } = self.take_transport()?;
        let max_batch = transport.max_batch().clamp(1, self.max_batch);
        let host = Host::look(self.env);
        let mut diagnostics = Diagnostics::new(self.notices, self.loss_events, self.on_loss);
        let source = match self.source {
            Some(source) => source,
            None => {
                let found = surroundings::look(self.env, |path| std::fs::read_to_string(path).ok(), &host)
                    .map_err(BuildError::SourceVariable)?;
                diagnostics.tell_passed_over(found.passed_over);
                found.source
            }
        };
        let user = self.user.or_else(|| self.passes_on.then(Text::default));
        let mut defaults =
            Defaults::new(Some(source), user, self.location, self.properties, host).map_err(BuildError::Source)?;
        defaults.own = !self.passes_on;
        let limits = Limits {
            events: self.queue_events,
            bytes: self.queue_bytes,
            overflow,
            shed_below: self.shed_below,
            priority: self.priority,
            flush_interval: self.flush_interval.min(Duration::from_secs(3600)),
            wake_at: (max_batch * BATCHES_A_WAKE).max(MIN_WAKE_AT).min((self.queue_events / 4).max(1)),
            batch_events: max_batch,
            batch_bytes: (self.queue_bytes / 8).min(MAX_BATCH_BYTES),
            shards: limits::shards(),
        };
        let encoder = Encoder::new(defaults, self.before_send.is_some(), limits.shards);
        let shared = Arc::new(Shared::new(limits, self.spool.is_some(), encoder));
        let spooler = |spool| Spooler::new(Arc::clone(&shared), spool, disks(), clock::now());
        let engine = Engine {
            shared: Arc::clone(&shared),
            queue: Consumer::new(Arc::clone(&shared)),
            delivery: Delivery::new(self.retry, self.in_flight, fastrand::Rng::new()),
            echo: Echo::default(),
            prepare: Prepare::new(self.before_send),
            spooler: self.spool.map(spooler),
            max_batch,
            on_dead_letter: self.on_dead_letter,
            diagnostics,
            token_watch,
            next_look: None,
            flights: BTreeMap::new(),
            last_flight: 0,
        };
        let thread = self.thread.unwrap_or_default();
        let weak = Arc::downgrade(&transport);
        thread.add(Worker { engine, transport }).map_err(BuildError::Thread)?;
        Ok(Client::new(shared, thread, weak, set_token, self.shutdown_timeout, self.notices))
    }
}

/// Does not show the token.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("transport", &self.transport)
            .field("token", &self.token.as_ref().map(|_| "***"))
            .field("source", &self.source)
            .field("queue_events", &self.queue_events)
            .field("queue_bytes", &self.queue_bytes)
            .field("overflow", &self.overflow)
            .field("spool", &self.spool)
            .field("max_batch", &self.max_batch)
            .field("flush_interval", &self.flush_interval)
            .field("in_flight", &self.in_flight)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
