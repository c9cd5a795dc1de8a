//! The settings of a Kafka source, and their validation.

use super::KafkaSource;
use super::consumer::StartError;
use crate::builder::{check_topic, config_error};
use crate::security::{Security, setters};
use jkool_transport::{ErrorKind, TransportError};
use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;

/// Properties that cannot be set, because the guarantees depend on them or because they have their own setters.
const RESERVED: [&str; 10] = [
    "auto.commit.enable",
    "bootstrap.servers",
    "client.id",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.partition.eof",
    "group.id",
    "group.protocol",
    "metadata.broker.list",
    "partition.assignment.strategy",
];

/// A builder for a [`KafkaSource`]; [`KafkaSource::builder`] creates it. If a setter is called twice, the last call counts.
#[must_use = "a builder does nothing until start"]
pub struct KafkaSourceBuilder {
    brokers: String,
    topic: String,
    group: String,
    client_id: String,
    security: Security,
    properties: Vec<(String, String)>,
}

impl KafkaSourceBuilder {
    pub(super) fn new() -> Self {
        Self {
            brokers: String::new(),
            topic: String::new(),
            group: "jkool-relay".into(),
            client_id: "jkool-relay".into(),
            security: Security::default(),
            properties: Vec::new(),
        }
    }

    /// Sets some brokers of the cluster, as a comma-separated list of `host:port`. The client discovers the others. Required.
    pub fn brokers(mut self, brokers: impl Into<String>) -> Self {
        self.brokers = brokers.into();
        self
    }

    /// Sets the topic to read. Required.
    pub fn topic(mut self, topic: impl Into<String>) -> Self {
        self.topic = topic.into();
        self
    }

    /// Sets the consumer group, whose members share the partitions and the offsets of the topic. Default: `jkool-relay`.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = group.into();
        self
    }

    /// Sets the client id, which brokers use for logs and quotas. Default: `jkool-relay`.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = id.into();
        self
    }

    setters!();

    /// Sets any other property of librdkafka, such as `auto.offset.reset`, `session.timeout.ms` or `group.instance.id`.
    pub fn property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.push((name.into(), value.into()));
        self
    }

    /// Validates the settings and joins the group. It connects in the background, so unavailable brokers are not an error here.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Config`] if a setting is invalid, and says which one. Other kinds mean that the consumer could not be started.
    pub fn start(self) -> Result<KafkaSource, TransportError> {
        let config = self.config()?;
        KafkaSource::start(config, &self.topic).map_err(|error| match error {
            // The value is omitted, because it may be a password.
            StartError::Config(KafkaError::ClientConfig(_, reason, name, _)) => {
                config_error(&format!("librdkafka rejected the property {name}: {reason}"))
            }
            StartError::Config(error) => config_error(&format!("librdkafka: {error}")),
            StartError::Thread(error) => {
                TransportError::new(ErrorKind::Other, "a thread could not be started").with_source(error)
            }
        })
    }

    fn config(&self) -> Result<ClientConfig, TransportError> {
        check_topic(&self.topic)?;
        if self.brokers.trim().is_empty() {
            return Err(config_error("no brokers are set"));
        }
        if self.group.trim().is_empty() {
            return Err(config_error("no group is set"));
        }
        let mut config = ClientConfig::new();
        // A new group starts with the oldest record. The prefetch queue is small, to save memory, and is soon used up, so the default
        // wait of one second before fetching again would be too long.
        config.set("auto.offset.reset", "earliest").set("queued.max.messages.kbytes", "2048");
        config.set("fetch.max.bytes", "1048576").set("fetch.queue.backoff.ms", "10");
        for (name, value) in &self.properties {
            if RESERVED.contains(&name.as_str()) || crate::builder::is_about_security(name) {
                return Err(config_error(&format!("the property {name} is set by the source itself")));
            }
            config.set(name, value);
        }
        config
            .set("bootstrap.servers", &self.brokers)
            .set("group.id", &self.group)
            .set("client.id", &self.client_id)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("partition.assignment.strategy", "cooperative-sticky");
        self.security.apply(&mut config)?;
        Ok(config)
    }
}

impl std::fmt::Debug for KafkaSourceBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KafkaSourceBuilder")
            .field("brokers", &self.brokers)
            .field("topic", &self.topic)
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::KafkaSourceBuilder;

    fn builder() -> KafkaSourceBuilder {
        KafkaSourceBuilder::new().brokers("127.0.0.1:9").topic("jkool")
    }

    #[test]
    fn a_wrong_setting_is_named() {
        let error = |builder: KafkaSourceBuilder| builder.start().expect_err("a wrong setting").to_string();
        assert_eq!(error(builder().brokers(" ")), "no brokers are set");
        assert_eq!(error(builder().topic("")), "no topic is set");
        assert_eq!(error(builder().group("")), "no group is set");
        for name in ["enable.auto.commit", "group.id", "sasl.password", "ssl.key.password"] {
            assert!(error(builder().property(name, "canary-1")).contains(name));
        }
        assert!(error(builder().property("no.such.thing", "1")).contains("no.such.thing"));
        assert!(error(builder().property("auto.offset.reset", "canary-1")).contains("auto.offset.reset"));
    }

    #[test]
    fn nothing_is_committed_behind_our_back() {
        let config = builder().property("auto.offset.reset", "latest").config().expect("a config");
        for (name, value) in [
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("auto.offset.reset", "latest"),
            ("group.id", "jkool-relay"),
        ] {
            assert_eq!(config.get(name), Some(value), "{name}");
        }
    }
}
