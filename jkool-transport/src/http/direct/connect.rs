//! Opens a connection to the host of a url: name resolution, TCP, and TLS if needed.

use super::connection::{Connection, Io};
use super::watched::Watched;
use crate::error::TransportError;
use crate::http::config_error;
use crate::http::endpoint::Endpoint;
use crate::http::failure::{self, Cause, Stage};
use crate::http::progress::Progress;
use crate::http::renewed_tls::RenewedTls;
use crate::receipt::Failure;
use hyper::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiAddrs, GaiResolver, Name};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{fmt, io};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tower_service::Service;

/// The interval of TCP keep-alive probes; three unanswered ones detect a peer that disappeared.
const PROBE: Duration = Duration::from_secs(15);

pub(super) struct Connector {
    /// Resolves the name and tries its addresses of both families; blocking work runs on another thread.
    tcp: HttpConnector<Resolver>,
    /// The name that the certificate must contain.
    tls: Option<(Arc<RenewedTls>, ServerName<'static>)>,
    to: Uri,
    timeout: Duration,
}

impl Connector {
    pub(super) fn new(endpoint: &Endpoint, tls: Arc<RenewedTls>, timeout: Duration) -> Result<Self, TransportError> {
        let mut tcp = HttpConnector::new_with_resolver(Resolver(GaiResolver::new()));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // If there are several addresses, each gets a part of the time.
        tcp.set_connect_timeout(Some(timeout));
        tcp.set_keepalive(Some(PROBE));
        tcp.set_keepalive_interval(Some(PROBE));
        tcp.set_keepalive_retries(Some(3));
        #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
        tcp.set_tcp_user_timeout(Some(2 * PROBE));
        let tls = match endpoint.is_plain() {
            true => None,
            false => Some((tls, server_name(endpoint)?)),
        };
        Ok(Self { tcp, tls, to: endpoint.uri().clone(), timeout })
    }

    /// Opens a connection, by `deadline` at the latest.
    pub(super) async fn connect(&self, now: Instant, deadline: Instant) -> Result<Connection, Failure> {
        let deadline = deadline.min(now + self.timeout);
        match timeout_at(deadline, self.open(now)).await {
            Ok(connection) => connection,
            Err(_) => Err(no_connection(io::Error::from(io::ErrorKind::TimedOut))),
        }
    }

    async fn open(&self, now: Instant) -> Result<Connection, Failure> {
        // Checked before connecting, so that an error of the connection describes the current files.
        let tls = self.tls.as_ref().map(|(tls, name)| (TlsConnector::from(tls.config(now)), name));
        let tcp = self.tcp.clone().call(self.to.clone()).await.map_err(no_connection)?;
        let progress = Progress::new();
        let io: Io = match tls {
            None => Box::new(Watched::new(tcp, progress.clone())),
            Some((connector, name)) => {
                let tls = connector.connect(name.clone(), tcp.into_inner()).await.map_err(no_connection)?;
                Box::new(Watched::new(TokioIo::new(tls), progress.clone()))
            }
        };
        Connection::new(io, progress).await.map_err(no_connection)
    }
}

/// The name that the server's certificate must contain.
fn server_name(endpoint: &Endpoint) -> Result<ServerName<'static>, TransportError> {
    let host = endpoint.host().trim_start_matches('[').trim_end_matches(']');
    ServerName::try_from(host.to_owned()).map_err(|_| config_error("url: the host name is not valid for TLS"))
}

fn no_connection(error: impl Error + Send + Sync + 'static) -> Failure {
    let cause = if failure::find::<Unresolved>(&error).is_some() { Cause::Name } else { Cause::Other };
    failure::of(Stage::Connecting, cause, error)
}

/// The system's resolver, with errors that differ from those of a connection.
#[derive(Clone)]
struct Resolver(GaiResolver);

#[derive(Debug)]
struct Unresolved(io::Error);

impl Service<Name> for Resolver {
    type Response = GaiAddrs;
    type Error = Unresolved;
    type Future = Pin<Box<dyn Future<Output = Result<GaiAddrs, Unresolved>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Unresolved>> {
        self.0.poll_ready(context).map_err(Unresolved)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let addresses = self.0.call(name);
        Box::pin(async { addresses.await.map_err(Unresolved) })
    }
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Unresolved {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}
