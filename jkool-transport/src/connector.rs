//! Connections to a server by TCP or TLS, for transports whose protocol is not HTTP.

use crate::error::{ErrorKind, TransportError};
use crate::http::tls_parts::{Certificates, Pem, RenewedTls, Roots, connect_failure};
use crate::receipt::Failure;
use rustls::pki_types::ServerName;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

/// The url schemes of a protocol, without and with TLS, and their default ports.
#[derive(Debug, Clone, Copy)]
pub struct Schemes {
    /// The scheme without TLS.
    pub plain: (&'static str, Option<u16>),
    /// The scheme with TLS.
    pub tls: (&'static str, Option<u16>),
}

/// The settings of a [`Connector`].
pub struct ConnectorBuilder {
    timeout: Duration,
    certificates: Certificates,
}

impl Default for ConnectorBuilder {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(10), certificates: Certificates::default() }
    }
}

impl ConnectorBuilder {
    /// Sets the time limit for connecting. The default is 10 seconds.
    pub fn timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Adds trusted certificate authorities, in PEM, to those of the platform.
    pub fn ca_certificate_pem(&mut self, pem: Vec<u8>) {
        self.certificates.authorities.push(Pem::Text { setting: "ca_certificate_pem", text: pem });
    }

    /// Adds trusted certificate authorities from a PEM file, which is read again when it changes.
    pub fn ca_certificate_file(&mut self, path: PathBuf) {
        self.certificates.authorities.push(Pem::File { setting: "ca_certificate_file", path });
    }

    /// Sets the client certificate, from two PEM files, which are read again when they change.
    pub fn client_identity_files(&mut self, chain: PathBuf, key: PathBuf) {
        let file = |path| Pem::File { setting: "client_identity_files", path };
        self.certificates.identity = Some((file(chain), file(key)));
    }

    /// Builds a connector to the server of `url`.
    ///
    /// # Errors
    /// If the url does not have the form `scheme://host:port`, or a certificate is invalid.
    pub fn build(self, url: &str, schemes: Schemes) -> Result<Connector, TransportError> {
        let config = |text: String| TransportError::new(ErrorKind::Config, format!("url: {text}"));
        let form = |(scheme, port): (_, Option<u16>)| match port {
            None => format!("{scheme}://host:port"),
            Some(port) => format!("{scheme}://host[:{port}]"),
        };
        let expected = || config(format!("expected {} or {}", form(schemes.plain), form(schemes.tls)));
        let (scheme, rest) = url.split_once("://").ok_or_else(expected)?;
        let (name, default) =
            *[schemes.plain, schemes.tls].iter().find(|(name, _)| *name == scheme).ok_or_else(expected)?;
        let rest = rest.trim_end_matches('/');
        let (host, port) = match (rest.rsplit_once(':'), default) {
            // Colons within the brackets of an IPv6 address do not precede a port.
            (Some((host, port)), _) if !port.ends_with(']') => (host, port.parse().map_err(|_| expected())?),
            (_, Some(port)) => (rest, port),
            (_, None) => return Err(expected()),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() || host.contains(['/', '@', '?', '#']) {
            return Err(expected());
        }
        let tls = if name == schemes.tls.0 {
            let name = ServerName::try_from(host.clone())
                .map_err(|_| config("the host name is not valid for TLS".to_owned()))?;
            Some((Arc::new(RenewedTls::new(self.certificates, Roots::Needed)?), name))
        } else {
            None
        };
        Ok(Connector { scheme: name, host, port, tls, timeout: self.timeout })
    }
}

/// Does not show certificates.
impl fmt::Debug for ConnectorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectorBuilder").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// Opens connections to a server. Use it in a transport of another protocol.
pub struct Connector {
    scheme: &'static str,
    host: String,
    port: u16,
    /// The name that the certificate must contain.
    tls: Option<(Arc<RenewedTls>, ServerName<'static>)>,
    timeout: Duration,
}

impl Connector {
    /// Returns whether connections use TLS.
    pub fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// Returns the time limit for connecting.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// The failure of the payloads that were to be sent over it, which were certainly not delivered.
    pub async fn connect(&self) -> Result<Box<dyn Stream>, Failure> {
        let connected = match timeout(self.timeout, self.open()).await {
            Ok(connected) => connected,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        };
        connected.map_err(|error| {
            let failure = connect_failure(error);
            match &self.tls {
                Some((tls, _)) => tls.explain(failure),
                None => failure,
            }
        })
    }

    async fn open(&self) -> io::Result<Box<dyn Stream>> {
        let tls = self.tls.as_ref().map(|(tls, name)| {
            let mut config = (*tls.config(Instant::now())).clone();
            // The protocol is not HTTP.
            config.alpn_protocols.clear();
            (TlsConnector::from(Arc::new(config)), name)
        });
        let tcp = TcpStream::connect((&*self.host, self.port)).await?;
        tcp.set_nodelay(true)?;
        Ok(match tls {
            None => Box::new(tcp),
            Some((tls, name)) => Box::new(tls.connect(name.clone(), tcp).await?),
        })
    }
}

impl fmt::Display for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connector({self})")
    }
}

/// A connection, with TLS or without.
pub trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

#[cfg(test)]
mod tests {
    use super::{ConnectorBuilder, Schemes};

    const MQTT: Schemes = Schemes { plain: ("mqtt", Some(1883)), tls: ("mqtts", Some(8883)) };
    const TCP: Schemes = Schemes { plain: ("tcp", None), tls: ("tls", None) };

    /// Where it leads, or why it leads nowhere.
    fn way(url: &str, schemes: Schemes) -> String {
        match ConnectorBuilder::default().build(url, schemes) {
            Ok(connector) => connector.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_url_may_leave_out_the_port_that_is_usual() {
        assert_eq!(way("mqtt://broker", MQTT), "mqtt://broker:1883");
        assert_eq!(way("mqtt://broker:7/", MQTT), "mqtt://broker:7");
        assert_eq!(way("mqtt://[::1]", MQTT), "mqtt://::1:1883");
        assert_eq!(way("tcp://[::1]:7", TCP), "tcp://::1:7");
    }

    #[test]
    fn another_url_is_refused_by_what_is_expected() {
        for url in ["", "broker", "http://broker", "mqtt://", "mqtt://:7", "mqtt://u@h", "mqtt://h:port", "mqtt://h/a"]
        {
            let expected = "url: expected mqtt://host[:1883] or mqtts://host[:8883]";
            assert_eq!(way(url, MQTT), expected, "{url}");
        }
        let expected = "url: expected tcp://host:port or tls://host:port";
        assert_eq!(way("tcp://broker", TCP), expected);
        assert_eq!(way("tcp://[::1]", TCP), expected);
    }
}
