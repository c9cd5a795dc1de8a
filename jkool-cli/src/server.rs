//! The server: its address, its token, and requests to its read API.

use crate::exit::Failure;
use jkool_collector::Query;
use reqwest::header::{
    CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use reqwest::{Certificate, Client, RequestBuilder, Response, StatusCode, Upgraded, Url};
use std::env::VarError;
use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

/// The default url of a collector.
pub(crate) const LOCAL: &str = "http://127.0.0.1:6580";

/// How to start one.
pub(crate) const HINT: &str = "start a collector with `jkool collect`, or set the url of one with --url";

/// The server's options.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct Server {
    /// The url of the server
    #[arg(long, env = "JKOOL_URL", hide_env_values = true)]
    pub(crate) url: Option<String>,
    /// The file with the access token [default: the variable JKOOL_TOKEN]
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// A file with further certificate authorities to trust (PEM), such as your collector's
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_cert: Option<PathBuf>,
}

impl Server {
    /// The url, if any. A host and port alone are reached over http.
    pub(crate) fn url(&self) -> Option<String> {
        let url = self.url.as_deref().filter(|url| !url.is_empty())?;
        // `:/` also for a url with a slash too few, so that it is reported and not taken for a host.
        Some(if url.contains(":/") || url == "stdout:" { url.to_owned() } else { format!("http://{url}") })
    }

    /// The content of the file with certificate authorities.
    pub(crate) fn authorities(&self) -> Result<Option<Vec<u8>>, Failure> {
        let Some(path) = &self.ca_cert else { return Ok(None) };
        fs::read(path).map(Some).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
    }

    /// The token, if there is one.
    pub(crate) fn token_text(&self) -> Result<Option<String>, Failure> {
        let token = match &self.token_file {
            Some(path) => {
                fs::read_to_string(path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?
            }
            None => token_from_environment()?.unwrap_or_default(),
        };
        let token = token.trim();
        Ok(Some(token.to_owned()).filter(|token| !token.is_empty()))
    }

    fn token(&self) -> Result<Option<HeaderValue>, Failure> {
        let Some(token) = self.token_text()? else { return Ok(None) };
        let mut token = HeaderValue::from_str(&token)
            .map_err(|_| Failure::Usage("the token contains characters that can't be sent".into()))?;
        token.set_sensitive(true);
        Ok(Some(token))
    }

    /// The url as text.
    pub(crate) fn url_text(&self) -> String {
        self.url().unwrap_or_else(|| LOCAL.to_owned())
    }

    /// Creates a client for the server's read API.
    pub(crate) fn reader(&self) -> Result<Reader, Failure> {
        let url: Url = self.url_text().parse().map_err(|error| Failure::Usage(format!("--url: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Failure::Usage(format!("--url: expected http:// or https://, found {}:", url.scheme())));
        }
        let (is_plain, local) = (url.scheme() == "http", is_this_machine(&url));
        let token = self.token()?;
        if token.is_some() && is_plain && !local {
            return Err(Failure::Usage("--url: a token is sent over https:// only, except to this machine".into()));
        }
        // An error means that one is already installed.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            // A tail receives something at least every 15 s.
            .read_timeout(Duration::from_secs(60));
        if local {
            client = client.no_proxy();
        }
        let authorities = match self.authorities()? {
            Some(pem) => {
                Certificate::from_pem_bundle(&pem).map_err(|error| Failure::Usage(format!("--ca-cert: {error}")))?
            }
            None => Vec::new(),
        };
        client = match is_plain {
            // Without TLS no certificates are needed.
            true => client.tls_certs_only(authorities),
            false => client.tls_certs_merge(authorities),
        };
        let client = client.build().map_err(|error| Failure::Unreachable(bottom(&error)))?;
        Ok(Reader { url, token, client })
    }
}

/// Whether a url names this machine.
pub(crate) fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A client for the read API of a collector.
#[derive(Debug)]
pub(crate) struct Reader {
    url: Url,
    token: Option<HeaderValue>,
    client: Client,
}

impl Reader {
    /// The url of the server.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Sends a request. Returns the response if it is a success; its body is not read yet.
    pub(crate) async fn get(&self, path: &str, query: &Query) -> Result<Response, Failure> {
        let mut url = self.url.clone();
        url.set_path(&format!("{}/api/{path}", url.path().trim_end_matches('/')));
        url.set_query(Some(query.to_string()).as_deref().filter(|query| !query.is_empty()));
        let response = self.send(self.client.get(url)).await?;
        match response.status() {
            status if status.is_success() => Ok(response),
            status => Err(self.refused(status, &response.text().await.unwrap_or_default())),
        }
    }

    /// Opens a WebSocket at a path below the url.
    pub(crate) async fn socket(&self, path: &str) -> Result<WebSocketStream<Upgraded>, Failure> {
        let mut url = self.url.clone();
        url.set_path(&format!("{}/{path}", url.path().trim_end_matches('/')));
        let key = generate_key();
        let headers = [
            (CONNECTION, "Upgrade"),
            (UPGRADE, "websocket"),
            (SEC_WEBSOCKET_VERSION, "13"),
            (SEC_WEBSOCKET_KEY, key.as_str()),
        ];
        let request =
            headers.into_iter().fold(self.client.get(url), |request, (name, value)| request.header(name, value));
        let response = self.send(request).await?;
        let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT).map(|accept| accept.as_bytes().to_vec());
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(self.refused(response.status(), &response.text().await.unwrap_or_default()));
        }
        if accepted != Some(derive_accept_key(key.as_bytes()).into_bytes()) {
            return Err(Failure::Unreachable(format!("{} does not accept WebSockets; is it a collector?", self.url)));
        }
        let stream = response.upgrade().await.map_err(|error| self.broken(&error))?;
        Ok(WebSocketStream::from_raw_socket(stream, Role::Client, None).await)
    }

    async fn send(&self, mut request: RequestBuilder) -> Result<Response, Failure> {
        if let Some(token) = &self.token {
            request = request.header("X-API-Key", token.clone());
        }
        request.send().await.map_err(|error| match error.is_connect() {
            true => Failure::Unreachable(format!("{} can't be reached: {}\n{HINT}", self.url, bottom(&error))),
            false => self.broken(&error),
        })
    }

    /// Describes a connection that was lost.
    pub(crate) fn broken(&self, error: &reqwest::Error) -> Failure {
        Failure::Unreachable(format!("{}: {}", self.url, bottom(error)))
    }

    fn refused(&self, status: StatusCode, body: &str) -> Failure {
        let body: Option<serde_json::Value> = serde_json::from_str(body).ok();
        let said = body.as_ref().and_then(|body| body["error"].as_str()).unwrap_or_default();
        match (status, said) {
            (StatusCode::BAD_REQUEST, said) if !said.is_empty() => Failure::Usage(said.to_owned()),
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => Failure::Unreachable(format!(
                "{} rejected the request ({status}); set a token with JKOOL_TOKEN or --token-file",
                self.url
            )),
            (_, "") => Failure::Unreachable(format!("{} answered {status}; is it a collector?", self.url)),
            (_, said) => Failure::Unreachable(format!("{} answers {status}: {said}", self.url)),
        }
    }
}

/// The root cause of an error, such as: connection refused. The errors above it only say that a request failed.
fn bottom(error: &reqwest::Error) -> String {
    let mut bottom: &dyn std::error::Error = error;
    while let Some(cause) = bottom.source() {
        bottom = cause;
    }
    bottom.to_string()
}

/// The token in the environment, if any.
pub(crate) fn token_from_environment() -> Result<Option<String>, Failure> {
    match std::env::var("JKOOL_TOKEN") {
        Ok(token) => Ok(Some(token).filter(|token| !token.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => {
            Err(Failure::Usage("JKOOL_TOKEN: a token consists of visible ASCII characters only".into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_this_machine;

    #[test]
    fn this_machine_is_known() {
        for (url, expected) in [
            ("http://127.0.0.1:6580", true),
            ("http://[::1]:6580", true),
            ("http://localhost", true),
            ("http://localhost.example", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(is_this_machine(&url.parse().unwrap()), expected, "{url}");
        }
    }
}
