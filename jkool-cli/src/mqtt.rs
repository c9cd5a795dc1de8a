//! MQTT settings in a url: `mqtts://user@host:8883/jkool/#?client_id=relay-1&password_file=/etc/jkool/mqtt`.

use crate::exit::Failure;
use crate::server::Server;
use jkool_client::model::error_chain;
use jkool_client::transport::TransportError;
use jkool_mqtt::{MqttSource, MqttTransport, MqttVersion};

const EXPECTED: &str = "expected mqtt://host:1883/topic or, by TLS, mqtts://user@host:8883/topic?password_file=/path";

/// The parts of a url.
#[derive(Debug, PartialEq, Eq, Default)]
struct MqttUrl {
    server: String,
    topic: String,
    user: Option<String>,
    client_id: Option<String>,
    password_file: Option<String>,
    version: MqttVersion,
}

fn parse(url: &str) -> Result<MqttUrl, Failure> {
    let usage = |reason: &str| Failure::Usage(format!("{url}: {reason}"));
    let (scheme, rest) = url.split_once("://").ok_or_else(|| usage(EXPECTED))?;
    // A topic may contain #, so it does not begin a fragment.
    let (place, settings) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, topic) = place.split_once('/').ok_or_else(|| usage(EXPECTED))?;
    let (user, host) = host.rsplit_once('@').map_or((None, host), |(user, host)| (Some(user.to_owned()), host));
    if host.is_empty() || topic.is_empty() {
        return Err(usage(EXPECTED));
    }
    if user.as_ref().is_some_and(|user| user.contains(':')) {
        // The error must not contain the password.
        return Err(Failure::Usage(format!("{scheme}://: set the password as password_file=/path")));
    }
    let server = format!("{scheme}://{host}");
    let mut parsed = MqttUrl { server, topic: topic.to_owned(), user, ..MqttUrl::default() };
    for setting in settings.split('&').filter(|setting| !setting.is_empty()) {
        match setting.split_once('=') {
            Some(("client_id", id)) => parsed.client_id = Some(id.to_owned()),
            Some(("password_file", file)) => parsed.password_file = Some(file.to_owned()),
            Some(("version", "5")) => parsed.version = MqttVersion::V5,
            Some(("version", "3.1.1")) => parsed.version = MqttVersion::V311,
            Some(("version", _)) => return Err(usage("version: expected 5 or 3.1.1")),
            _ => {
                let reason = format!("unknown setting {setting}; expected client_id, password_file or version");
                return Err(usage(&reason));
            }
        }
    }
    if parsed.user.is_some() != parsed.password_file.is_some() {
        return Err(usage("a user and password_file must be used together"));
    }
    Ok(parsed)
}

impl MqttUrl {
    /// The user and the password; the latter is the text of a file without trailing line breaks.
    fn credentials(&self) -> Result<Option<(String, Vec<u8>)>, Failure> {
        let (Some(user), Some(file)) = (&self.user, &self.password_file) else { return Ok(None) };
        let mut password = std::fs::read(file).map_err(|error| Failure::Usage(format!("{file}: {error}")))?;
        while matches!(password.last(), Some(b'\n' | b'\r')) {
            password.pop();
        }
        Ok(Some((user.clone(), password)))
    }
}

/// Applies the settings that a transport and a source share.
macro_rules! set {
    ($builder:expr, $url:expr, $server:expr) => {{
        let mut builder = $builder.server(&*$url.server).topic(&*$url.topic).version($url.version);
        if let Some(id) = &$url.client_id {
            builder = builder.client_id(&**id);
        }
        if let Some((user, password)) = $url.credentials()? {
            builder = builder.credentials(user, password);
        }
        if let Some(pem) = $server.authorities()? {
            builder = builder.ca_certificate_pem(pem);
        }
        builder
    }};
}

fn wrong(url: &str) -> impl Fn(TransportError) -> Failure {
    move |error| Failure::Usage(format!("{url}: {}", error_chain(&error)))
}

/// A transport to a topic, which may have placeholders, such as `jkool/{source}`.
pub(crate) fn transport(url: &str, server: &Server) -> Result<MqttTransport, Failure> {
    let parsed = parse(url)?;
    set!(MqttTransport::builder(), parsed, server).build().map_err(wrong(url))
}

/// A source that reads topics, with a client_id by which the broker recognizes it.
pub(crate) fn source(url: &str, server: &Server) -> Result<MqttSource, Failure> {
    let parsed = parse(url)?;
    set!(MqttSource::builder(), parsed, server).build().map_err(wrong(url))
}

#[cfg(test)]
mod tests {
    use super::{MqttUrl, parse, source, transport};
    use crate::server::Server;
    use jkool_mqtt::MqttVersion;

    #[test]
    fn a_url_has_a_server_a_topic_and_settings() {
        let url = parse("mqtts://me@host:8884/$share/relays/jkool/#?client_id=r&version=3.1.1&password_file=/p");
        let expected = MqttUrl {
            server: "mqtts://host:8884".into(),
            topic: "$share/relays/jkool/#".into(),
            user: Some("me".into()),
            client_id: Some("r".into()),
            password_file: Some("/p".into()),
            version: MqttVersion::V311,
        };
        assert_eq!(url.expect("a url"), expected);
    }

    #[test]
    fn a_wrong_url_is_told() {
        let server = Server { url: None, token_file: None, ca_cert: None };
        for (url, said) in [
            ("mqtt://host", "expected mqtt://"),
            ("mqtt:///topic", "expected mqtt://"),
            ("mqtt://me:secret@host/t", "password_file"),
            ("mqtt://me@host/t", "used together"),
            ("mqtt://host/t?qos=2", "unknown setting qos=2"),
            ("mqtt://host/t?version=4", "5 or 3.1.1"),
            ("mqtt://me@host/t?password_file=/no/such/file", "/no/such/file"),
        ] {
            let error = transport(url, &server).expect_err(url).to_string();
            assert!(error.contains(said) && !error.contains("secret@"), "{url}: {error}");
        }
        assert!(source("mqtt://host/jkool/#", &server).expect_err("an id").to_string().contains("client_id"));
        assert!(source("mqtt://host/jkool/#?client_id=relay", &server).is_ok());
    }
}
