//! The server as a whole.

use crate::app::{App, router};
use crate::{Clock, Store, StoreBuilder};
use std::io;
use std::net::SocketAddr;
use std::thread::JoinHandle;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// A running collector. Dropping it ends it.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    store: Store,
    /// Dropped, it ends the thread.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Sets up a [`Collector`].
#[derive(Debug)]
pub struct CollectorBuilder {
    listen: String,
    store: StoreBuilder,
}

impl Collector {
    /// A builder: 127.0.0.1:6580, in memory, any token.
    pub fn builder() -> CollectorBuilder {
        CollectorBuilder { listen: "127.0.0.1:6580".into(), store: Store::builder() }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The url to send to, and of the page.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it keeps.
    pub fn store(&self) -> &Store {
        &self.store
    }
}

impl CollectorBuilder {
    /// Where to listen: address and port; port 0 is a free one.
    #[must_use]
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.listen = address.into();
        self
    }

    /// The store's settings.
    #[must_use]
    pub fn store(mut self, store: StoreBuilder) -> Self {
        self.store = store;
        self
    }

    /// Starts it, on threads of its own.
    ///
    /// # Errors
    /// When the store can't be opened or the address can't be had.
    pub fn start(self) -> io::Result<Collector> {
        let store = self.store.open().map_err(io::Error::other)?;
        let runtime = Runtime::new()?;
        let listener = runtime.block_on(TcpListener::bind(self.listen))?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let app = router(App { store: store.clone(), clock: Clock::default() });
        let thread = std::thread::Builder::new().name("jkool-collector".into()).spawn(move || {
            runtime.block_on(async move {
                tokio::select! {
                    _ = stopped => {}
                    _ = axum::serve(listener, app) => {}
                }
            });
        })?;
        Ok(Collector { address, store, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
