//! TLS and SASL settings in a url: `security=sasl_tls&mechanism=scram-sha-512&user=relay&password_file=/path&ca=/path`.

use jkool_kafka::{Sasl, Tls};
use std::path::Path;

pub(super) const NAMES: &str =
    "security, mechanism, user, password_file, password_env, ca, certificate and certificate_key";

/// The settings in the url.
#[derive(Debug, Default)]
pub(super) struct Settings<'a> {
    security: Option<&'a str>,
    mechanism: Option<&'a str>,
    user: Option<&'a str>,
    password_file: Option<&'a str>,
    password_env: Option<&'a str>,
    ca: Option<&'a str>,
    certificate: Option<&'a str>,
    certificate_key: Option<&'a str>,
}

/// The validated settings.
#[derive(Debug)]
pub(super) struct Security {
    pub(super) tls: Option<Tls>,
    pub(super) sasl: Option<Sasl>,
}

impl<'a> Settings<'a> {
    /// Stores a setting; returns false if it is unknown.
    pub(super) fn take(&mut self, name: &str, value: &'a str) -> bool {
        let place = match name {
            "security" => &mut self.security,
            "mechanism" => &mut self.mechanism,
            "user" => &mut self.user,
            "password_file" => &mut self.password_file,
            "password_env" => &mut self.password_env,
            "ca" => &mut self.ca,
            "certificate" => &mut self.certificate,
            "certificate_key" => &mut self.certificate_key,
            _ => return false,
        };
        *place = Some(value);
        true
    }

    /// Validates the settings, and reads the password. `ca` is the default for the certificate authorities.
    ///
    /// # Errors
    /// Names the invalid setting.
    pub(super) fn read(&self, ca: Option<&Path>) -> Result<Security, String> {
        let (has_tls, has_sasl) = match self.security {
            None | Some("plaintext") => (false, false),
            Some("tls") => (true, false),
            Some("sasl_tls") => (true, true),
            Some("sasl_plaintext") => (false, true),
            Some(other) => {
                return Err(format!("security={other}: expected plaintext, tls, sasl_tls or sasl_plaintext"));
            }
        };
        let of_tls = [("ca", self.ca), ("certificate", self.certificate), ("certificate_key", self.certificate_key)];
        let of_sasl = [
            ("mechanism", self.mechanism),
            ("user", self.user),
            ("password_file", self.password_file),
            ("password_env", self.password_env),
        ];
        let first =
            |settings: &[(&'static str, Option<&str>)]| settings.iter().find_map(|(name, value)| value.map(|_| *name));
        if let Some(name) = first(&of_tls).filter(|_| !has_tls) {
            return Err(format!("{name} requires security=tls or sasl_tls"));
        }
        if let Some(name) = first(&of_sasl).filter(|_| !has_sasl) {
            return Err(format!("{name} requires security=sasl_tls or sasl_plaintext"));
        }
        let tls = if has_tls { Some(self.tls(ca)?) } else { None };
        let sasl = if has_sasl { Some(self.sasl()?) } else { None };
        Ok(Security { tls, sasl })
    }

    fn tls(&self, ca: Option<&Path>) -> Result<Tls, String> {
        let tls = match self.ca.map(Path::new).or(ca) {
            Some(path) => Tls::new().authorities(path),
            None => Tls::new(),
        };
        match (self.certificate, self.certificate_key) {
            (None, None) => Ok(tls),
            (Some(certificate), Some(key)) => Ok(tls.client_certificate(certificate, key)),
            _ => Err("certificate and certificate_key must be used together".into()),
        }
    }

    fn sasl(&self) -> Result<Sasl, String> {
        let user = self.user.filter(|user| !user.is_empty()).ok_or("SASL requires user")?;
        let password = self.password()?;
        match self.mechanism {
            Some("plain") => Ok(Sasl::plain(user, password)),
            Some("scram-sha-256") => Ok(Sasl::scram_sha_256(user, password)),
            Some("scram-sha-512") => Ok(Sasl::scram_sha_512(user, password)),
            Some(other) => Err(format!("mechanism={other}: expected plain, scram-sha-256 or scram-sha-512")),
            None => Err("SASL requires mechanism: plain, scram-sha-256 or scram-sha-512".into()),
        }
    }

    /// The text of the file without trailing line breaks, or of the variable.
    fn password(&self) -> Result<String, String> {
        let password = match (self.password_file, self.password_env) {
            (Some(file), None) => {
                let text = std::fs::read_to_string(file).map_err(|error| format!("password_file={file}: {error}"))?;
                text.trim_end_matches(['\n', '\r']).to_owned()
            }
            (None, Some(name)) => {
                // The error for a variable that is not UTF-8 would contain its value.
                std::env::var(name)
                    .map_err(|_| format!("password_env={name}: the variable is not set, or not UTF-8"))?
            }
            (None, None) => return Err("SASL requires password_file or password_env".into()),
            (Some(_), Some(_)) => return Err("password_file and password_env can't be used together".into()),
        };
        if password.is_empty() { Err("the password is empty".into()) } else { Ok(password) }
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    fn read(settings: &str) -> Result<String, String> {
        let mut all = Settings::default();
        for (name, value) in settings.split('&').filter_map(|setting| setting.split_once('=')) {
            assert!(all.take(name, value), "{name}");
        }
        all.read(Some("/authorities.pem".as_ref())).map(|security| format!("{security:?}"))
    }

    #[test]
    fn settings_say_who_the_brokers_are_and_who_we_are() {
        assert_eq!(read("").as_deref(), Ok("Security { tls: None, sasl: None }"));
        let tls = read("security=tls").expect("TLS");
        assert!(tls.contains("/authorities.pem") && tls.contains("sasl: None"), "{tls}");
        let tls = read("security=tls&ca=/own.pem&certificate=/c.pem&certificate_key=/k.pem").expect("TLS");
        assert!(["/own.pem", "/c.pem", "/k.pem"].iter().all(|path| tls.contains(path)), "{tls}");
        // Cargo sets it.
        let sasl = "&user=me&password_env=CARGO_PKG_NAME";
        for (mechanism, said) in
            [("plain", "PLAIN"), ("scram-sha-256", "SCRAM-SHA-256"), ("scram-sha-512", "SCRAM-SHA-512")]
        {
            let both = read(&format!("security=sasl_tls&mechanism={mechanism}{sasl}")).expect("both");
            assert!(both.contains("Tls") && both.contains(said) && !both.contains("jkool-cli"), "{both}");
        }
        let bare = read(&format!("security=sasl_plaintext&mechanism=plain{sasl}")).expect("SASL");
        assert!(bare.contains("tls: None") && bare.contains("PLAIN"), "{bare}");
    }

    #[test]
    fn an_error_names_the_setting() {
        for (settings, said) in [
            ("security=ssl", "security=ssl: expected"),
            ("ca=/c.pem", "ca goes with security=tls"),
            ("security=sasl_plaintext&ca=/c.pem", "ca goes with"),
            ("security=tls&certificate=/c.pem", "certificate and certificate_key"),
            ("security=tls&user=me", "user goes with security=sasl_tls"),
            ("security=sasl_tls", "user is needed"),
            ("security=sasl_tls&user=me", "password_file or password_env"),
            ("security=sasl_tls&user=me&password_file=/no/such/file", "password_file=/no/such/file"),
            ("security=sasl_tls&user=me&password_file=/dev/null", "password is empty"),
            ("security=sasl_tls&user=me&password_env=JKOOL_NO_SUCH_THING", "password_env=JKOOL_NO_SUCH_THING"),
            ("security=sasl_tls&user=me&password_env=A&password_file=/b", "exclude each other"),
            ("security=sasl_tls&user=me&password_env=CARGO_PKG_NAME", "mechanism is needed"),
            ("security=sasl_tls&user=me&password_env=CARGO_PKG_NAME&mechanism=gssapi", "mechanism=gssapi: expected"),
        ] {
            let error = read(settings).expect_err(settings);
            assert!(error.contains(said), "{settings}: {error}");
        }
    }
}
