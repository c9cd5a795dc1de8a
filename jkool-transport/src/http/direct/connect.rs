//! From the url to a connection: the name, TCP, and TLS where it is wanted.

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

/// How long a peer that is gone without a word goes unnoticed, three probes of it each.
const PROBE: Duration = Duration::from_secs(15);

pub(super) struct Connector {
    /// Looks up the name, tries its addresses of both families, and does so off the thread where that blocks.
    tcp: HttpConnector<Resolver>,
    /// And whom the certificate must name.
    tls: Option<(Arc<RenewedTls>, ServerName<'static>)>,
    to: Uri,
    timeout: Duration,
}

impl Connector {
    pub(super) fn new(endpoint: &Endpoint, tls: Arc<RenewedTls>, timeout: Duration) -> Result<Self, TransportError> {
        let mut tcp = HttpConnector::new_with_resolver(Resolver(GaiResolver::new()));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // Of several addresses each gets a part of the time.
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

    /// A new connection, by `deadline` at the latest.
    pub(super) async fn connect(&self, now: Instant, deadline: Instant) -> Result<Connection, Failure> {
        let deadline = deadline.min(now + self.timeout);
        match timeout_at(deadline, self.open(now)).await {
            Ok(connection) => connection,
            Err(_) => Err(no_connection(io::Error::from(io::ErrorKind::TimedOut))),
        }
    }

    async fn open(&self, now: Instant) -> Result<Connection, Failure> {
        // Before a connection that may not be made, so that what its error says of the files is true.
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

/// Whom the server's certificate must name.
fn server_name(endpoint: &Endpoint) -> Result<ServerName<'static>, TransportError> {
    let host = endpoint.host().trim_start_matches('[').trim_end_matches(']');
    ServerName::try_from(host.to_owned()).map_err(|_| config_error("url: no certificate can name this host"))
}

fn no_connection(error: impl Error + Send + Sync + 'static) -> Failure {
    let cause = if failure::find::<Unresolved>(&error).is_some() { Cause::Name } else { Cause::Other };
    failure::of(Stage::Connecting, cause, error)
}

/// The system's, with errors that can be told from those of a connection.
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
        f.write_str("the name was not resolved")
    }
}

impl Error for Unresolved {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}
