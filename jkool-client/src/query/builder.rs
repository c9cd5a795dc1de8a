//! The settings of questions.

use super::{Query, QueryError, QueryErrorKind};
use jkool_transport::{HttpTransport, HttpTransportBuilder, Questions, Token};
use std::fmt;
use std::time::Duration;

/// Where the service answers questions.
const SERVICE: &str = "https://xray.meshiq.com";

/// The path of questions below the url.
const PATH: &str = "/jkool-service/jkql";

type Settings = Box<dyn FnOnce(HttpTransportBuilder) -> HttpTransportBuilder + Send>;

/// The settings of a [`Query`]: see [`Query::builder`].
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
    /// Where the service is: `http://127.0.0.1:6580` for a collector of one's own. It is the hosted service unless it is said.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// The token, which must be one that may query. It is sent over HTTPS alone, except to this machine.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// How long a question may take, from its sending to the end of its answer; 60 seconds unless it is said.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The repository, when the token opens several.
    pub fn repository(self, repository: impl Into<String>) -> Self {
        self.set("jk_repo", repository.into())
    }

    /// The time zone of dates in statements, such as `Europe/Berlin`; the server's unless it is said.
    pub fn time_zone(self, zone: impl Into<String>) -> Self {
        self.set("jk_tz", zone.into())
    }

    /// The period of statements that say none, such as `all` or `latest hour`; `today` unless it is said.
    pub fn date(self, date: impl Into<String>) -> Self {
        self.set("jk_date", date.into())
    }

    /// So many rows at most; 100 unless it is said.
    pub fn max_rows(self, rows: u32) -> Self {
        self.set("jk_maxrows", rows.to_string())
    }

    /// Whether answers tell how they were found; see [`QueryAnswer::trace`](super::QueryAnswer::trace).
    pub fn trace(self, trace: bool) -> Self {
        self.set("jk_trace", trace.to_string())
    }

    /// Certificates, proxy and time to connect, as those of an [`HttpTransport`].
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
    /// When the url, the token or a certificate is of no use.
    pub fn build(self) -> Result<Query, QueryError> {
        let config = |error: &dyn fmt::Display| QueryError::new(QueryErrorKind::Config, error);
        if self.timeout.is_zero() {
            return Err(config(&"timeout: it must be longer than zero"));
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

/// Appends a parameter to a form.
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

/// Shows no secret.
impl fmt::Debug for QueryBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("QueryBuilder");
        debug.field("has_token", &self.token.is_some()).field("timeout", &self.timeout);
        debug.field("parameters", &self.parameters).finish_non_exhaustive()
    }
}
