//! A running collector.

use crate::app::App;
use crate::builder::CollectorBuilder;
use crate::counters::Counts;
use crate::start_error::StartError;
use crate::store::Store;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use tokio::runtime;
use tokio::sync::oneshot;

/// A running collector, which receives, stores and shows entities.
///
/// Dropping it stops it; requests in progress have two seconds to be answered.
///
/// ```
/// use jkool_collector::Collector;
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
///
/// let collector = Collector::builder().listen("127.0.0.1:0").start()?;
/// let event = r#"{"operation":"ProcessOrder","msg-text":"Order processed"}"#;
/// let mut client = TcpStream::connect(collector.address())?;
/// write!(client, "POST /event HTTP/1.0\r\nContent-Length: {}\r\n\r\n{event}", event.len())?;
/// let mut answer = String::new();
/// client.read_to_string(&mut answer)?;
/// assert!(answer.ends_with(r#"{"duplicates":0,"stored":1}"#), "{answer}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Collector {
    ready: Ready,
    /// Ends the thread when it is dropped.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread reports when it listens.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) address: SocketAddr,
    pub(crate) otlp_address: Option<SocketAddr>,
    pub(crate) tcp_address: Option<SocketAddr>,
    pub(crate) app: Arc<App>,
}

/// The maximum number of bodies and queries that are processed at the same time.
const WORKERS: usize = 32;

impl Collector {
    /// Returns a builder. By default, the collector listens on 127.0.0.1:6580, stores in memory, and accepts any token.
    pub fn builder() -> CollectorBuilder {
        CollectorBuilder::new()
    }

    /// Its own thread makes it independent of the caller's runtime.
    pub(crate) fn start(builder: CollectorBuilder) -> Result<Self, StartError> {
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = mpsc::channel();
        let named = || std::thread::Builder::new().name("jkool-collector".into());
        let thread = named().spawn(move || {
            if let Err(error) = run(builder, &tell, stopped) {
                // The caller waits for this message.
                drop(tell.send(Err(error)));
            }
        });
        let thread = thread.map_err(StartError::Threads)?;
        let ready = told.recv().unwrap_or_else(|_| Err(StartError::Threads(io::ErrorKind::Other.into())))?;
        Ok(Self { ready, stop: Some(stop), thread: Some(thread) })
    }

    /// Returns the address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.ready.address
    }

    /// Returns the additional address for OTLP, if there is one.
    pub fn otlp_address(&self) -> Option<SocketAddr> {
        self.ready.otlp_address
    }

    /// Returns the address for plain TCP, if there is one.
    pub fn tcp_address(&self) -> Option<SocketAddr> {
        self.ready.tcp_address
    }

    /// Returns the url to send to, which is also that of the web page.
    pub fn url(&self) -> String {
        let mut address = self.ready.address;
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
                SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
            });
        }
        format!("{}://{address}", self.ready.app.scheme())
    }

    /// Whether clients need a token. If not, any token is accepted.
    pub fn needs_token(&self) -> bool {
        self.ready.app.access.needs_token()
    }

    /// Returns the store.
    pub fn store(&self) -> &Store {
        &self.ready.app.store
    }

    /// Returns the counters of what it has received since it started.
    pub fn counts(&self) -> Counts {
        self.ready.app.counters.counts()
    }

    /// Returns the newest 32 problems that could not be reported to a client: lines over TCP that are invalid, with the reason, and
    /// problems of the store (see [`Store::troubles`]).
    pub fn notices(&self) -> Vec<String> {
        let mut notices = self.ready.app.counters.notices();
        notices.extend(self.store().troubles());
        notices
    }

    /// Stops the collector, like dropping it.
    pub fn shutdown(self) {}
}

fn run(
    builder: CollectorBuilder,
    tell: &mpsc::Sender<Result<Ready, StartError>>,
    stopped: oneshot::Receiver<()>,
) -> Result<(), StartError> {
    let mut runtime = runtime::Builder::new_multi_thread();
    runtime.thread_name("jkool-collector").max_blocking_threads(WORKERS).enable_all();
    let runtime = runtime.build().map_err(StartError::Threads)?;
    let (server, ready) = runtime.block_on(builder.build())?;
    drop(tell.send(Ok(ready)));
    runtime.block_on(server.run(stopped));
    // Does not wait for long queries.
    runtime.shutdown_background();
    Ok(())
}

impl Drop for Collector {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
