//! The server: accepts connections, limits their number, and ends gracefully.

pub(crate) mod abort;
mod connection;
pub(crate) mod session;
pub(crate) mod shutdown;
mod timeouts;

use crate::app::{App, otlp_router, router};
use crate::intake::lines;
use axum::Router;
use jkool_intake::TlsAcceptor;
use shutdown::Shutdown;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// The maximum number of connections that wait for room; further ones are closed at once.
const QUEUE: usize = 64;

/// The time that they wait.
const SOON: Duration = Duration::from_millis(200);

/// The time that requests in progress have when the collector ends.
const GRACE: Duration = Duration::from_secs(2);

/// The listeners and the state of the server.
pub(crate) struct Server {
    pub(crate) app: Arc<App>,
    pub(crate) http: TcpListener,
    /// A listener for OTLP only.
    pub(crate) otlp: Option<TcpListener>,
    pub(crate) tls: Option<TlsAcceptor>,
    /// A listener for entities without HTTP.
    pub(crate) tcp: Option<TcpListener>,
}

impl Server {
    /// Serves until `stop` is ready.
    pub(crate) async fn run(self, stop: impl Future) {
        let (end, ending) = watch::channel(());
        let shutdown = Shutdown(ending);
        let most = self.app.limits.connections.min(Semaphore::MAX_PERMITS);
        let slots = || Arc::new(Semaphore::new(most));
        let queue = Arc::new(Semaphore::new(QUEUE));
        let mut connections = JoinSet::new();
        let handler = ConnectionHandler {
            router: router(Arc::clone(&self.app)),
            app: self.app,
            tls: self.tls,
            shutdown,
            evict_idle: Arc::default(),
        };
        let otlp = ConnectionHandler { router: otlp_router(Arc::clone(&handler.app)), ..handler.clone() };
        let (http_slots, tcp_slots) = (slots(), slots());
        tokio::pin!(stop);
        loop {
            tokio::select! {
                _ = &mut stop => break,
                (stream, _) = accept(&self.http) => handler.admit(stream, &http_slots, &queue, &mut connections),
                (stream, _) = accept_if(self.otlp.as_ref()) => otlp.admit(stream, &http_slots, &queue, &mut connections),
                (stream, peer) = accept_if(self.tcp.as_ref()) => match Arc::clone(&tcp_slots).try_acquire_owned() {
                    Ok(slot) => drop(connections.spawn(handler.clone().tcp(stream, peer, slot))),
                    Err(_) => handler.app.counters.turn_away(),
                },
                Some(_) = connections.join_next() => {}
            }
        }
        drop((self.http, self.otlp, self.tcp));
        drop(end);
        let ended = async { while connections.join_next().await.is_some() {} };
        // Requests that are still in progress then are aborted.
        drop(timeout(GRACE, ended).await);
        connections.shutdown().await;
    }
}

/// The state that is needed to serve a connection.
#[derive(Clone)]
struct ConnectionHandler {
    app: Arc<App>,
    router: Router,
    tls: Option<TlsAcceptor>,
    shutdown: Shutdown,
    /// Asks the connection that has been idle longest to close.
    evict_idle: Arc<Notify>,
}

impl ConnectionHandler {
    /// Serves a connection over HTTP if there is room, or as soon as another one is closed.
    fn admit(&self, stream: TcpStream, slots: &Arc<Semaphore>, queue: &Arc<Semaphore>, connections: &mut JoinSet<()>) {
        if let Ok(slot) = Arc::clone(slots).try_acquire_owned() {
            connections.spawn(self.clone().http(stream, slot));
        } else if let Ok(place) = Arc::clone(queue).try_acquire_owned() {
            self.evict_idle.notify_one();
            connections.spawn(self.clone().queue(stream, Arc::clone(slots), place));
        } else {
            self.app.counters.turn_away();
        }
    }

    async fn http(self, stream: TcpStream, _slot: OwnedSemaphorePermit) {
        let _open = self.app.counters.open();
        // Responses are written at once; waiting to fill a packet would only delay them.
        drop(stream.set_nodelay(true));
        let app = Arc::clone(&self.app);
        match self.tls {
            None => connection::serve(stream, app, self.router, self.shutdown, self.evict_idle).await,
            Some(tls) => {
                if let Ok(Ok(stream)) = timeout(app.limits.head_timeout, tls.accept(stream)).await {
                    connection::serve(stream, app, self.router, self.shutdown, self.evict_idle).await;
                }
            }
        }
    }

    /// Waits until another connection makes room, or answers that there are too many connections.
    async fn queue(self, mut stream: TcpStream, slots: Arc<Semaphore>, place: OwnedSemaphorePermit) {
        if let Ok(Ok(slot)) = timeout(SOON, slots.acquire_owned()).await {
            drop(place);
            return self.http(stream, slot).await;
        }
        self.app.counters.turn_away();
        if self.tls.is_none() {
            connection::turn_away(&mut stream).await;
        }
    }

    async fn tcp(self, stream: TcpStream, peer: SocketAddr, _slot: OwnedSemaphorePermit) {
        let _open = self.app.counters.open();
        lines::serve(Arc::clone(&self.app), stream, peer, self.shutdown).await;
    }
}

/// Accepts the next connection. If the process has no free file handles, it waits for one.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_client(&error) => {}
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn accept_if(listener: Option<&TcpListener>) -> (TcpStream, SocketAddr) {
    match listener {
        Some(listener) => accept(listener).await,
        None => std::future::pending().await,
    }
}

/// Whether the error only means that the client disconnected early.
fn is_of_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
