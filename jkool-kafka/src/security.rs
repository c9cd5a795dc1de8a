//! TLS and SASL: authentication of the brokers and of the client.

use crate::builder::config_error;
use jkool_transport::TransportError;
use rdkafka::config::ClientConfig;
use std::fmt;
use std::path::{Path, PathBuf};

/// TLS settings. By default, the system's certificate authorities are trusted.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    authorities: Option<PathBuf>,
    certificate: Option<(PathBuf, PathBuf)>,
}

impl Tls {
    /// Uses TLS with the system's certificate authorities.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the certificate authorities to trust instead of the system's: a PEM file with certificates, or a folder of such files.
    pub fn authorities(mut self, path: impl Into<PathBuf>) -> Self {
        self.authorities = Some(path.into());
        self
    }

    /// Sets the client's certificate and private key (PEM files), for brokers that require a client certificate.
    pub fn client_certificate(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.certificate = Some((certificate.into(), key.into()));
        self
    }
}

/// SASL settings: a user, a password, and the mechanism.
#[derive(Clone)]
pub struct Sasl {
    mechanism: &'static str,
    user: String,
    password: String,
}

impl Sasl {
    /// Uses PLAIN, which sends the password to the broker.
    pub fn plain(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self { mechanism: "PLAIN", user: user.into(), password: password.into() }
    }

    /// Uses SCRAM-SHA-256, which proves to the broker that the client knows the password, without sending it.
    pub fn scram_sha_256(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self { mechanism: "SCRAM-SHA-256", user: user.into(), password: password.into() }
    }

    /// Uses SCRAM-SHA-512, which is like SCRAM-SHA-256 with a longer hash.
    pub fn scram_sha_512(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self { mechanism: "SCRAM-SHA-512", user: user.into(), password: password.into() }
    }
}

/// Omits user and password.
impl fmt::Debug for Sasl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sasl").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

#[derive(Default)]
pub(crate) struct Security {
    pub(crate) tls: Option<Tls>,
    pub(crate) sasl: Option<Sasl>,
    pub(crate) allow_plaintext_password: bool,
}

impl Security {
    pub(crate) fn apply(&self, config: &mut ClientConfig) -> Result<(), TransportError> {
        let protocol = match (&self.tls, &self.sasl) {
            (None, None) => "plaintext",
            (Some(_), None) => "ssl",
            (Some(_), Some(_)) => "sasl_ssl",
            (None, Some(_)) if self.allow_plaintext_password => "sasl_plaintext",
            (None, Some(_)) => {
                return Err(config_error("a password needs TLS; set tls, or allow_plaintext_password"));
            }
        };
        config.set("security.protocol", protocol);
        if let Some(tls) = &self.tls {
            if let Some(authorities) = &tls.authorities {
                config.set("ssl.ca.location", text(authorities)?);
            }
            if let Some((certificate, key)) = &tls.certificate {
                config.set("ssl.certificate.location", text(certificate)?).set("ssl.key.location", text(key)?);
            }
        }
        if let Some(Sasl { mechanism, user, password }) = &self.sasl {
            config.set("sasl.mechanism", *mechanism).set("sasl.username", user).set("sasl.password", password);
        }
        Ok(())
    }
}

fn text(path: &Path) -> Result<&str, TransportError> {
    path.to_str().ok_or_else(|| config_error(&format!("the path {} is not UTF-8", path.display())))
}

/// Defines the setters that both builders share, for a field `security`.
macro_rules! setters {
    () => {
        /// Connects with TLS. The certificates of the brokers are always verified.
        pub fn tls(mut self, tls: $crate::Tls) -> Self {
            self.security.tls = Some(tls);
            self
        }

        /// Authenticates with a user and a password. This requires TLS, unless
        /// [`allow_plaintext_password`](Self::allow_plaintext_password) is set.
        pub fn sasl(mut self, sasl: $crate::Sasl) -> Self {
            self.security.sasl = Some(sasl);
            self
        }

        /// Allows authentication without TLS. It is refused by default, because anyone on the network path can read a password of PLAIN.
        pub fn allow_plaintext_password(mut self, allow: bool) -> Self {
            self.security.allow_plaintext_password = allow;
            self
        }
    };
}
pub(crate) use setters;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KafkaTransport;

    fn protocol(security: Security) -> Result<String, TransportError> {
        let mut config = ClientConfig::new();
        security.apply(&mut config)?;
        Ok(config.get("security.protocol").expect("a protocol").to_owned())
    }

    #[test]
    fn a_password_travels_by_tls_unless_it_is_said_otherwise() {
        let (tls, sasl) = (Some(Tls::new()), Some(Sasl::plain("user", "canary-1")));
        let both = Security { tls, sasl: sasl.clone(), ..Security::default() };
        assert_eq!(protocol(both).expect("a config"), "sasl_ssl");
        let bare = Security { sasl: sasl.clone(), ..Security::default() };
        assert!(protocol(bare).expect_err("no TLS").to_string().contains("allow_plaintext_password"));
        let allowed = Security { sasl, allow_plaintext_password: true, ..Security::default() };
        assert_eq!(protocol(allowed).expect("a config"), "sasl_plaintext");
    }

    #[test]
    fn each_mechanism_is_built_and_shows_no_password() {
        for sasl in [
            Sasl::plain("user", "canary-1"),
            Sasl::scram_sha_256("user", "canary-1"),
            Sasl::scram_sha_512("user", "canary-1"),
        ] {
            assert!(!format!("{sasl:?}").contains("canary"));
            let builder = KafkaTransport::builder().brokers("127.0.0.1:9").topic("t").tls(Tls::new()).sasl(sasl);
            let transport = builder.build().expect("a transport");
            assert!(!format!("{transport:?}").contains("canary"));
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_told() {
        let tls = Tls::new().authorities("/no/such/file.pem");
        let builder = KafkaTransport::builder().brokers("127.0.0.1:9").topic("t").tls(tls);
        let error = builder.build().expect_err("no file").to_string();
        assert!(error.contains("ssl.ca.location"), "{error}");
    }
}
