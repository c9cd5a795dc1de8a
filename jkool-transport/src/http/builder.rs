//! The settings of an HTTP transport, and their validation.

mod certificates;

use super::direct::Direct;
use super::endpoint::Endpoint;
use super::proxy::{Choice, Route};
use super::renewed_client::RenewedClient;
use super::renewed_tls::RenewedTls;
use super::tls::Certificates;
use super::{HttpTransport, Sender, TOKEN, config_error};
use crate::error::TransportError;
use crate::token::Token;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::Client;
use std::fmt;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(30);

/// Builds an [`HttpTransport`]; see [`HttpTransport::builder`]. If a setter is called twice, the last call counts.
#[must_use = "a builder does nothing until build"]
pub struct HttpTransportBuilder {
    url: String,
    exact_path: bool,
    token: Option<Token>,
    allow_plaintext_token: bool,
    max_batch: usize,
    #[cfg(feature = "gzip")]
    gzip: bool,
    connect_timeout: Option<Duration>,
    timeout: Option<Duration>,
    proxy: Option<Choice>,
    certificates: Certificates,
    client: Option<Client>,
}

impl HttpTransportBuilder {
    pub(super) fn new(url: String) -> Self {
        Self {
            url,
            exact_path: false,
            token: None,
            allow_plaintext_token: false,
            max_batch: 1,
            #[cfg(feature = "gzip")]
            gzip: false,
            connect_timeout: None,
            timeout: None,
            proxy: None,
            certificates: Certificates::default(),
            client: None,
        }
    }

    /// Sets the access token. The service requires one; a collector of your own may not.
    pub fn token(mut self, token: Token) -> Self {
        self.token = Some(token);
        self
    }

    /// Allows sending the token over plain `http://` to another machine, where everyone on the network path can read it. The
    /// default is false. The addresses of this machine (`localhost`, 127.0.0.0/8, ::1) are always allowed.
    pub fn allow_plaintext_token(mut self, allow: bool) -> Self {
        self.allow_plaintext_token = allow;
        self
    }

    /// Uses the url exactly as it is for every kind, instead of appending `/event`, `/log` and so on. The default is false.
    pub fn exact_path(mut self, exact: bool) -> Self {
        self.exact_path = exact;
        self
    }

    /// Sends up to `max` payloads in one request, one per line, for a collector that supports this. The default is 1: a request
    /// contains one JSON entity, as the service's own clients send it.
    ///
    /// A request with payloads of one kind goes to the path of this kind, and a request with several kinds to the url itself.
    /// The response applies to all payloads of the request.
    pub fn batches(mut self, max: usize) -> Self {
        self.max_batch = max;
        self
    }

    /// Compresses request bodies that become smaller by it, for a collector that accepts `Content-Encoding: gzip`. The default
    /// is false.
    #[cfg(feature = "gzip")]
    #[cfg_attr(docsrs, doc(cfg(feature = "gzip")))]
    pub fn gzip(mut self, gzip: bool) -> Self {
        self.gzip = gzip;
        self
    }

    /// Sets the time limit for connecting: name resolution, TCP and TLS. The default is 10 seconds. A payload that fails by
    /// this limit was certainly not delivered.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }

    /// Sets how long a request may make no progress: from its start, or from the last byte that the connection accepted, to the
    /// last byte of the response. The default is 30 seconds. Over a slow connection a request may so take longer, up to ten
    /// times this time in total. A payload that fails by this limit is in doubt if there was a connection.
    ///
    /// Through a proxy a byte counts when the HTTP client has accepted it; about 400 KiB of them may still wait to be written.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Uses this proxy, `http://` or `https://`, with user name and password in the url if it needs them. By default, the proxy
    /// is taken from the environment when the transport is built (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`), except
    /// for the addresses of this machine.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(Choice::Url(url.into()));
        self
    }

    /// Uses no proxy, whatever the environment says.
    pub fn no_proxy(mut self) -> Self {
        self.proxy = Some(Choice::Off);
        self
    }

    /// Sends all requests with this reqwest 0.13 client. Its TLS settings, proxy, redirects and timeouts apply; setting them
    /// here as well is an error. Use it if the program needs a setting that this builder lacks; requests take more CPU time.
    ///
    /// The guarantees of this crate about them are then up to you: set a total timeout, and disable redirects
    /// (`redirect(Policy::none())`), because reqwest would send the token to the target of a redirect.
    pub fn http_client(mut self, client: Client) -> Self {
        self.client = Some(client);
        self
    }

    /// Validates the settings and builds the transport. It does not connect, so it succeeds even if the server is unreachable.
    ///
    /// # Errors
    /// With [`ErrorKind::Config`](crate::ErrorKind::Config) if a setting is invalid. The text names the setting, and the file
    /// if one cannot be read or is not PEM.
    pub fn build(mut self) -> Result<HttpTransport, TransportError> {
        let endpoint = Endpoint::new(&self.url, self.exact_path)?;
        let route = self.checked_route(&endpoint)?;
        if self.max_batch == 0 {
            return Err(config_error("batches: must be at least 1 payload"));
        }
        let (sender, tls, proxy) = match self.client.take() {
            None => {
                let certificates = std::mem::take(&mut self.certificates);
                let tls = Arc::new(RenewedTls::new(certificates, route.roots(&endpoint))?);
                (self.sender(&endpoint, &route, Arc::clone(&tls))?, Some(tls), route.name())
            }
            Some(client) => {
                self.check_conflicts()?;
                (Sender::Given(client), None, "of the given client")
            }
        };
        let mut headers = self.headers()?;
        if matches!(sender, Sender::Direct(_)) {
            // Reqwest adds these headers itself.
            headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
            let host = HeaderValue::from_str(&endpoint.authority());
            headers.insert(HOST, host.map_err(|_| config_error("url: the host cannot be sent as a header"))?);
        }
        Ok(HttpTransport {
            sender: Mutex::new(Some(sender)),
            headers: RwLock::new(headers),
            takes_token: self.takes_token(&endpoint, &route),
            max_batch: self.max_batch,
            #[cfg(feature = "gzip")]
            gzip: self.gzip,
            proxy: proxy.into(),
            tls,
            endpoint,
        })
    }

    /// The route to the server, checked to be one over which a token may be sent.
    fn checked_route(&self, endpoint: &Endpoint) -> Result<Route, TransportError> {
        let route = self.proxy.clone().unwrap_or_default().route(endpoint)?;
        if self.token.is_some() && !self.takes_token(endpoint, &route) {
            return Err(plaintext_token());
        }
        Ok(route)
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The route for queries, by reqwest, and the connect timeout.
    pub(super) fn route(&self, endpoint: &Endpoint) -> Result<(Route, Duration), TransportError> {
        let connect_timeout = positive("connect_timeout", self.connect_timeout.unwrap_or(CONNECT_TIMEOUT))?;
        Ok((self.checked_route(endpoint)?.settled(endpoint), connect_timeout))
    }

    pub(super) fn into_certificates(self) -> Certificates {
        self.certificates
    }

    /// Whether a token may be sent there: not if everyone on the network path can read it.
    fn takes_token(&self, endpoint: &Endpoint, route: &Route) -> bool {
        !endpoint.is_plain() || route.stays_here(endpoint) || self.allow_plaintext_token
    }

    fn check_conflicts(&self) -> Result<(), TransportError> {
        let settings = [
            ("connect_timeout", self.connect_timeout.is_some()),
            ("timeout", self.timeout.is_some()),
            ("proxy or no_proxy", self.proxy.is_some()),
        ];
        let pem = self.certificates.all().map(|pem| (pem.setting(), true));
        match settings.into_iter().chain(pem).find(|(_, is_set)| *is_set) {
            Some((name, _)) => Err(config_error(format!("{name}: has no effect together with http_client"))),
            None => Ok(()),
        }
    }

    /// The sender for this route.
    fn sender(&self, endpoint: &Endpoint, route: &Route, tls: Arc<RenewedTls>) -> Result<Sender, TransportError> {
        let connect_timeout = positive("connect_timeout", self.connect_timeout.unwrap_or(CONNECT_TIMEOUT))?;
        let timeout = positive("timeout", self.timeout.unwrap_or(TIMEOUT))?;
        if route.is_straight(endpoint) {
            return Ok(Sender::Direct(Arc::new(Direct::new(endpoint, tls, connect_timeout, timeout)?)));
        }
        Ok(Sender::Proxy(Arc::new(RenewedClient::new(tls, route.clone().settled(endpoint), connect_timeout, timeout)?)))
    }

    /// The headers of all requests, created once.
    pub(super) fn headers(&self) -> Result<HeaderMap, TransportError> {
        // With capacity for the headers that each request adds.
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("jkool-rust/", env!("CARGO_PKG_VERSION"))));
        if let Some(token) = &self.token {
            put_token(&mut headers, token)?;
        }
        Ok(headers)
    }
}

/// Sets the headers of the token, replacing another one.
pub(super) fn put_token(headers: &mut HeaderMap, token: &Token) -> Result<(), TransportError> {
    let mut value =
        HeaderValue::from_str(token.expose()).map_err(|_| config_error("token: cannot be sent as a header"))?;
    value.set_sensitive(true);
    headers.insert(HeaderName::from_static("x-api-key"), value.clone());
    headers.insert(HeaderName::from_static(TOKEN), value);
    Ok(())
}

pub(super) fn plaintext_token() -> TransportError {
    config_error("url: plain http would expose the token; use https, or allow_plaintext_token")
}

fn positive(setting: &str, time: Duration) -> Result<Duration, TransportError> {
    if time.is_zero() {
        return Err(config_error(format!("{setting}: must be longer than zero")));
    }
    Ok(time)
}

/// Shows the host instead of the url, and no secret.
impl fmt::Debug for HttpTransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = reqwest::Url::parse(&self.url).ok().and_then(|url| url.host_str().map(str::to_owned));
        let mut debug = f.debug_struct("HttpTransportBuilder");
        debug.field("host", &host).field("exact_path", &self.exact_path).field("token", &self.token);
        debug.field("allow_plaintext_token", &self.allow_plaintext_token).field("max_batch", &self.max_batch);
        #[cfg(feature = "gzip")]
        debug.field("gzip", &self.gzip);
        debug
            .field("connect_timeout", &self.connect_timeout)
            .field("timeout", &self.timeout)
            .field("own_proxy_choice", &self.proxy.is_some())
            .field("own_authorities", &self.certificates.authorities.len())
            .field("client_identity", &self.certificates.identity.is_some())
            .field("own_client", &self.client.is_some())
            .finish()
    }
}
