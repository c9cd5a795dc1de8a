//! Queries to a service: sends a form and reads the complete response.

use super::endpoint::Endpoint;
use super::renewed_tls::RenewedTls;
use super::{HttpTransportBuilder, client};
use crate::error::{ErrorKind, TransportError};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Url};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Sends queries to a service at one url, with the settings of a transport: token, certificates, proxy. Redirects are not
/// followed.
pub struct Questions {
    client: Client,
    url: Url,
    headers: HeaderMap,
    timeout: Duration,
}

/// The maximum size of a response, in bytes.
const LONGEST: usize = 64 << 20;

impl Questions {
    /// Creates it from the settings of `builder`, for `path` relative to its url.
    ///
    /// # Errors
    /// As [`HttpTransportBuilder::build`].
    pub fn new(builder: HttpTransportBuilder, path: &str, timeout: Duration) -> Result<Self, TransportError> {
        let endpoint = Endpoint::new(builder.url(), true)?;
        let (route, connect_timeout) = builder.route(&endpoint)?;
        let mut headers = builder.headers()?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let mut url = endpoint.url().clone();
        url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
        let tls = RenewedTls::new(builder.into_certificates(), route.roots(&endpoint))?;
        let client = client::new((*tls.config(Instant::now())).clone(), &route, connect_timeout)?;
        Ok(Self { client, url, headers, timeout })
    }

    /// Sends a form, and returns the status and the body of the response. It must be called within a tokio runtime.
    ///
    /// # Errors
    /// If there is no response, or it is incomplete, too long or late.
    pub async fn ask(&self, form: String) -> Result<(u16, Vec<u8>), TransportError> {
        let answered = timeout(self.timeout, self.answered(form)).await;
        answered.unwrap_or_else(|_| Err(TransportError::new(ErrorKind::Timeout, "no response within the timeout")))
    }

    async fn answered(&self, form: String) -> Result<(u16, Vec<u8>), TransportError> {
        let request = self.client.post(self.url.clone()).headers(self.headers.clone()).body(form);
        let mut answer = request.send().await.map_err(of)?;
        let (status, mut body) = (answer.status().as_u16(), Vec::new());
        while let Some(chunk) = answer.chunk().await.map_err(of)? {
            if body.len() + chunk.len() > LONGEST {
                return Err(TransportError::new(ErrorKind::Answer, "the response is longer than 64 MiB"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, body))
    }
}

/// The url may contain secrets in its query string.
fn of(error: reqwest::Error) -> TransportError {
    let (kind, message) = match &error {
        error if error.is_timeout() => (ErrorKind::Timeout, "no connection within the timeout"),
        error if error.is_connect() => (ErrorKind::Connect, "the server can't be reached"),
        _ => (ErrorKind::Interrupted, "the connection was lost before the response was complete"),
    };
    TransportError::new(kind, message).with_source(error.without_url())
}

impl std::fmt::Debug for Questions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Questions").field("host", &self.url.host_str()).field("timeout", &self.timeout).finish()
    }
}
