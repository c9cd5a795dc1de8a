//! HTTP and HTTPS, as jkool-client-java-api and the service's own curl example speak it.

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

/// Where the service takes events.
pub const DEFAULT_URL: &str = "https://stream.meshiq.com";

/// The header that holds the token, besides `X-API-Key`.
const TOKEN: &str = "token";

/// Sends payloads to the service or to a collector: `POST {url}/{kind}`, the token in `X-API-Key` and `token`.
///
/// Connections are kept and used again, over HTTP/1.1. By default each payload is a request of its own, so speed comes
/// from several [`send`](Transport::send)s at once: each uses a connection of its own while it lasts.
///
/// Requests go straight to the host by hyper; through a proxy, or with a client that is given ready, they go by reqwest, which
/// costs about three times the work and is the same in all else.
///
/// No redirect is followed, no cookie kept, and of an answer at most 64 KiB are read. Certificates are always verified.
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
    /// None when a client was given.
    tls: Option<Arc<RenewedTls>>,
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

/// How requests are sent.
#[derive(Clone)]
enum Sender {
    /// Connections of our own: less than half the work, see `docs/adr/0005`.
    Direct(Arc<Direct>),
    /// Reqwest, through a proxy.
    Proxy(Arc<RenewedClient>),
    /// Reqwest, as the user has set it up.
    Given(Client),
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

    /// Looks now whether the files of certificates and keys have changed, instead of when the next connection is opened. True
    /// when what is in them is new and in use from the next connection on: then what was refused before may be taken.
    ///
    /// Without a [`ca_certificate_file`](HttpTransportBuilder::ca_certificate_file) or
    /// [`client_identity_files`](HttpTransportBuilder::client_identity_files) it is always false.
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

    /// One request, from its making to its meaning.
    async fn post(&self, sender: &Sender, unit: &[Payload]) -> Result<(), Failure> {
        let target = self.endpoint.of(unit);
        let mut headers = self.headers().clone();
        let body = self.body(unit, &mut headers);
        let answer = match sender {
            Sender::Direct(direct) => direct.post(&target.path, headers, body).await,
            // Boxed, since these are rare and large.
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

    /// Requests under way may finish; idle connections are closed at once.
    async fn close(&self) -> Result<(), TransportError> {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Sender::Direct(direct)) = sender {
            direct.close();
        }
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
            .field("closed", &self.sender().is_none())
            .finish()
    }
}

/// What another transport over TLS shares with this one.
#[cfg(feature = "tcp")]
pub(crate) mod tls_parts {
    pub(crate) use super::pem::Pem;
    pub(crate) use super::renewed_tls::RenewedTls;
    pub(crate) use super::tls::{Certificates, Roots};

    /// What an error before there was a connection means.
    pub(crate) fn connect_failure(error: std::io::Error) -> crate::receipt::Failure {
        use super::failure::{Cause, Stage, of};
        of(Stage::Connecting, Cause::Other, error)
    }
}

fn config_error(text: impl Into<Arc<str>>) -> TransportError {
    TransportError::new(ErrorKind::Config, text)
}
