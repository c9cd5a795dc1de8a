//! Kafka, as a url says it: `kafka://host:9092,host:9092/topic?group=relay`.

use crate::exit::Failure;
use jkool_client::model::error_chain;
use jkool_kafka::{KafkaSource, KafkaTransport, RecordKey};

const EXPECTED: &str = "expected kafka://host:9092,host:9092/topic";

/// A url's parts. A setting with a point in its name is one of librdkafka's.
#[derive(Debug, PartialEq, Eq)]
struct KafkaUrl<'a> {
    brokers: &'a str,
    topic: &'a str,
    settings: Vec<(&'a str, &'a str)>,
}

fn parse(url: &str) -> Result<KafkaUrl<'_>, Failure> {
    let usage = || Failure::Usage(format!("{url}: {EXPECTED}"));
    let rest = url.strip_prefix("kafka://").ok_or_else(usage)?;
    let (place, settings) = rest.split_once('?').unwrap_or((rest, ""));
    let (brokers, topic) = place.split_once('/').ok_or_else(usage)?;
    if brokers.is_empty() || topic.is_empty() || topic.contains('/') || brokers.contains('@') {
        return Err(usage());
    }
    let settings = settings.split('&').filter(|setting| !setting.is_empty());
    let settings = settings.map(|setting| setting.split_once('=').ok_or_else(usage)).collect::<Result<_, _>>()?;
    Ok(KafkaUrl { brokers, topic, settings })
}

fn unknown(url: &str, name: &str, known: &str) -> Failure {
    Failure::Usage(format!("{url}: {name} is no setting; there are {known} and those of librdkafka"))
}

/// The transport to a topic.
pub(crate) fn transport(url: &str) -> Result<KafkaTransport, Failure> {
    let KafkaUrl { brokers, topic, settings } = parse(url)?;
    let mut builder = KafkaTransport::builder().brokers(brokers).topic(topic);
    for (name, value) in settings {
        builder = match (name, value) {
            ("key", "operation") => builder.key(RecordKey::Operation),
            ("key", "source") => builder.key(RecordKey::Source),
            ("key", "correlator") => builder.key(RecordKey::Correlator),
            ("key", "none") => builder.key(RecordKey::None),
            ("key", _) => {
                return Err(Failure::Usage(format!("{url}: a key is operation, source, correlator or none")));
            }
            (name, value) if name.contains('.') => builder.property(name, value),
            (name, _) => return Err(unknown(url, name, "key")),
        };
    }
    builder.build().map_err(|error| Failure::Usage(format!("{url}: {}", error_chain(&error))))
}

/// A member of the group that reads a topic.
pub(crate) fn source(url: &str) -> Result<KafkaSource, Failure> {
    let KafkaUrl { brokers, topic, settings } = parse(url)?;
    let mut builder = KafkaSource::builder().brokers(brokers).topic(topic);
    for (name, value) in settings {
        builder = match name {
            "group" => builder.group(value),
            name if name.contains('.') => builder.property(name, value),
            name => return Err(unknown(url, name, "group")),
        };
    }
    builder.start().map_err(|error| Failure::Usage(format!("{url}: {}", error_chain(&error))))
}

#[cfg(test)]
mod tests {
    use super::{KafkaUrl, parse, source, transport};

    #[test]
    fn a_url_has_brokers_a_topic_and_settings() {
        let url = parse("kafka://a:1,b:2/orders?group=g&session.timeout.ms=6000").expect("a url");
        let settings = vec![("group", "g"), ("session.timeout.ms", "6000")];
        assert_eq!(url, KafkaUrl { brokers: "a:1,b:2", topic: "orders", settings });
    }

    #[test]
    fn a_wrong_url_is_told() {
        for url in [
            "kafka://",
            "kafka://a:1",
            "kafka://a:1/",
            "kafka:///t",
            "kafka://a/t/u",
            "kafka://me@a/t",
            "kafka://a/t?x",
        ] {
            assert!(parse(url).is_err(), "{url}");
        }
        let error = |url| source(url).expect_err(url).to_string();
        assert!(error("kafka://127.0.0.1:9/t?grup=g").contains("grup is no setting"));
        assert!(error("kafka://127.0.0.1:9/t?group.id=g").contains("group.id"));
        assert!(transport("kafka://127.0.0.1:9/t?key=other").expect_err("a key").to_string().contains("a key is"));
        assert!(transport("kafka://127.0.0.1:9/t?key=source").is_ok());
    }
}
