//! A source that listens, as a url: `https://0.0.0.0:6580?token_file=/path&certificate=/path&certificate_key=/path`.

use crate::exit::Failure;
use crate::out;
use jkool_client::ClientBuilder;
use jkool_client::model::error_chain;
use jkool_relay::{HttpSource, Relay, RelayBuilder, SourceError, TcpSource};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Listen {
    is_http: bool,
    address: SocketAddr,
    /// Holds the tokens that clients may send.
    token_file: Option<PathBuf>,
    /// The certificate and its key.
    tls: Option<(PathBuf, PathBuf)>,
}

impl Listen {
    /// Parses a url's scheme, one of `http`, `https`, `tcp` and `tls`, and the rest.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(super) fn parse(scheme: &str, rest: &str) -> Result<Self, String> {
        let (is_http, has_tls) = (scheme.starts_with("http"), matches!(scheme, "https" | "tls"));
        let (address, settings) = rest.split_once('?').unwrap_or((rest, ""));
        let address = address.trim_end_matches('/').parse();
        let address =
            address.map_err(|_| format!("expected an address and a port, such as {scheme}://127.0.0.1:6580"))?;
        let (mut token_file, mut certificate, mut key) = (None, None, None);
        for setting in settings.split('&').filter(|setting| !setting.is_empty()) {
            let (name, value) = setting.split_once('=').ok_or("a setting is name=value")?;
            let place = match name {
                "token_file" if is_http => &mut token_file,
                "certificate" if has_tls => &mut certificate,
                "certificate_key" if has_tls => &mut key,
                _ => return Err(format!("{scheme}:// has no setting {name}")),
            };
            *place = Some(value.into());
        }
        let tls = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            _ if has_tls => return Err("certificate=/path and certificate_key=/path are needed".into()),
            _ => None,
        };
        Ok(Self { is_http, address, token_file, tls })
    }

    fn scheme(&self) -> &'static str {
        match (self.is_http, &self.tls) {
            (true, None) => "http",
            (true, Some(_)) => "https",
            (false, None) => "tcp",
            (false, Some(_)) => "tls",
        }
    }

    /// Listens, and returns a relay from there.
    pub(super) async fn relay(self, client: ClientBuilder) -> Result<RelayBuilder, Failure> {
        let usage = |error: SourceError| Failure::Usage(format!("--from: {}", error_chain(&error)));
        let failed = |error: SourceError| Failure::Unreachable(format!("--from: {}", error_chain(&error)));
        let (address, relay) = if self.is_http {
            let mut source = HttpSource::builder();
            if let Some(file) = &self.token_file {
                source = source.token_file(file).map_err(usage)?;
            }
            if let Some((certificate, key)) = &self.tls {
                source = source.tls(certificate, key).map_err(usage)?;
            }
            let source = source.bind(self.address).await.map_err(failed)?;
            // Requests are answered when what they brought is committed.
            (source.address(), Relay::builder(source, client).commit_interval(Duration::from_millis(10)))
        } else {
            let source = match &self.tls {
                Some((certificate, key)) => TcpSource::bind_tls(self.address, certificate, key).await,
                None => TcpSource::bind(self.address).await,
            };
            let source = source.map_err(failed)?;
            (source.address(), Relay::builder(source, client))
        };
        out::note(format_args!("listening on {}://{address}", self.scheme()));
        Ok(relay)
    }
}

#[cfg(test)]
mod tests {
    use super::Listen;

    #[test]
    fn a_url_says_where_and_how_to_listen() {
        let parse = |scheme, rest| Listen::parse(scheme, rest).expect(rest);
        let address = "0.0.0.0:6580".parse().expect("an address");
        let plain = Listen { is_http: true, address, token_file: None, tls: None };
        assert_eq!(parse("http", "0.0.0.0:6580/"), plain);
        let with_token = Listen { token_file: Some("/t".into()), ..plain };
        assert_eq!(parse("http", "0.0.0.0:6580?token_file=/t"), with_token);
        let with_tls = Listen { tls: Some(("/c".into(), "/k".into())), ..with_token };
        assert_eq!(parse("https", "0.0.0.0:6580?certificate_key=/k&token_file=/t&certificate=/c"), with_tls);
        assert_eq!(parse("tls", "0.0.0.0:1?certificate=/c&certificate_key=/k").scheme(), "tls");
        assert_eq!(parse("tcp", "127.0.0.1:0").scheme(), "tcp");
    }

    #[test]
    fn a_wrong_url_is_told() {
        for (scheme, rest, said) in [
            ("tcp", "", "such as tcp://127.0.0.1:6580"),
            ("http", "host", "such as http://127.0.0.1:6580"),
            ("http", "127.0.0.1:1?token=x", "http:// has no setting token"),
            ("http", "127.0.0.1:1?certificate=/c", "no setting certificate"),
            ("tcp", "127.0.0.1:1?token_file=/t", "tcp:// has no setting token_file"),
            ("https", "127.0.0.1:1", "certificate=/path and certificate_key=/path"),
            ("tls", "127.0.0.1:1?certificate=/c", "certificate_key=/path"),
            ("tls", "127.0.0.1:1?certificate", "name=value"),
        ] {
            let error = Listen::parse(scheme, rest).expect_err(rest);
            assert!(error.contains(said), "{scheme}://{rest}: {error}");
        }
    }
}
