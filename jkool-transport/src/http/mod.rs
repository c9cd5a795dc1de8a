//! HTTP and HTTPS, as jkool-client-java-api and the service's own curl example speak it.

mod answer;
mod body;
mod builder;
mod endpoint;
mod failure;
mod http_date;
#[cfg(any(test, fuzzing))]
pub(crate) mod laws;
mod proxy;
mod retry_after;
mod tls;

pub use builder::HttpTransportBuilder;

use crate::tally::Tally;
use crate::{ErrorKind, Failure, Payload, Receipt, Token, Transport, TransportError};
use async_trait::async_trait;
use endpoint::Endpoint;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, Method, Request};
use std::fmt;
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::SystemTime;

/// Where the service takes events.
pub const DEFAULT_URL: &str = "https://stream.meshiq.com";

/// The header that holds the token, besides `X-API-Key`.
const TOKEN: &str = "token";

/// Sends payloads to the service or to a collector: `POST {url}/{kind}`, the token in `X-API-Key` and `token`.
///
/// Connections are kept and used again, over HTTP/1.1. By default each payload is a request of its own, so speed comes
/// from several [`send`](Transport::send)s at once: each uses a connection of its own while it lasts.
///
/// No redirect is followed, no cookie kept and no answer longer than 64 KiB read. Certificates are always verified.
///
/// ```no_run
/// use jkool_transport::{DEFAULT_URL, HttpTransport, Token};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let transport = HttpTransport::builder(DEFAULT_URL).token(Token::from_file("/run/secrets/jkool")?).build()?;
/// # Ok(())
/// # }
/// ```
pub struct HttpTransport {
    /// None once closed.
    client: Mutex<Option<Client>>,
    endpoint: Endpoint,
    /// What all requests have in common; behind a lock, since the token may change.
    headers: RwLock<HeaderMap>,
    /// A token may be sent to this endpoint.
    takes_token: bool,
    max_batch: usize,
    #[cfg(feature = "gzip")]
    gzip: bool,
    /// Its host, for `Debug`.
    proxy: Box<str>,
}

impl HttpTransport {
    /// Starts with the url to send to, such as [`DEFAULT_URL`]; a path in it is kept, and the kind goes behind it. It is
    /// checked by [`build`](HttpTransportBuilder::build).
    pub fn builder(url: impl Into<String>) -> HttpTransportBuilder {
        HttpTransportBuilder::new(url.into())
    }

    /// Sends this token from the next request on. Requests under way keep the one that they have.
    ///
    /// # Errors
    /// When the endpoint is reached over plain http, where a token is not sent unless
    /// [`allow_plaintext_token`](HttpTransportBuilder::allow_plaintext_token) says so.
    pub fn set_token(&self, token: &Token) -> Result<(), TransportError> {
        if !self.takes_token {
            return Err(builder::plaintext_token());
        }
        let mut headers = self.headers().clone();
        builder::put_token(&mut headers, token)?;
        *self.headers.write().unwrap_or_else(PoisonError::into_inner) = headers;
        Ok(())
    }

    fn headers(&self) -> RwLockReadGuard<'_, HeaderMap> {
        self.headers.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The client, unless closed.
    fn client(&self) -> Option<Client> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One request, from its making to its meaning.
    async fn post(&self, client: &Client, unit: &[Payload]) -> Result<(), Failure> {
        let request = self.request(unit);
        let answer = client.execute(request).await.map_err(failure::of)?;
        let status = answer.status();
        let retry_after = match answer.headers().contains_key(RETRY_AFTER) {
            true => {
                retry_after::longest(answer.headers().get_all(RETRY_AFTER).iter().map(|value| value.as_bytes()), now())
            }
            false => None,
        };
        match body::read(answer).await {
            Ok(body) => answer::meaning(status, retry_after, &body),
            // A success counts when it is complete; what else a status says is said without its body.
            Err(failure) if status.is_success() => Err(failure),
            Err(_) => answer::meaning(status, retry_after, &[]),
        }
    }

    fn request(&self, unit: &[Payload]) -> Request {
        let mut request = Request::new(Method::POST, self.endpoint.of(unit).clone());
        *request.headers_mut() = self.headers().clone();
        let body = body::of(unit);
        #[cfg(feature = "gzip")]
        if self.gzip {
            if let Some(packed) = body::gzip(&body) {
                let encoding = reqwest::header::HeaderValue::from_static("gzip");
                request.headers_mut().insert(reqwest::header::CONTENT_ENCODING, encoding);
                *request.body_mut() = Some(packed.into());
                return request;
            }
        }
        *request.body_mut() = Some(body.into());
        request
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        let Some(client) = self.client() else { return Receipt::failed(batch.len(), failure::closed()) };
        let mut tally = Tally::new(batch.len());
        for unit in batch.chunks(self.max_batch) {
            tally.record(unit.len(), self.post(&client, unit).await);
            if tally.is_stopped() {
                break;
            }
        }
        tally.into_receipt()
    }

    fn max_batch(&self) -> usize {
        self.max_batch
    }

    /// Requests under way may finish; idle connections are closed at once.
    async fn close(&self) -> Result<(), TransportError> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(())
    }
}

/// Shows where it sends and how, and nothing that is secret.
impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport")
            .field("scheme", &self.endpoint.scheme())
            .field("host", &self.endpoint.host())
            .field("has_token", &self.headers().contains_key(TOKEN))
            .field("max_batch", &self.max_batch)
            .field("proxy", &self.proxy)
            .field("closed", &self.client().is_none())
            .finish()
    }
}

/// When an answer arrived: a `Retry-After` that is a date needs the time of day.
#[expect(
    clippy::disallowed_methods,
    reason = "this crate's only look at the clock; a wrong one shortens or caps one wait"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

fn config_error(text: impl Into<std::sync::Arc<str>>) -> TransportError {
    TransportError::new(ErrorKind::Config, text)
}
