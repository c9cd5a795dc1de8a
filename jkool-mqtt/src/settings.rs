//! Which broker, and who asks: what a transport and a source have in common.

use crate::MqttVersion;
use crate::packet::Connect;
use bytes::Bytes;
use jkool_transport::{Connector, ConnectorBuilder, ErrorKind, Schemes, TransportError};
use std::time::Duration;

const SCHEMES: Schemes = Schemes { plain: ("mqtt", Some(1883)), tls: ("mqtts", Some(8883)) };

/// How long a broker of MQTT 5 remembers a client whose identifier was made here, and which never comes back.
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

    /// Checks the settings.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] says which is wrong.
    pub(crate) fn build(self, receive_maximum: u16, max_packet: usize) -> Result<(Connector, Connect), TransportError> {
        if self.server.is_empty() {
            return Err(config_error("no server is set"));
        }
        let connector = self.connector.build(&self.server, SCHEMES)?;
        if self.credentials.is_some() && !connector.is_encrypted() && !self.allow_plaintext_password {
            return Err(config_error("a password without TLS: use mqtts, or allow_plaintext_password"));
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
            return Err(config_error("the client_id or the user holds U+0000, which MQTT does not allow"));
        }
        let is_generated = self.client_id.is_none();
        let connect = Connect {
            version: self.version,
            client_id: self.client_id.unwrap_or_else(generated_id),
            // With 3.1.1 a broker would have to remember an identifier that never comes back for good.
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

/// Of those letters and of that length that every broker takes.
fn generated_id() -> String {
    format!("jkool{:016x}", fastrand::u64(..))
}

pub(crate) fn config_error(text: &str) -> TransportError {
    TransportError::new(ErrorKind::Config, text)
}

/// The setters that both builders have, for a field `settings`.
macro_rules! setters {
    () => {
        /// The broker, as `mqtt://host[:1883]` or, by TLS, `mqtts://host[:8883]`. Needed.
        pub fn server(mut self, url: impl Into<String>) -> Self {
            self.settings.server = url.into();
            self
        }

        /// The version of the protocol. MQTT 5 by default.
        pub fn version(mut self, version: $crate::MqttVersion) -> Self {
            self.settings.version = version;
            self
        }

        /// How long a broker of MQTT 5 keeps the session of a client with a set identifier after a connection: an hour by
        /// default, in whole seconds. A broker of MQTT 3.1.1 has a setting of its own for that.
        pub fn session_expiry(mut self, expiry: std::time::Duration) -> Self {
            self.settings.session_expiry = expiry;
            self
        }

        /// After how long without a packet a ping is sent, so that both sides notice when the other is gone: 60 seconds by
        /// default, in whole seconds, at most 18 hours; zero is never. A broker of MQTT 5 may have it otherwise.
        pub fn keep_alive(mut self, interval: std::time::Duration) -> Self {
            self.settings.keep_alive = interval;
            self
        }

        /// Says who the client is. It needs TLS, unless [`allow_plaintext_password`](Self::allow_plaintext_password) says
        /// otherwise.
        pub fn credentials(mut self, user: impl Into<String>, password: impl Into<Vec<u8>>) -> Self {
            self.settings.credentials = Some((user.into(), password.into().into()));
            self
        }

        /// Sends the password without TLS too, which is refused otherwise: everyone on the way can read it.
        pub fn allow_plaintext_password(mut self, allow: bool) -> Self {
            self.settings.allow_plaintext_password = allow;
            self
        }

        /// How long it may take until there is a connection, and then until the broker has consented to it. 10 seconds each by
        /// default.
        pub fn connect_timeout(mut self, timeout: std::time::Duration) -> Self {
            self.settings.connector.timeout(timeout);
            self
        }

        /// Trusts these certificate authorities too, besides those of the platform: text in PEM. Further calls add to it.
        pub fn ca_certificate_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
            self.settings.connector.ca_certificate_pem(pem.into());
            self
        }

        /// The same from a file, which is read again when it has changed.
        pub fn ca_certificate_file(mut self, path: impl Into<std::path::PathBuf>) -> Self {
            self.settings.connector.ca_certificate_file(path.into());
            self
        }

        /// Shows this certificate to a broker that asks for one: two files in PEM, which are read again when they have changed.
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
