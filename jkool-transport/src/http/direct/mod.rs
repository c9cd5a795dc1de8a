//! Requests that go straight to the host, each over a connection of its own while it lasts.

mod connect;
mod connection;
mod idle;

use super::Answer;
use super::body::RequestBody;
use super::endpoint::Endpoint;
use super::failure::{self, Cause, Stage};
use crate::error::TransportError;
use crate::receipt::Failure;
use connect::Connector;
use connection::{Connection, Message, Outcome};
use hyper::{HeaderMap, Method, Uri};
use idle::Idle;
use rustls::ClientConfig;
use std::time::Duration;
use tokio::time::Instant;

/// The way to one host.
pub(super) struct Direct {
    connector: Connector,
    /// Each with when it was opened.
    idle: Idle<(Instant, Connection)>,
    timeout: Duration,
}

impl Direct {
    pub(super) fn new(
        endpoint: &Endpoint,
        tls: ClientConfig,
        connect_timeout: Duration,
        timeout: Duration,
    ) -> Result<Self, TransportError> {
        // A deadline must be a point in time.
        let [connect_timeout, timeout] = [connect_timeout, timeout].map(|time| time.min(FOREVER));
        Ok(Self { connector: Connector::new(endpoint, tls, connect_timeout)?, idle: Idle::new(), timeout })
    }

    /// One request, from its sending to the end of its answer. It is written once: only what was not written at all, since
    /// the server had closed the connection meanwhile, goes out by another one.
    pub(super) async fn post(&self, path: &Uri, headers: HeaderMap, body: RequestBody) -> Result<Answer, Failure> {
        let mut message = Message::new(body);
        *message.method_mut() = Method::POST;
        *message.uri_mut() = path.clone();
        *message.headers_mut() = headers;
        let now = Instant::now();
        let deadline = now + self.timeout;
        loop {
            let (opened, connection, is_new) = match self.idle.take(now) {
                Some((opened, connection)) => (opened, connection, false),
                // Boxed, since it is rare and large.
                None => (now, Box::pin(self.connector.connect(now, deadline)).await?, true),
            };
            match connection.exchange(message, deadline).await {
                Outcome::Answered(answer, connection) => {
                    let now = Instant::now();
                    if let Some(connection) = connection.filter(|_| now < opened + MAX_AGE) {
                        self.idle.put((opened, connection), now);
                    }
                    return Ok(answer);
                }
                Outcome::Unsent(_, error) if is_new => return Err(failure::of(Stage::Unsent, Cause::Other, error)),
                Outcome::Unsent(again, _) => message = again,
                Outcome::Broken(failure) => return Err(failure),
            }
        }
    }

    /// Requests under way may finish; idle connections are closed at once.
    pub(super) fn close(&self) {
        self.idle.close();
    }
}

/// An older connection ends, so that a name which moves to another address, or a balancer with a new server behind it, is
/// followed.
const MAX_AGE: Duration = Duration::from_secs(5 * 60);

/// Longer than any program runs.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
