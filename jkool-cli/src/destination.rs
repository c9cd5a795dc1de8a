//! Parses the url of a destination, for both `send --url` and `relay --to`.

use crate::exit::Failure;
use crate::server::{self, Server};
use jkool_client::ClientBuilder;
use jkool_client::model::error_chain;
use jkool_transport::{DEFAULT_URL, FileTransport, StdoutTransport, TcpTransport, Transport, TransportError};
use reqwest::Url;
use std::sync::Arc;

/// The supported urls, for messages.
pub(crate) const KINDS: &str = "https://, http://, tcp://, tls://, file:///path/events.jsonl, stdout:, mqtt://host/topic or kafka://host:9092/topic";

/// Where events go.
#[derive(Debug)]
pub(crate) enum Destination {
    /// The service or a collector.
    Http(String),
    Other {
        url: String,
        transport: Arc<dyn Transport>,
    },
}

impl Destination {
    /// Parses the options. Without a url, it is the service if there is a token, else a collector on this machine.
    pub(crate) fn of(server: &Server) -> Result<Self, Failure> {
        let has_token =
            server.token_file.is_some() || std::env::var_os("JKOOL_TOKEN").is_some_and(|token| !token.is_empty());
        let url = server.url();
        let url = url.unwrap_or_else(|| if has_token { DEFAULT_URL } else { server::LOCAL }.to_owned());
        if url.starts_with("http://") || url.starts_with("https://") {
            return Ok(Self::Http(url));
        }
        let transport = transport(&url, server)?;
        Ok(Self::Other { url, transport })
    }

    /// The url as text.
    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Http(url) | Self::Other { url, .. } => url,
        }
    }

    /// The settings of a client that sends here. `batch` is the number of events per request; the default is many to
    /// this machine, and one to others.
    pub(crate) fn apply(
        &self,
        builder: ClientBuilder,
        server: &Server,
        batch: Option<u16>,
    ) -> Result<ClientBuilder, Failure> {
        let url = match self {
            Self::Http(url) => url,
            Self::Other { transport, .. } => return Ok(builder.transport(Arc::clone(transport))),
        };
        let local = url.parse().is_ok_and(|url: Url| server::is_this_machine(&url));
        let batch = batch.unwrap_or(if local { 512 } else { 1 });
        let authorities = server.authorities()?;
        let builder = builder.url(url).http(move |http| {
            let http = http.batches(batch.into());
            match authorities {
                Some(pem) => http.ca_certificate_pem(pem),
                None => http,
            }
        });
        Ok(match &server.token_file {
            Some(path) => builder.token_file(path),
            None => builder,
        })
    }
}

/// A transport other than HTTP.
pub(crate) fn transport(url: &str, server: &Server) -> Result<Arc<dyn Transport>, Failure> {
    let usage = |error: TransportError| Failure::Usage(format!("{url}: {}", error_chain(&error)));
    Ok(match url.split_once(':').unwrap_or((url, "")) {
        ("tcp" | "tls", _) => {
            let mut tcp = TcpTransport::builder(url);
            if let Some(pem) = server.authorities()? {
                tcp = tcp.ca_certificate_pem(pem);
            }
            Arc::new(tcp.build().map_err(usage)?)
        }
        ("file", path) => {
            let path = path.strip_prefix("//").filter(|path| path.starts_with('/'));
            let path = path.ok_or_else(|| Failure::Usage(format!("{url}: expected file:///path/events.jsonl")))?;
            Arc::new(FileTransport::builder(path).build().map_err(usage)?)
        }
        ("stdout", "" | "//") => Arc::new(StdoutTransport::new()),
        ("mqtt" | "mqtts", _) => Arc::new(crate::mqtt::transport(url, server)?),
        #[cfg(feature = "kafka")]
        ("kafka", _) => Arc::new(crate::kafka::transport(url, server)?),
        #[cfg(not(feature = "kafka"))]
        ("kafka", _) => return Err(Failure::Usage(WITHOUT_KAFKA.to_owned())),
        _ => return Err(Failure::Usage(format!("{url}: expected one of {KINDS}"))),
    })
}

#[cfg(not(feature = "kafka"))]
pub(crate) const WITHOUT_KAFKA: &str = "this jkool was built without Kafka: cargo install jkool-cli --features kafka";

#[cfg(test)]
mod tests {
    use super::{Destination, KINDS, transport};
    use crate::server::Server;

    fn server(url: &str) -> Server {
        Server { url: Some(url.to_owned()), token_file: None, ca_cert: None }
    }

    #[test]
    fn a_url_says_where_events_go() {
        for url in
            ["https://stream.meshiq.com", "http://127.0.0.1:6580", "tcp://127.0.0.1:1", "tls://localhost:1", "stdout:"]
        {
            let destination = Destination::of(&server(url)).expect(url);
            assert_eq!(destination.url(), url);
            assert_eq!(matches!(destination, Destination::Http(_)), url.starts_with("http"), "{url}");
        }
        assert_eq!(Destination::of(&server("host:6580")).expect("http").url(), "http://host:6580");
    }

    #[test]
    fn a_wrong_url_is_told() {
        for (url, said) in [
            ("ftp://host", KINDS),
            ("http:/127.0.0.1:6580", KINDS),
            ("file://relative", "file:///path"),
            ("file:///no/such/folder/events.jsonl", "/no/such/folder"),
            ("tcp://", "tcp://"),
            ("stdout:x", KINDS),
        ] {
            let error = transport(url, &server(url)).expect_err(url).to_string();
            assert!(error.contains(said), "{url}: {error}");
        }
    }
}
