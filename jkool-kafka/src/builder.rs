//! The settings of a Kafka transport, and their validation.

use crate::key::RecordKey;
use crate::security::{Security, setters};
use crate::transport::KafkaTransport;
use jkool_transport::{ErrorKind, TransportError};
use rdkafka::config::ClientConfig;
use std::time::Duration;

/// Properties that cannot be set, because the guarantees depend on them or because they have their own setters.
const RESERVED: [&str; 14] = [
    "acks",
    "bootstrap.servers",
    "client.id",
    "compression.codec",
    "compression.type",
    "delivery.timeout.ms",
    "enable.idempotence",
    "linger.ms",
    "message.max.bytes",
    "message.timeout.ms",
    "metadata.broker.list",
    "queue.buffering.max.kbytes",
    "queue.buffering.max.ms",
    "request.required.acks",
];

/// The compression of batches of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Compression {
    /// No compression.
    #[default]
    None,
    /// Gzip: a high compression ratio, but slow.
    Gzip,
    /// Snappy.
    Snappy,
    /// LZ4: fast.
    Lz4,
    /// By Zstandard: smaller than by gzip, and faster.
    Zstd,
}

impl Compression {
    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

/// A builder for a [`KafkaTransport`]; [`KafkaTransport::builder`] creates it. If a setter is called twice, the last call counts.
#[must_use = "a builder does nothing until build"]
pub struct KafkaTransportBuilder {
    brokers: String,
    topic: String,
    key: RecordKey,
    client_id: String,
    max_batch: usize,
    max_message_bytes: usize,
    timeout: Duration,
    linger: Duration,
    compression: Compression,
    security: Security,
    properties: Vec<(String, String)>,
}

impl KafkaTransportBuilder {
    pub(crate) fn new() -> Self {
        Self {
            brokers: String::new(),
            topic: String::new(),
            key: RecordKey::default(),
            client_id: "jkool".into(),
            max_batch: 2000,
            max_message_bytes: 1_000_000,
            timeout: Duration::from_secs(30),
            linger: Duration::from_millis(5),
            compression: Compression::default(),
            security: Security::default(),
            properties: Vec::new(),
        }
    }

    /// Sets some brokers of the cluster, as a comma-separated list of `host:port`. The client discovers the others. Required.
    pub fn brokers(mut self, brokers: impl Into<String>) -> Self {
        self.brokers = brokers.into();
        self
    }

    /// Sets the topic to write to. Required.
    pub fn topic(mut self, topic: impl Into<String>) -> Self {
        self.topic = topic.into();
        self
    }

    /// Sets what becomes the key of a record. Order is kept among records with the same key. Default: the operation.
    pub fn key(mut self, key: RecordKey) -> Self {
        self.key = key;
        self
    }

    /// Sets the client id, which brokers use for logs and quotas. Default: `jkool`.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = id.into();
        self
    }

    /// Sets how many payloads are handed to librdkafka before the transport waits for their delivery reports. Default: 2,000; 0 counts
    /// as 1. After a failure, later payloads of the same group may have been delivered although an earlier one was not.
    pub fn max_batch(mut self, max: usize) -> Self {
        self.max_batch = max.max(1);
        self
    }

    /// Sets the maximum size of a record in bytes, including its key. A larger payload fails as too large, and is not sent to the broker.
    /// Default: 1,000,000. The broker's `message.max.bytes` and the topic's `max.message.bytes` must allow this size.
    pub fn max_message_bytes(mut self, max: usize) -> Self {
        self.max_message_bytes = max;
        self
    }

    /// Sets how long a record may take until it is acknowledged, including the retries of librdkafka. Default: 30 seconds. The delivery
    /// of a payload that fails by this timeout is in doubt.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how long a record waits for others, so that they are sent in one batch. Default: 5 milliseconds.
    pub fn linger(mut self, linger: Duration) -> Self {
        self.linger = linger;
        self
    }

    /// Sets the compression of records. Default: none.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    setters!();

    /// Sets any other property of librdkafka, such as `partitioner` or `socket.keepalive.enable`.
    pub fn property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.push((name.into(), value.into()));
        self
    }

    /// Validates the settings and creates the transport. It connects in the background, so unavailable brokers are not an error here.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Config`] if a setting is invalid, and says which one. Other kinds mean that the producer could not be started.
    pub fn build(self) -> Result<KafkaTransport, TransportError> {
        let config = self.config()?;
        KafkaTransport::start(config, self.topic, self.key, self.max_batch)
    }

    fn config(&self) -> Result<ClientConfig, TransportError> {
        if self.brokers.trim().is_empty() {
            return Err(config_error("no brokers are set"));
        }
        check_topic(&self.topic)?;
        let mut config = ClientConfig::new();
        // Selects the same partition for a key as Kafka's Java producer. Further properties may override this and the following.
        config.set("partitioner", "murmur2_random");
        // So that a record fails because the topic is unknown, and not because of the timeout.
        config.set("topic.metadata.propagation.max.ms", (self.timeout.as_millis() / 3).to_string());
        config.set("statistics.interval.ms", "5000");
        for (name, value) in &self.properties {
            if is_reserved(name) {
                return Err(config_error(&format!("the property {name} cannot be set here; use its setter")));
            }
            config.set(name, value);
        }
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", &self.client_id)
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("message.timeout.ms", self.timeout.as_millis().to_string())
            .set("linger.ms", self.linger.as_millis().to_string())
            .set("message.max.bytes", self.max_message_bytes.to_string())
            .set("compression.type", self.compression.name());
        if self.timeout <= self.linger || self.timeout.as_millis() == 0 {
            return Err(config_error("the timeout must be longer than the linger"));
        }
        self.security.apply(&mut config)?;
        Ok(config)
    }
}

impl std::fmt::Debug for KafkaTransportBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KafkaTransportBuilder")
            .field("brokers", &self.brokers)
            .field("topic", &self.topic)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

pub(crate) fn config_error(text: &str) -> TransportError {
    TransportError::new(ErrorKind::Config, text)
}

/// Whether a property cannot be set by name. Security properties have their own setters, which validate them.
fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || is_about_security(name)
}

pub(crate) fn is_about_security(name: &str) -> bool {
    ["security.protocol", "sasl.", "ssl.", "enable.ssl."].iter().any(|start| name.starts_with(start))
}

/// Validates the name of a topic by Kafka's rules.
pub(crate) fn check_topic(topic: &str) -> Result<(), TransportError> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    match topic {
        "" => Err(config_error("no topic is set")),
        "." | ".." => Err(config_error(&format!("{topic} is not a valid topic name"))),
        _ if topic.len() > 249 => Err(config_error("the topic name is longer than 249 characters")),
        _ => match topic.chars().find(|c| !legal(*c)) {
            Some(c) => Err(config_error(&format!("the name of topic {topic:?} contains {c:?}, which is not allowed"))),
            None => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> KafkaTransportBuilder {
        KafkaTransportBuilder::new().brokers("127.0.0.1:9").topic("jkool")
    }

    fn error(builder: KafkaTransportBuilder) -> String {
        let error = builder.build().expect_err("a wrong setting");
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        error.to_string()
    }

    #[test]
    fn a_wrong_setting_is_named() {
        assert_eq!(error(builder().brokers(" ")), "no brokers are set");
        assert_eq!(error(builder().topic("")), "no topic is set");
        assert!(error(builder().topic("a topic")).contains("' '"));
        assert!(error(builder().topic("x".repeat(250))).contains("249"));
        assert!(error(builder().property("acks", "0")).contains("acks"));
        assert!(error(builder().property("sasl.password", "canary-1")).contains("sasl.password"));
        assert!(error(builder().property("no.such.thing", "1")).contains("no.such.thing"));
        assert!(error(builder().timeout(Duration::from_millis(5))).contains("timeout"));
        assert!(error(builder().max_message_bytes(1)).contains("message.max.bytes"));
    }

    #[test]
    fn the_producer_is_idempotent_and_waits_for_all_replicas() {
        let config =
            builder().compression(Compression::Lz4).property("partitioner", "random").config().expect("a config");
        for (name, value) in [
            ("enable.idempotence", "true"),
            ("acks", "all"),
            ("compression.type", "lz4"),
            ("partitioner", "random"),
            ("message.timeout.ms", "30000"),
        ] {
            assert_eq!(config.get(name), Some(value), "{name}");
        }
    }
}
