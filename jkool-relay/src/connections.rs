//! Accepts connections, for the sources that listen.

use crate::source::SourceError;
use crate::tls::{Stream, Tls};
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The maximum number of concurrent connections; further connections wait.
const MAX_CONNECTIONS: usize = 1024;
/// How long to wait after a connection could not be accepted, for example because there are no free file descriptors.
const REST: Duration = Duration::from_millis(100);
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// An address on which connections are accepted.
pub(crate) struct Listener {
    listener: TcpListener,
    address: SocketAddr,
    tls: Tls,
}

impl Listener {
    /// Listens on `address`; port 0 selects a free port.
    pub(crate) async fn bind(address: SocketAddr, tls: Tls) -> Result<Self, SourceError> {
        let failed = |error| SourceError::new(format!("{address} can't be listened at")).with_source(error);
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, tls })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts connections and serves each in its own task, until the stop; then waits for the tasks. Connections are numbered from 1.
    pub(crate) async fn accept<F: Future<Output = ()> + Send + 'static>(
        self,
        mut stopped: watch::Receiver<bool>,
        serve: impl Fn(Box<dyn Stream>, u64) -> F + Clone + Send + 'static,
    ) {
        let (mut connections, mut number) = (JoinSet::new(), 0);
        loop {
            let taken = tokio::select! {
                taken = self.listener.accept(), if connections.len() < MAX_CONNECTIONS => taken,
                Some(_) = connections.join_next() => continue,
                _ = stopped.wait_for(|stopped| *stopped) => break,
            };
            let Ok((stream, _)) = taken else {
                tokio::time::sleep(REST).await;
                continue;
            };
            number += 1;
            let (serve, tls, mut stopped) = (serve.clone(), self.tls.clone(), stopped.clone());
            connections.spawn(async move {
                let accepted = tokio::select! {
                    biased;
                    accepted = timeout(HANDSHAKE, tls.accept(stream)) => accepted,
                    _ = stopped.wait_for(|stopped| *stopped) => return,
                };
                // A handshake that fails concerns only its client.
                if let Ok(Ok(stream)) = accepted {
                    serve(stream, number).await;
                }
            });
        }
        drop((self.listener, serve));
        while connections.join_next().await.is_some() {}
    }
}
