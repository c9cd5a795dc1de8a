//! The settings of queries.

use super::{Query, QueryError, QueryErrorKind};
use jkool_transport::{HttpTransport, HttpTransportBuilder, Questions, Token};
use std::fmt;
use std::time::Duration;

/// The url of the service for queries.
const SERVICE: &str = "https://xray.meshiq.com";

/// The path of queries, relative to the url.
const PATH: &str = "/jkool-service/jkql";

type Settings = Box<dyn FnOnce(HttpTransportBuilder) -> HttpTransportBuilder + Send>;

/// Builds a [`Query`]; see [`Query::builder`].
#[must_use = "a builder does nothing until build"]
pub struct QueryBuilder {
    url: Option<String>,
    token: Option<String>,
    timeout: Duration,
    parameters: Vec<(&'static str, String)>,
    http: Option<Settings>,
}

impl Default for QueryBuilder {
    fn default() -> Self {
        Self { url: None, token: None, timeout: Duration::from_secs(60), parameters: Vec::new(), http: None }
    }
}

impl QueryBuilder {
    /// The base url of the server, such as `http://127.0.0.1:6580` for a local collector. The default is the hosted service.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// The access token, which needs query permission. It is sent over HTTPS only, except to this machine.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// The time limit of a query, from sending it to the end of the response. The default is 60 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The repository, if the token gives access to several.
    pub fn repository(self, repository: impl Into<String>) -> Self {
        self.set("jk_repo", repository.into())
    }

    /// The time zone of dates in statements, such as `Europe/Berlin`. The default is the server's.
    pub fn time_zone(self, zone: impl Into<String>) -> Self {
        self.set("jk_tz", zone.into())
    }

    /// The period of statements that contain none, such as `all` or `latest hour`. The default is `today`.
    pub fn date(self, date: impl Into<String>) -> Self {
        self.set("jk_date", date.into())
    }

    /// The maximum number of rows. The default is 100.
    pub fn max_rows(self, rows: u32) -> Self {
        self.set("jk_maxrows", rows.to_string())
    }

    /// Whether answers contain a trace of their execution; see [`QueryAnswer::trace`](super::QueryAnswer::trace). The default
    /// is false.
    pub fn trace(self, trace: bool) -> Self {
        self.set("jk_trace", trace.to_string())
    }

    /// Settings for certificates, proxy and connect timeout, as for an [`HttpTransport`].
    pub fn http(
        mut self,
        settings: impl FnOnce(HttpTransportBuilder) -> HttpTransportBuilder + Send + 'static,
    ) -> Self {
        self.http = Some(Box::new(settings));
        self
    }

    fn set(mut self, name: &'static str, value: String) -> Self {
        self.parameters.retain(|(other, _)| *other != name);
        self.parameters.push((name, value));
        self
    }

    /// Checks the settings. Nothing is sent yet.
    ///
    /// # Errors
    /// If the timeout is zero, or the url, the token or a certificate is invalid.
    pub fn build(self) -> Result<Query, QueryError> {
        let config = |error: &dyn fmt::Display| QueryError::new(QueryErrorKind::Config, error);
        if self.timeout.is_zero() {
            return Err(config(&"timeout: must be longer than zero"));
        }
        let mut http = HttpTransport::builder(self.url.as_deref().unwrap_or(SERVICE));
        if let Some(token) = self.token {
            http = http.token(Token::new(token).map_err(|error| config(&error))?);
        }
        if let Some(settings) = self.http {
            http = settings(http);
        }
        let questions = Questions::new(http, PATH, self.timeout).map_err(|error| config(&error))?;
        let mut parameters = self.parameters;
        parameters.push(("jk_timeout", self.timeout.as_millis().min(u128::from(u32::MAX)).to_string()));
        Ok(Query { questions, parameters })
    }
}

/// Appends a parameter to a url-encoded form.
pub(super) fn push_parameter(form: &mut String, name: &str, value: &str) {
    if !form.is_empty() {
        form.push('&');
    }
    form.push_str(name);
    form.push('=');
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => form.push(char::from(byte)),
            b' ' => form.push('+'),
            byte => form.push_str(&format!("%{byte:02X}")),
        }
    }
}

/// Does not show the token.
impl fmt::Debug for QueryBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("QueryBuilder");
        debug.field("has_token", &self.token.is_some()).field("timeout", &self.timeout);
        debug.field("parameters", &self.parameters).finish_non_exhaustive()
    }
}
