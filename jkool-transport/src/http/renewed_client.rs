//! Requests through a proxy, by a reqwest client that is replaced from time to time.
//!
//! Reqwest does not report the age or use of a connection, but a new client opens new connections, with names that are resolved
//! and files that are read again. The connections of the previous client end with their last request.

use super::body::RequestBody;
use super::limits::{MAX_AGE, MAX_REQUESTS};
use super::proxy::Route;
use super::renewed_tls::RenewedTls;
use super::{Answer, client};
use crate::error::TransportError;
use crate::receipt::Failure;
use hyper::HeaderMap;
use reqwest::{Client, Url};
use rustls::ClientConfig;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

pub(super) struct RenewedClient {
    tls: Arc<RenewedTls>,
    route: Route,
    connect_timeout: Duration,
    timeout: Duration,
    current: Mutex<Current>,
}

struct Current {
    client: Client,
    /// The TLS settings of this client.
    config: Arc<ClientConfig>,
    made: Instant,
    requests: u64,
    /// The number of concurrent requests, now and at most since the client was created, which is the number of its connections.
    under_way: u64,
    most: u64,
}

impl RenewedClient {
    pub(super) fn new(
        tls: Arc<RenewedTls>,
        route: Route,
        connect_timeout: Duration,
        timeout: Duration,
    ) -> Result<Self, TransportError> {
        let made = Instant::now();
        let config = tls.config(made);
        let client = client::new((*config).clone(), &route, connect_timeout)?;
        let current = Mutex::new(Current { client, config, made, requests: 0, under_way: 0, most: 0 });
        Ok(Self { tls, route, connect_timeout, timeout, current })
    }

    /// Sends one request and reads its response.
    pub(super) async fn post(&self, url: &Url, headers: HeaderMap, body: RequestBody) -> Result<Answer, Failure> {
        let (client, _under_way) = self.client(Instant::now());
        client::post(&client, url, headers, body, Some(self.timeout)).await
    }

    /// Returns the client for a new request.
    fn client(&self, now: Instant) -> (Client, UnderWay<'_>) {
        let config = self.tls.config(now);
        let mut current = self.current();
        if current.is_used_up(now) || !Arc::ptr_eq(&config, &current.config) {
            // This should not fail: the same settings worked before, and the files were validated. If it does, the
            // previous client stays in use.
            if let Ok(client) = client::new((*config).clone(), &self.route, self.connect_timeout) {
                let under_way = current.under_way;
                *current = Current { client, config, made: now, requests: 0, under_way, most: 0 };
            }
        }
        current.requests += 1;
        current.under_way += 1;
        current.most = current.most.max(current.under_way);
        (current.client.clone(), UnderWay(self))
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Current {
    /// Whether its connections are too old, or had too many requests on average.
    fn is_used_up(&self, now: Instant) -> bool {
        now >= self.made + MAX_AGE || self.requests >= u64::from(MAX_REQUESTS) * self.most.max(1)
    }
}

/// A request that has not ended, nor was it dropped.
struct UnderWay<'a>(&'a RenewedClient);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.current().under_way -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::tls::{Certificates, Roots};

    /// How many more requests begin until a new client is made, at this time.
    fn until_renewed(renewed: &RenewedClient, now: Instant) -> u64 {
        let made = renewed.current().made;
        let renewed = (0..100_000).take_while(|_| {
            drop(renewed.client(now));
            renewed.current().made == made
        });
        renewed.count() as u64
    }

    fn renewed() -> (RenewedClient, Instant) {
        let tls = RenewedTls::new(Certificates::default(), Roots::Unused).expect("no TLS");
        let second = Duration::from_secs(1);
        let renewed = RenewedClient::new(Arc::new(tls), Route::Direct, second, second).expect("a client");
        let made = renewed.current().made;
        (renewed, made)
    }

    #[test]
    fn it_is_renewed_after_five_minutes() {
        let (renewed, made) = renewed();
        assert_eq!(until_renewed(&renewed, made + MAX_AGE), 0);
        drop(renewed.client(made + MAX_AGE * 2 - Duration::from_nanos(1)));
        assert_eq!(renewed.current().made, made + MAX_AGE);
        drop(renewed.client(made + MAX_AGE * 2));
        assert_eq!(renewed.current().made, made + MAX_AGE * 2);
    }

    #[test]
    fn it_is_renewed_after_so_many_requests_for_each_connection() {
        let (renewed, made) = renewed();
        let soon = made + Duration::from_secs(1);
        assert_eq!(until_renewed(&renewed, soon), 10_000);
        let later = soon + Duration::from_secs(1);
        let two = [renewed.client(later), renewed.client(later)];
        // With another one besides these two there were three at once. One request has begun before them.
        assert_eq!(until_renewed(&renewed, later), 30_000 - 3);
        drop(two);
        let later = later + Duration::from_secs(1);
        assert_eq!(until_renewed(&renewed, later), 30_000 - 1, "the request that was the first counts with those two");
        assert_eq!(renewed.current().under_way, 0);
        assert_eq!(until_renewed(&renewed, later + Duration::from_secs(1)), 10_000 - 1);
    }
}
