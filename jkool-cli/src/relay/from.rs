//! Parses the url of the source of a relay.

use crate::exit::Failure;
use crate::server::Server;
use jkool_client::ClientBuilder;
use jkool_client::model::error_chain;
use jkool_relay::{FolderSource, HttpSource, Relay, RelayBuilder, SourceError, TcpSource};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum From {
    Folder(PathBuf),
    Tcp(SocketAddr),
    Http {
        address: SocketAddr,
        token_file: Option<PathBuf>,
    },
    Mqtt(String),
    #[cfg(feature = "kafka")]
    Kafka(String),
}

const EXPECTED: &str = "expected kafka://host:9092/topic?group=relay, mqtt://host:1883/topic?client_id=relay, http://127.0.0.1:6580, tcp://127.0.0.1:6590, or a folder";

impl From {
    pub(super) fn parse(url: &str) -> Result<Self, Failure> {
        let usage = |reason: &str| Failure::Usage(format!("--from {url}: {reason}"));
        match url.split_once("://") {
            None if !url.is_empty() => Ok(Self::Folder(url.into())),
            Some(("file", path)) if path.starts_with('/') => Ok(Self::Folder(path.into())),
            Some(("tcp", address)) => {
                let address = address.trim_end_matches('/').parse();
                address
                    .map(Self::Tcp)
                    .map_err(|_| usage("expected an address and a port, such as tcp://127.0.0.1:6590"))
            }
            Some(("http", rest)) => {
                const EXPECTED: &str = "expected an address and a port, such as http://127.0.0.1:6580 or http://0.0.0.0:6580?token_file=/path";
                let (address, setting) = rest.split_once('?').unwrap_or((rest, ""));
                let address = address.trim_end_matches('/').parse().map_err(|_| usage(EXPECTED))?;
                let token_file = match setting.split_once('=') {
                    None if setting.is_empty() => None,
                    Some(("token_file", file)) if !file.contains('&') => Some(file.into()),
                    _ => return Err(usage(EXPECTED)),
                };
                Ok(Self::Http { address, token_file })
            }
            Some(("mqtt" | "mqtts", _)) => Ok(Self::Mqtt(url.to_owned())),
            #[cfg(feature = "kafka")]
            Some(("kafka", _)) => Ok(Self::Kafka(url.to_owned())),
            #[cfg(not(feature = "kafka"))]
            Some(("kafka", _)) => Err(usage(crate::destination::WITHOUT_KAFKA)),
            _ => Err(usage(EXPECTED)),
        }
    }

    /// Builds a relay from this source.
    pub(super) async fn relay(
        self,
        client: ClientBuilder,
        server: &Server,
        positions: Option<&Path>,
    ) -> Result<RelayBuilder, Failure> {
        let failed = |error: SourceError| Failure::Unreachable(format!("--from: {}", error_chain(&error)));
        Ok(match self {
            Self::Folder(folder) => {
                let source = match positions {
                    Some(file) => FolderSource::with_positions(folder, file),
                    None => FolderSource::open(folder),
                };
                Relay::builder(source.map_err(failed)?, client)
            }
            Self::Tcp(address) => {
                let source = TcpSource::bind(address).await.map_err(failed)?;
                crate::out::note(format_args!("listening on tcp://{}", source.address()));
                Relay::builder(source, client)
            }
            Self::Http { address, token_file } => {
                let token = token_file.map(|file| read_token(&file)).transpose()?;
                let source = HttpSource::bind(address, token.as_deref()).await.map_err(failed)?;
                crate::out::note(format_args!("listening on http://{}", source.address()));
                // Requests are answered when their records are committed.
                Relay::builder(source, client).commit_interval(Duration::from_millis(10))
            }
            Self::Mqtt(url) => Relay::builder(crate::mqtt::source(&url, server)?, client),
            #[cfg(feature = "kafka")]
            Self::Kafka(url) => Relay::builder(crate::kafka::source(&url, server)?, client),
        })
    }
}

/// The token that senders must send.
fn read_token(file: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(file);
    let text = text.map_err(|error| Failure::Usage(format!("token_file={}: {error}", file.display())))?;
    match text.trim() {
        "" => Err(Failure::Usage(format!("token_file={}: the file is empty", file.display()))),
        token => Ok(token.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::From;

    #[test]
    fn a_url_says_where_events_come_from() {
        let parse = |url| From::parse(url).expect(url);
        assert_eq!(parse("/var/spool/orders"), From::Folder("/var/spool/orders".into()));
        assert_eq!(parse("file:///var/spool"), From::Folder("/var/spool".into()));
        assert_eq!(parse("tcp://127.0.0.1:0"), From::Tcp("127.0.0.1:0".parse().expect("an address")));
        let address = "0.0.0.0:6580".parse().expect("an address");
        assert_eq!(parse("http://0.0.0.0:6580/"), From::Http { address, token_file: None });
        let token_file = Some("/t".into());
        assert_eq!(parse("http://0.0.0.0:6580?token_file=/t"), From::Http { address, token_file });
        assert_eq!(parse("mqtt://h/t?client_id=r"), From::Mqtt("mqtt://h/t?client_id=r".into()));
        for url in [
            "",
            "tcp://host",
            "tcp://",
            "ftp://x",
            "file://x",
            "http://host",
            "https://127.0.0.1:1",
            "http://127.0.0.1:1?token=x",
        ] {
            assert!(From::parse(url).is_err(), "{url}");
        }
    }
}
