//! Setting up a collector.

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
use crate::tls;
use crate::tokens::{Tokens, in_file};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Sets up a [`Collector`].
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

/// A token that was set.
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
                // What JESL counts on.
                idle_timeout: Duration::from_secs(5 * 60),
            },
            script: None,
        }
    }

    /// Where to listen: address and port; port 0 is a free one. 127.0.0.1:6580 unless said otherwise. Other machines can
    /// only be listened to with a [`token`](Self::token).
    #[must_use]
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.listen = address.into();
        self
    }

    /// Takes OpenTelemetry's protocol (OTLP over HTTP) there, too, by the rules of [`listen`](Self::listen). 127.0.0.1:4318 is where
    /// every SDK sends unless it is told otherwise. The paths `/v1/logs`, `/v1/traces` and `/v1/metrics` are at the main address in any
    /// case.
    #[must_use]
    pub fn listen_otlp(mut self, address: impl Into<String>) -> Self {
        self.listen_otlp = Some(address.into());
        self
    }

    /// Takes entities over plain TCP there, too: one JSON document a line of at most 1 MiB, in UTF-8, and no answers. No
    /// token is asked for, so that it must be an address of this machine alone.
    #[must_use]
    pub fn listen_tcp(mut self, address: impl Into<String>) -> Self {
        self.listen_tcp = Some(address.into());
        self
    }

    /// The store's settings: its file, how durable it is, how much it keeps.
    #[must_use]
    pub fn store(mut self, store: StoreBuilder) -> Self {
        self.store = store;
        self
    }

    /// Who says what time it is, to the store as well.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// A token that is taken, one more with each call. With any, everybody needs one, to send and to read; without, any is
    /// taken, and only this machine can be listened on.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.tokens.push(Secret(token.into()));
        self
    }

    /// A file of tokens, one a line, to be read at the start. Lines that begin with `#` are no tokens.
    #[must_use]
    pub fn token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.token_file = Some(path.into());
        self
    }

    /// Another name that this machine is called by, without a port: `collector.test`. Where only this machine is listened
    /// on, a request that asks for anything but its own names is refused, so that no web page gets in under a name of its
    /// own.
    #[must_use]
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        self.names.push(name.into());
        self
    }

    /// Speaks TLS with the certificate in `chain` (PEM, the server's own first) and its `key` (PEM).
    #[must_use]
    pub fn tls(mut self, chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.tls = Some((chain.into(), key.into()));
        self
    }

    /// How many bytes a body may have, as it comes and unpacked; 16 MiB unless said otherwise.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.limits.body = bytes;
        self
    }

    /// How many connections may be open at the same time, over HTTP and again over TCP; 1,024 unless said otherwise. For one
    /// more over HTTP the one that has been silent for longest is closed; when all are busy it is answered with 503.
    #[must_use]
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.limits.connections = connections;
        self
    }

    /// How long the head of a request may take from its first byte on; 10 seconds unless said otherwise.
    #[must_use]
    pub fn head_timeout(mut self, timeout: Duration) -> Self {
        self.limits.head_timeout = timeout;
        self
    }

    /// How long a body may take for each 16 KiB; 30 seconds unless said otherwise.
    #[must_use]
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.limits.body_timeout = timeout;
        self
    }

    /// How long a client may be silent between requests, or not read what it asked for; 5 minutes unless said otherwise.
    #[must_use]
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.limits.idle_timeout = timeout;
        self
    }

    /// Starts it, on threads of its own.
    ///
    /// # Errors
    /// When the store can't be opened, an address can't be had, or what was set doesn't fit together.
    pub fn start(self) -> Result<Collector, StartError> {
        Collector::start(self)
    }

    /// Takes the addresses, opens the store and puts everything together.
    pub(crate) async fn build(self) -> Result<(Server, Ready), StartError> {
        let tokens = tokens(self.tokens, self.token_file.as_deref())?;
        let open = tokens.is_empty();
        let tls = self.tls.map(|(chain, key)| tls::acceptor(&chain, &key)).transpose()?;
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
        // Who is reached under any name at one address is at the other.
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
        // The folder is this process's own now.
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
            return Err(at(io::Error::new(io::ErrorKind::InvalidData, "there is none")));
        }
        found.for_each(|token| tokens.push(token.to_owned()));
    }
    Ok(tokens)
}
