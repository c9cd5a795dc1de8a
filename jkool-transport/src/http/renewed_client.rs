//! Requests through a proxy, by a client of reqwest that is made anew now and then.
//!
//! Reqwest does not say how old a connection is, nor how much it was used. What it does on request is to leave all behind: a new
//! client opens connections of its own, by names that are looked up and files that are read again. Those of the one before end
//! when the last request over them has.

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
    /// What it was made with.
    config: Arc<ClientConfig>,
    made: Instant,
    requests: u64,
    /// How many requests there are at once, now and at most since it was made: as many connections it has.
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

    /// One request, from its sending to the end of its answer.
    pub(super) async fn post(&self, url: &Url, headers: HeaderMap, body: RequestBody) -> Result<Answer, Failure> {
        let (client, _under_way) = self.client(Instant::now());
        client::post(&client, url, headers, body, Some(self.timeout)).await
    }

    /// The client for a request that begins now.
    fn client(&self, now: Instant) -> (Client, UnderWay<'_>) {
        let config = self.tls.config(now);
        let mut current = self.current();
        if current.is_used_up(now) || !Arc::ptr_eq(&config, &current.config) {
            // It was made of the same settings before, or of files that were found good. If it should fail, the old one does.
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
    /// Whether its connections are too old, or have had too many requests, all things being equal among them.
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
