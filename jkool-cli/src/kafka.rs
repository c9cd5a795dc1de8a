//! Kafka settings in a url: `kafka://host:9092,host:9092/topic?group=relay`.

mod security;

use crate::exit::Failure;
use crate::server::Server;
use jkool_client::model::error_chain;
use jkool_client::transport::TransportError;
use jkool_kafka::{KafkaSource, KafkaTransport, RecordKey};
use security::{NAMES, Settings};

const EXPECTED: &str = "expected kafka://host:9092,host:9092/topic";

/// The parts of a url.
#[derive(Debug, Default)]
struct KafkaUrl<'a> {
    /// The url without its settings. Errors quote only this, because settings may be secret.
    place: &'a str,
    brokers: &'a str,
    topic: &'a str,
    /// The value of the setting `own`, which only a transport or only a source has.
    own: Option<&'a str>,
    /// Settings of librdkafka, which have a dot in their names.
    properties: Vec<(&'a str, &'a str)>,
    security: Settings<'a>,
}

impl KafkaUrl<'_> {
    fn wrong(&self, reason: &str) -> Failure {
        Failure::Usage(format!("{}: {reason}", self.place))
    }

    fn refused(&self, error: &TransportError) -> Failure {
        self.wrong(&error_chain(error))
    }
}

/// Parses a url with the common settings and one called `own`.
fn parse<'a>(url: &'a str, own: &str) -> Result<KafkaUrl<'a>, Failure> {
    let (place, settings) = url.split_once('?').unwrap_or((url, ""));
    let mut parsed = KafkaUrl { place, ..KafkaUrl::default() };
    let rest = place.strip_prefix("kafka://").and_then(|rest| rest.split_once('/'));
    (parsed.brokers, parsed.topic) = rest.ok_or_else(|| parsed.wrong(EXPECTED))?;
    if parsed.brokers.contains('@') {
        parsed.place = "kafka://";
        return Err(parsed.wrong("set the user as user=name&password_file=/path"));
    }
    if parsed.brokers.is_empty() || parsed.topic.is_empty() || parsed.topic.contains('/') {
        return Err(parsed.wrong(EXPECTED));
    }
    for setting in settings.split('&').filter(|setting| !setting.is_empty()) {
        match setting.split_once('=') {
            Some((name, value)) if name == own => parsed.own = Some(value),
            Some((name, value)) if name.contains('.') => parsed.properties.push((name, value)),
            Some(("password", _)) => {
                return Err(parsed.wrong("set the password as password_file=/path or password_env=NAME"));
            }
            Some((name, value)) if parsed.security.take(name, value) => {}
            Some((name, _)) => {
                let known = format!("unknown setting {name}; expected {own}, {NAMES}, or a setting of librdkafka");
                return Err(parsed.wrong(&known));
            }
            None => return Err(parsed.wrong("expected name=value")),
        }
    }
    Ok(parsed)
}

/// Applies the settings that a transport and a source share.
macro_rules! set {
    ($builder:expr, $url:expr, $server:expr) => {{
        let mut builder = $builder.brokers($url.brokers).topic($url.topic);
        for (name, value) in &$url.properties {
            builder = builder.property(*name, *value);
        }
        let security = $url.security.read($server.ca_cert.as_deref()).map_err(|reason| $url.wrong(&reason))?;
        // The url says explicitly that there is no TLS.
        builder = builder.allow_plaintext_password(security.tls.is_none());
        if let Some(tls) = security.tls {
            builder = builder.tls(tls);
        }
        if let Some(sasl) = security.sasl {
            builder = builder.sasl(sasl);
        }
        builder
    }};
}

/// The transport to a topic.
pub(crate) fn transport(url: &str, server: &Server) -> Result<KafkaTransport, Failure> {
    let url = parse(url, "key")?;
    let key = match url.own {
        None | Some("operation") => RecordKey::Operation,
        Some("source") => RecordKey::Source,
        Some("correlator") => RecordKey::Correlator,
        Some("none") => RecordKey::None,
        Some(_) => return Err(url.wrong("key: expected operation, source, correlator or none")),
    };
    set!(KafkaTransport::builder(), url, server).key(key).build().map_err(|error| url.refused(&error))
}

/// A member of the group that reads a topic.
pub(crate) fn source(url: &str, server: &Server) -> Result<KafkaSource, Failure> {
    let url = parse(url, "group")?;
    let mut builder = set!(KafkaSource::builder(), url, server);
    if let Some(group) = url.own {
        builder = builder.group(group);
    }
    builder.start().map_err(|error| url.refused(&error))
}

#[cfg(test)]
mod tests {
    use super::{parse, source, transport};
    use crate::server::Server;

    const SERVER: Server = Server { url: None, token_file: None, ca_cert: None };

    #[test]
    fn a_url_has_brokers_a_topic_and_settings() {
        let url = parse("kafka://a:1,b:2/orders?group=g&session.timeout.ms=6000&security=tls", "group").expect("a url");
        assert_eq!((url.brokers, url.topic, url.own), ("a:1,b:2", "orders", Some("g")));
        assert_eq!(url.properties, [("session.timeout.ms", "6000")]);
        assert!(url.security.read(None).expect("TLS").tls.is_some());
    }

    #[test]
    fn a_wrong_url_is_told_and_no_secret_in_it() {
        for (url, said) in [
            ("kafka://", "expected kafka://"),
            ("kafka://a:1", "expected kafka://"),
            ("kafka://a:1/", "expected kafka://"),
            ("kafka:///t", "expected kafka://"),
            ("kafka://a/t/u", "expected kafka://"),
            ("kafka://me:canary-1@a/t", "user=name"),
            ("kafka://a/t?canary-1", "name=value"),
            ("kafka://a:1/t?grup=canary-1", "grup is no setting"),
            ("kafka://a:1/t?password=canary-1", "password_file"),
            ("kafka://a:1/t?sasl.password=canary-1", "sasl.password"),
            ("kafka://a:1/t?security=tls&user=canary-1", "user goes with"),
            ("kafka://a:1/t?security=tls&ca=/no/such/file.pem", "ssl.ca.location"),
        ] {
            let errors = [transport(url, &SERVER).expect_err(url), source(url, &SERVER).expect_err(url)];
            for error in errors.map(|error| error.to_string()) {
                assert!(error.contains(said) && !error.contains("canary"), "{url}: {error}");
            }
        }
        assert!(source("kafka://a:1/t?group.id=g", &SERVER).expect_err("a property").to_string().contains("group.id"));
        assert!(source("kafka://a:1/t?key=source", &SERVER).expect_err("a key").to_string().contains("key is no"));
        let error = transport("kafka://127.0.0.1:9/t?key=other", &SERVER).expect_err("a key").to_string();
        assert!(error.contains("a key is operation"), "{error}");
        assert!(transport("kafka://127.0.0.1:9/t?key=source", &SERVER).is_ok());
    }
}
