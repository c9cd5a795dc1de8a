//! The settings that a transport and a source share: broker, session, authentication, TLS.

use crate::MqttVersion;
use crate::packet::Connect;
use bytes::Bytes;
use jkool_transport::{Connector, ConnectorBuilder, ErrorKind, Schemes, TransportError};
use std::time::Duration;

const SCHEMES: Schemes = Schemes { plain: ("mqtt", Some(1883)), tls: ("mqtts", Some(8883)) };

/// The session expiry for generated client identifiers, which are never used again (MQTT 5).
const GENERATED_EXPIRY: Duration = Duration::from_secs(5 * 60);

pub(crate) struct Settings {
    pub(crate) server: String,
    pub(crate) connector: ConnectorBuilder,
    pub(crate) version: MqttVersion,
    pub(crate) client_id: Option<String>,
    pub(crate) session_expiry: Duration,
    pub(crate) keep_alive: Duration,
    pub(crate) credentials: Option<(String, Bytes)>,
    pub(crate) allow_plaintext_password: bool,
}

impl Settings {
    pub(crate) fn new() -> Self {
        Self {
            server: String::new(),
            connector: ConnectorBuilder::default(),
            version: MqttVersion::default(),
            client_id: None,
            session_expiry: Duration::from_secs(60 * 60),
            keep_alive: Duration::from_secs(60),
            credentials: None,
            allow_plaintext_password: false,
        }
    }

    /// Validates the settings.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Config`], and says which setting is invalid.
    pub(crate) fn build(self, receive_maximum: u16, max_packet: usize) -> Result<(Connector, Connect), TransportError> {
        if self.server.is_empty() {
            return Err(config_error("no server is set"));
        }
        let connector = self.connector.build(&self.server, SCHEMES)?;
        if self.credentials.is_some() && !connector.is_encrypted() && !self.allow_plaintext_password {
            return Err(config_error("a password needs TLS; use mqtts, or allow_plaintext_password"));
        }
        let (user, password) = self.credentials.as_ref().map(|(user, password)| (user.len(), password.len())).unzip();
        let client_id = self.client_id.as_ref().map(String::len);
        for (name, len) in [("client_id", client_id), ("user", user), ("password", password)] {
            if len.is_some_and(|len| len > usize::from(u16::MAX)) {
                return Err(config_error(&format!("the {name} is longer than the 65,535 bytes that MQTT allows")));
            }
        }
        let texts = [self.client_id.as_deref(), self.credentials.as_ref().map(|(user, _)| &**user)];
        if texts.into_iter().flatten().any(|text| text.contains('\0')) {
            return Err(config_error("the client_id or the user contains U+0000, which MQTT does not allow"));
        }
        let is_generated = self.client_id.is_none();
        let connect = Connect {
            version: self.version,
            client_id: self.client_id.unwrap_or_else(generated_id),
            // A broker of 3.1.1 would keep the session of a generated identifier forever, although it is never used again.
            clean: is_generated && self.version == MqttVersion::V311,
            session_expiry: if is_generated { GENERATED_EXPIRY } else { self.session_expiry },
            keep_alive: u16::try_from(self.keep_alive.as_secs()).unwrap_or(u16::MAX),
            receive_maximum,
            max_packet,
            user: self.credentials,
        };
        Ok((connector, connect))
    }
}

/// Generates an identifier with the characters and the length that every broker accepts.
fn generated_id() -> String {
    format!("jkool{:016x}", fastrand::u64(..))
}

pub(crate) fn config_error(text: &str) -> TransportError {
    TransportError::new(ErrorKind::Config, text)
}

/// Defines the setters that both builders share, for a field `settings`.
macro_rules! setters {
    () => {
        /// Sets the broker, as `mqtt://host[:1883]` or, with TLS, `mqtts://host[:8883]`. Required.
        pub fn server(mut self, url: impl Into<String>) -> Self {
            self.settings.server = url.into();
            self
        }

        /// Sets the version of the protocol. Default: MQTT 5.
        pub fn version(mut self, version: $crate::MqttVersion) -> Self {
            self.settings.version = version;
            self
        }

        /// Sets how long an MQTT 5 broker keeps the session after the connection has ended, in whole seconds. Default: one hour. It applies
        /// if a client identifier is set. With MQTT 3.1.1 this is a setting of the broker.
        pub fn session_expiry(mut self, expiry: std::time::Duration) -> Self {
            self.settings.session_expiry = expiry;
            self
        }

        /// Sets after how long without a packet a ping is sent, so that both sides detect a broken connection. In whole seconds, at most
        /// 18 hours; zero disables pings. Default: 60 seconds. An MQTT 5 broker may override this setting.
        pub fn keep_alive(mut self, interval: std::time::Duration) -> Self {
            self.settings.keep_alive = interval;
            self
        }

        /// Sets user and password. This requires TLS, unless [`allow_plaintext_password`](Self::allow_plaintext_password) is set.
        pub fn credentials(mut self, user: impl Into<String>, password: impl Into<Vec<u8>>) -> Self {
            self.settings.credentials = Some((user.into(), password.into().into()));
            self
        }

        /// Allows sending the password without TLS. It is refused by default, because anyone on the network path can read the password.
        pub fn allow_plaintext_password(mut self, allow: bool) -> Self {
            self.settings.allow_plaintext_password = allow;
            self
        }

        /// Sets the timeout for establishing a connection, and the timeout for the broker's CONNACK after that. Default: 10 seconds each.
        pub fn connect_timeout(mut self, timeout: std::time::Duration) -> Self {
            self.settings.connector.timeout(timeout);
            self
        }

        /// Adds certificate authorities in PEM format to trust, besides those of the platform. Further calls add more.
        pub fn ca_certificate_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
            self.settings.connector.ca_certificate_pem(pem.into());
            self
        }

        /// Adds the certificate authorities in a PEM file, which is read again when it changes.
        pub fn ca_certificate_file(mut self, path: impl Into<std::path::PathBuf>) -> Self {
            self.settings.connector.ca_certificate_file(path.into());
            self
        }

        /// Sets the client certificate and its key, for brokers that require one: two PEM files, which are read again when they change.
        pub fn client_identity_files(
            mut self,
            chain: impl Into<std::path::PathBuf>,
            key: impl Into<std::path::PathBuf>,
        ) -> Self {
            self.settings.connector.client_identity_files(chain.into(), key.into());
            self
        }
    };
}
pub(crate) use setters;
