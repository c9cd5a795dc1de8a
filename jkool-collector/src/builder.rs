//! The settings of a collector.

use crate::access::Access;
use crate::app::{App, Limits};
use crate::clock::Clock;
use crate::collector::Collector;
use crate::collector::Ready;
use crate::counters::Counters;
use crate::dashboard::Dashboards;
use crate::intake::BodyMemory;
use crate::listen::listen;
use crate::script::Script;
use crate::server::Server;
use crate::start_error::StartError;
use crate::store::{Store, StoreBuilder};
use jkool_intake::acceptor;
use jkool_intake::tokens::{Tokens, in_file};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A builder for a [`Collector`]; [`Collector::builder`] creates it.
///
/// ```
/// use jkool_collector::Collector;
/// let collector = Collector::builder().listen("127.0.0.1:0").token("canary-0f").start()?;
/// assert!(collector.url().starts_with("http://127.0.0.1:"));
/// # Ok::<(), jkool_collector::StartError>(())
/// ```
#[derive(Debug)]
pub struct CollectorBuilder {
    listen: String,
    listen_otlp: Option<String>,
    listen_tcp: Option<String>,
    store: StoreBuilder,
    clock: Option<Clock>,
    tokens: Vec<Secret>,
    token_file: Option<PathBuf>,
    names: Vec<String>,
    tls: Option<(PathBuf, PathBuf)>,
    limits: Limits,
    pub(crate) script: Option<Arc<Script>>,
}

/// A token from a setting.
struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl CollectorBuilder {
    pub(crate) fn new() -> Self {
        Self {
            listen: "127.0.0.1:6580".into(),
            listen_otlp: None,
            listen_tcp: None,
            store: Store::builder(),
            clock: None,
            tokens: Vec::new(),
            token_file: None,
            names: Vec::new(),
            tls: None,
            limits: Limits {
                body: 16 << 20,
                connections: 1_024,
                head_timeout: Duration::from_secs(10),
                body_timeout: Duration::from_secs(30),
                // JESL relies on it.
                idle_timeout: Duration::from_secs(5 * 60),
            },
            script: None,
        }
    }

    /// Sets the address and port to listen on; port 0 selects a free port. Default: 127.0.0.1:6580. An address that is not loopback
    /// requires a [`token`](Self::token).
    #[must_use]
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.listen = address.into();
        self
    }

    /// Sets an additional address for OpenTelemetry's protocol (OTLP over HTTP), with the same rules as [`listen`](Self::listen).
    /// OpenTelemetry SDKs send to 127.0.0.1:4318 by default. The main address has the paths `/v1/logs`, `/v1/traces` and `/v1/metrics` in
    /// any case.
    #[must_use]
    pub fn listen_otlp(mut self, address: impl Into<String>) -> Self {
        self.listen_otlp = Some(address.into());
        self
    }

    /// Sets an additional address that accepts entities over plain TCP: one JSON document per line, in UTF-8, at most 1 MiB. There are no
    /// answers and no tokens, so it must be a loopback address.
    #[must_use]
    pub fn listen_tcp(mut self, address: impl Into<String>) -> Self {
        self.listen_tcp = Some(address.into());
        self
    }

    /// Sets the settings of the store: its folder, durability, and retention.
    #[must_use]
    pub fn store(mut self, store: StoreBuilder) -> Self {
        self.store = store;
        self
    }

    /// Sets the clock of the collector and its store, for tests.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Adds a token that is accepted. If at least one token is set, clients need one to send and to read. Without tokens any token is
    /// accepted, and the collector can only listen on loopback addresses.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.tokens.push(Secret(token.into()));
        self
    }

    /// Sets a file with tokens, one per line, which is read at the start. Lines that begin with `#` are ignored.
    #[must_use]
    pub fn token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.token_file = Some(path.into());
        self
    }

    /// Adds a host name of this machine, without a port: `collector.test`.
    ///
    /// On a loopback address, a request whose `Host` is not a name of this machine is refused, as a protection against DNS rebinding by
    /// web pages.
    #[must_use]
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        self.names.push(name.into());
        self
    }

    /// Enables TLS with the certificate chain in `chain` (PEM, the server's own certificate first) and its `key` (PEM).
    #[must_use]
    pub fn tls(mut self, chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.tls = Some((chain.into(), key.into()));
        self
    }

    /// Sets the maximum size of a body in bytes, both as received and decompressed. Default: 16 MiB.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.limits.body = bytes;
        self
    }

    /// Sets the maximum number of open connections, separately for HTTP and TCP. Default: 1,024. For a further HTTP connection, the
    /// connection that has been idle longest is closed; if all are busy, the new one is answered with 503.
    #[must_use]
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.limits.connections = connections;
        self
    }

    /// Sets the timeout for the head of a request, from its first byte on. Default: 10 seconds.
    #[must_use]
    pub fn head_timeout(mut self, timeout: Duration) -> Self {
        self.limits.head_timeout = timeout;
        self
    }

    /// Sets the timeout for each 16 KiB of a body. Default: 30 seconds.
    #[must_use]
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.limits.body_timeout = timeout;
        self
    }

    /// Sets how long a connection may be idle between requests, and how long a client may not read its response. Default: 5 minutes.
    #[must_use]
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.limits.idle_timeout = timeout;
        self
    }

    /// Starts the collector on its own threads.
    ///
    /// # Errors
    /// Returns an error if the store cannot be opened, if it cannot listen on an address, or if settings exclude each other.
    pub fn start(self) -> Result<Collector, StartError> {
        Collector::start(self)
    }

    /// Binds the addresses, opens the store and assembles the application.
    pub(crate) async fn build(self) -> Result<(Server, Ready), StartError> {
        let tokens = tokens(self.tokens, self.token_file.as_deref())?;
        let open = tokens.is_empty();
        let tls = self.tls.map(|(chain, key)| acceptor(&chain, &key, &["http/1.1"])).transpose()?;
        let reachable = |address: std::net::SocketAddr| !address.ip().is_loopback();
        let with_token =
            |address| if open && reachable(address) { Err(StartError::NeedsToken(address)) } else { Ok(()) };
        let (http, address) = listen(&self.listen, with_token).await?;
        let (otlp, otlp_address) = match &self.listen_otlp {
            Some(otlp) => {
                let (otlp, address) = listen(otlp, with_token).await?;
                (Some(otlp), Some(address))
            }
            None => (None, None),
        };
        // If other machines may use one address, they may use the other.
        let reached = otlp_address.filter(|address| reachable(*address)).unwrap_or(address);
        let (tcp, tcp_address) = match &self.listen_tcp {
            Some(tcp) => {
                let allow = |address| {
                    if reachable(address) { Err(StartError::NeedsLoopback(address)) } else { Ok(()) }
                };
                let (tcp, address) = listen(tcp, allow).await?;
                (Some(tcp), Some(address))
            }
            None => (None, None),
        };
        let clock = self.clock.clone().unwrap_or_default();
        let store = match self.clock {
            Some(clock) => self.store.clock(clock),
            None => self.store,
        };
        let folder = store.folder().map(Path::to_owned);
        let store = store.open()?;
        // The folder is locked now.
        let (dashboards, damaged) = Dashboards::open(folder.as_deref())?;
        let counters = Counters::default();
        damaged.into_iter().for_each(|notice| counters.note(notice));
        let app = App {
            store,
            clock,
            access: Access::new(tokens, self.names, reached.ip()),
            is_tls: tls.is_some(),
            body_memory: BodyMemory::for_bodies(self.limits.body),
            limits: self.limits,
            counters,
            dashboards,
            script: self.script,
        };
        let app = Arc::new(app);
        let ready = Ready { address, otlp_address, tcp_address, app: Arc::clone(&app) };
        Ok((Server { app, http, otlp, tls, tcp }, ready))
    }
}

fn tokens(set: Vec<Secret>, file: Option<&Path>) -> Result<Tokens, StartError> {
    let mut tokens = Tokens::default();
    for Secret(token) in set {
        if token.trim().is_empty() {
            return Err(StartError::EmptyToken);
        }
        tokens.push(token);
    }
    if let Some(path) = file {
        let at = |error| StartError::TokenFile { path: path.to_owned(), error };
        let text = std::fs::read_to_string(path).map_err(at)?;
        let mut found = in_file(&text).peekable();
        if found.peek().is_none() {
            return Err(at(io::Error::new(io::ErrorKind::InvalidData, "the file contains no token")));
        }
        found.for_each(|token| tokens.push(token.to_owned()));
    }
    Ok(tokens)
}
