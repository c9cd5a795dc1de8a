//! The transport for HTTP and HTTPS, with the requests of jkool-client-java-api and the service's curl example.

mod answer;
mod body;
mod builder;
mod client;
mod direct;
mod endpoint;
mod failure;
mod http_date;
#[cfg(any(test, fuzzing))]
pub(crate) mod laws;
mod limits;
mod pem;
mod progress;
mod proxy;
mod questions;
mod renewed_client;
mod renewed_tls;
mod retry_after;
mod tls;

pub use builder::HttpTransportBuilder;
pub use questions::Questions;

use crate::error::{ErrorKind, TransportError};
use crate::payload::Payload;
use crate::receipt::{Failure, Receipt};
use crate::receipt_builder::ReceiptBuilder;
use crate::token::Token;
use crate::transport::Transport;
use answer::Answer;
use async_trait::async_trait;
use body::RequestBody;
use direct::Direct;
use endpoint::Endpoint;
use hyper::HeaderMap;
use renewed_client::RenewedClient;
use renewed_tls::RenewedTls;
use reqwest::Client;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use tokio::time::Instant;

/// The url at which the service receives events.
pub const DEFAULT_URL: &str = "https://stream.meshiq.com";

/// The header that holds the token, besides `X-API-Key`.
const TOKEN: &str = "token";

/// Sends payloads to the service or to a collector over HTTP or HTTPS: `POST {url}/{kind}`, with the token in `X-API-Key` and
/// `token`.
///
/// Connections use HTTP/1.1 and are reused. By default each payload is a request of its own; throughput comes from several
/// concurrent [`send`](Transport::send)s, each with its own connection.
///
/// Requests without a proxy use hyper directly. Requests through a proxy, or with an HTTP client that the program provides, use
/// reqwest, which takes about three times the CPU time and otherwise behaves the same.
///
/// Redirects are not followed, cookies are not stored, and at most 64 KiB of a response are read. Certificates are always
/// verified.
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
    sender: Mutex<Option<Sender>>,
    /// `None` with an HTTP client that the program provides.
    tls: Option<Arc<RenewedTls>>,
    endpoint: Endpoint,
    /// The headers of all requests; in a lock because the token can change.
    headers: RwLock<HeaderMap>,
    /// Whether a token may be sent to this endpoint.
    takes_token: bool,
    max_batch: usize,
    #[cfg(feature = "gzip")]
    gzip: bool,
    /// Its host, for `Debug`.
    proxy: Box<str>,
}

/// How requests are sent.
#[derive(Clone)]
enum Sender {
    /// Connections of this crate: less than half the work, see `docs/adr/0005`.
    Direct(Arc<Direct>),
    /// Reqwest, through a proxy.
    Proxy(Arc<RenewedClient>),
    /// A reqwest client that the program provides.
    Given(Client),
}

impl HttpTransport {
    /// Returns a builder for a transport to `url`, such as [`DEFAULT_URL`]. The kind is appended to the url's path.
    /// [`build`](HttpTransportBuilder::build) validates the url.
    pub fn builder(url: impl Into<String>) -> HttpTransportBuilder {
        HttpTransportBuilder::new(url.into())
    }

    /// Replaces the token for all following requests. Requests in flight keep the previous one.
    ///
    /// # Errors
    /// If the endpoint uses plain http and [`allow_plaintext_token`](HttpTransportBuilder::allow_plaintext_token) is not set.
    pub fn set_token(&self, token: &Token) -> Result<(), TransportError> {
        if !self.takes_token {
            return Err(builder::plaintext_token());
        }
        let mut headers = self.headers().clone();
        builder::put_token(&mut headers, token)?;
        *self.headers.write().unwrap_or_else(PoisonError::into_inner) = headers;
        Ok(())
    }

    /// Checks now whether certificate and key files have changed, instead of when the next connection is opened. Returns true
    /// if new certificates were loaded for the next connections: then a server that refused the old ones may accept them.
    ///
    /// It always returns false without [`ca_certificate_file`](HttpTransportBuilder::ca_certificate_file) and
    /// [`client_identity_files`](HttpTransportBuilder::client_identity_files).
    pub fn renew_certificates(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.renew(Instant::now()))
    }

    fn headers(&self) -> RwLockReadGuard<'_, HeaderMap> {
        self.headers.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sender, unless closed.
    fn sender(&self) -> Option<Sender> {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends one request and evaluates its response.
    async fn post(&self, sender: &Sender, unit: &[Payload]) -> Result<(), Failure> {
        let target = self.endpoint.of(unit);
        let mut headers = self.headers().clone();
        let body = self.body(unit, &mut headers);
        let answer = match sender {
            Sender::Direct(direct) => direct.post(&target.path, headers, body).await,
            // Boxed, because these are rare and large.
            Sender::Proxy(client) => Box::pin(client.post(&target.url, headers, body)).await,
            Sender::Given(client) => Box::pin(client::post(client, &target.url, headers, body, None)).await,
        };
        match (answer, &self.tls) {
            (Ok(answer), _) => answer.meaning(),
            (Err(failure), Some(tls)) => Err(tls.explain(failure)),
            (Err(failure), None) => Err(failure),
        }
    }

    #[cfg_attr(not(feature = "gzip"), expect(unused_variables, reason = "only a compressed body needs a header"))]
    fn body(&self, unit: &[Payload], headers: &mut HeaderMap) -> RequestBody {
        let body = RequestBody::of(unit);
        #[cfg(feature = "gzip")]
        if let Some(packed) = self.gzip.then(|| body.gzip()).flatten() {
            use hyper::header::{CONTENT_ENCODING, HeaderValue};
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            return packed.into();
        }
        body
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        let Some(sender) = self.sender() else { return Receipt::failed(batch.len(), failure::closed()) };
        let mut receipt = ReceiptBuilder::new(batch.len());
        for unit in batch.chunks(self.max_batch) {
            receipt.record(unit.len(), self.post(&sender, unit).await);
            if receipt.is_stopped() {
                break;
            }
        }
        receipt.build()
    }

    fn max_batch(&self) -> usize {
        self.max_batch
    }

    /// Requests in flight may finish; idle connections are closed at once.
    async fn close(&self) -> Result<(), TransportError> {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Sender::Direct(direct)) = sender {
            direct.close();
        }
        Ok(())
    }
}

/// Shows the endpoint and the settings, and no secret.
impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport")
            .field("scheme", &self.endpoint.scheme())
            .field("host", &self.endpoint.host())
            .field("has_token", &self.headers().contains_key(TOKEN))
            .field("max_batch", &self.max_batch)
            .field("proxy", &self.proxy)
            .field("closed", &self.sender().is_none())
            .finish()
    }
}

/// The parts of TLS that other transports use too.
#[cfg(feature = "tcp")]
pub(crate) mod tls_parts {
    pub(crate) use super::pem::Pem;
    pub(crate) use super::renewed_tls::RenewedTls;
    pub(crate) use super::tls::{Certificates, Roots};

    /// Converts an error of connecting to a failure.
    pub(crate) fn connect_failure(error: std::io::Error) -> crate::receipt::Failure {
        use super::failure::{Cause, Stage, of};
        of(Stage::Connecting, Cause::Other, error)
    }
}

fn config_error(text: impl Into<Arc<str>>) -> TransportError {
    TransportError::new(ErrorKind::Config, text)
}
