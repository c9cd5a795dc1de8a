//! The HTTP endpoints for monitoring a relay: `/metrics` and `/healthz`.

use crate::status::RelayStatus;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use jkool_client::model::open_metrics;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// The maximum number of concurrent connections; further connections wait.
const MAX_CONNECTIONS: usize = 64;
/// How long a connection may take for the head of a request.
const PATIENCE: Duration = Duration::from_secs(10);
const REST: Duration = Duration::from_millis(100);

/// An HTTP server for monitoring, which answers `GET /metrics` (OpenMetrics) and `GET /healthz`.
///
/// `/healthz` answers 200 while events are delivered or wait for a server that is unavailable, and 503 while the configuration must be
/// corrected, for example because the token is refused.
#[derive(Debug)]
pub struct Endpoint {
    listener: TcpListener,
    address: SocketAddr,
}

impl Endpoint {
    /// Listens on `address`; port 0 selects a free port.
    ///
    /// # Errors
    /// Returns an error if it cannot listen on the address.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { address: listener.local_addr()?, listener })
    }

    /// Returns the address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until the future is dropped.
    pub async fn serve(self, status: RelayStatus) {
        let mut connections = JoinSet::new();
        loop {
            let taken = tokio::select! {
                taken = self.listener.accept(), if connections.len() < MAX_CONNECTIONS => taken,
                Some(_) = connections.join_next() => continue,
            };
            let Ok((stream, _)) = taken else {
                tokio::time::sleep(REST).await;
                continue;
            };
            let status = status.clone();
            connections.spawn(async move {
                let answer = service_fn(move |request: Request<_>| {
                    let response = respond(request.method(), request.uri().path(), &status);
                    async move { Ok::<_, Infallible>(response) }
                });
                let mut server = hyper::server::conn::http1::Builder::new();
                server.timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(16 << 10);
                // A connection that ends with an error concerns only its client.
                drop(server.serve_connection(TokioIo::new(stream), answer).await);
            });
        }
    }
}

fn respond(method: &Method, path: &str, status: &RelayStatus) -> Response<Full<Bytes>> {
    const TEXT: &str = "text/plain; charset=utf-8";
    let (code, kind, text) = match (path, method) {
        ("/metrics" | "/healthz", method) if *method != Method::GET && *method != Method::HEAD => {
            (StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET\n".to_owned())
        }
        ("/metrics", _) => (StatusCode::OK, open_metrics::CONTENT_TYPE, status.to_open_metrics()),
        ("/healthz", _) if status.is_healthy() => (StatusCode::OK, TEXT, "ok\n".to_owned()),
        ("/healthz", _) => (
            StatusCode::SERVICE_UNAVAILABLE,
            TEXT,
            "nothing is delivered until the configuration is corrected\n".to_owned(),
        ),
        _ => (StatusCode::NOT_FOUND, TEXT, "not found; expected /metrics or /healthz\n".to_owned()),
    };
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = code;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
