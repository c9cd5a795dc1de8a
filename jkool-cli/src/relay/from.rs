//! Parses the url of the source of a relay.

use super::listen::Listen;
use crate::exit::Failure;
use crate::server::Server;
use jkool_client::ClientBuilder;
use jkool_client::model::error_chain;
use jkool_relay::{FolderSource, Relay, RelayBuilder, SourceError};
use std::path::{Path, PathBuf};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum From {
    Folder(PathBuf),
    Listen(Listen),
    Mqtt(String),
    #[cfg(feature = "kafka")]
    Kafka(String),
}

const EXPECTED: &str = "expected kafka://host:9092/topic?group=relay, mqtt://host:1883/topic?client_id=relay, http:// or https://127.0.0.1:6580, tcp:// or tls://127.0.0.1:6590, or a folder";

impl From {
    pub(super) fn parse(url: &str) -> Result<Self, Failure> {
        let usage = |reason: &str| Failure::Usage(format!("--from {url}: {reason}"));
        match url.split_once("://") {
            None if !url.is_empty() => Ok(Self::Folder(url.into())),
            Some(("file", path)) if path.starts_with('/') => Ok(Self::Folder(path.into())),
            Some((scheme @ ("http" | "https" | "tcp" | "tls"), rest)) => {
                Listen::parse(scheme, rest).map(Self::Listen).map_err(|reason| usage(&reason))
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
            Self::Listen(listen) => listen.relay(client).await?,
            Self::Mqtt(url) => Relay::builder(crate::mqtt::source(&url, server)?, client),
            #[cfg(feature = "kafka")]
            Self::Kafka(url) => Relay::builder(crate::kafka::source(&url, server)?, client),
        })
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
        assert_eq!(parse("mqtt://h/t?client_id=r"), From::Mqtt("mqtt://h/t?client_id=r".into()));
        assert!(matches!(parse("tcp://127.0.0.1:0"), From::Listen(_)));
        for url in ["", "ftp://x", "file://x", "https://127.0.0.1:1"] {
            assert!(From::parse(url).is_err(), "{url}");
        }
    }
}
