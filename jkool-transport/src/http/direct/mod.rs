//! Requests without a proxy. Each one owns a connection while it lasts.

mod connect;
mod connection;
mod idle;
mod tend;
mod watched;

use super::Answer;
use super::body::RequestBody;
use super::endpoint::Endpoint;
use super::failure::{self, Cause, Stage};
use super::limits::{FOREVER, MAX_AGE, MAX_REQUESTS};
use super::renewed_tls::RenewedTls;
use crate::error::TransportError;
use crate::receipt::Failure;
use connect::Connector;
use connection::{Connection, Message, Outcome};
use hyper::{HeaderMap, Method, Uri};
use idle::Idle;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The age and use of a connection.
#[derive(Debug, Clone, Copy)]
struct Use {
    opened: Instant,
    requests: u32,
}

impl Use {
    fn is_over(&self, now: Instant) -> bool {
        now >= self.opened + MAX_AGE || self.requests >= MAX_REQUESTS
    }
}

/// The connections to one host.
pub(super) struct Direct {
    connector: Connector,
    idle: Arc<Idle<(Use, Connection)>>,
    timeout: Duration,
}

impl Direct {
    pub(super) fn new(
        endpoint: &Endpoint,
        tls: Arc<RenewedTls>,
        connect_timeout: Duration,
        timeout: Duration,
    ) -> Result<Self, TransportError> {
        let [connect_timeout, timeout] = [connect_timeout, timeout].map(|time| time.min(FOREVER));
        let connector = Connector::new(endpoint, tls, connect_timeout)?;
        Ok(Self { connector, idle: Arc::new(Idle::new()), timeout })
    }

    /// Sends one request and reads its response. It is written once: it uses another connection only if nothing was written at
    /// all, because the server had closed the connection.
    pub(super) async fn post(&self, path: &Uri, headers: HeaderMap, body: RequestBody) -> Result<Answer, Failure> {
        let mut message = Message::new(body);
        *message.method_mut() = Method::POST;
        *message.uri_mut() = path.clone();
        *message.headers_mut() = headers;
        let now = Instant::now();
        let deadline = now + self.timeout;
        loop {
            let (mut used, connection) = match self.idle.take(now) {
                Some((used, _)) if used.is_over(now) => continue,
                Some(used) => used,
                // Boxed, because it is rare and large.
                None => {
                    let connection = Box::pin(self.connector.connect(now, deadline)).await?;
                    (Use { opened: now, requests: 0 }, connection)
                }
            };
            used.requests += 1;
            match connection.exchange(message, self.timeout, now).await {
                Outcome::Answered(answer, connection) => {
                    let now = Instant::now();
                    if let Some(connection) = connection.filter(|_| !used.is_over(now)) {
                        self.idle.put((used, connection), now, || tend::tend(&self.idle));
                    }
                    return Ok(answer);
                }
                Outcome::Unsent(_, error) if used.requests == 1 => {
                    return Err(failure::of(Stage::Unsent, Cause::Other, error));
                }
                Outcome::Unsent(again, _) => message = again,
                Outcome::Broken(failure) => return Err(failure),
            }
        }
    }

    /// Requests in flight may finish; idle connections are closed at once.
    pub(super) fn close(&self) {
        self.idle.close();
    }
}
