//! The settings of an MQTT transport, and their validation.

use crate::settings::{Settings, config_error, setters};
use crate::topic::Topic;
use crate::transport::{MqttTransport, Task};
use jkool_transport::TransportError;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The largest packet that a broker may send to a client that only publishes.
const MAX_INCOMING: usize = 64 << 10;

/// A builder for an [`MqttTransport`]; [`MqttTransport::builder`] creates it. If a setter is called twice, the last call counts.
#[must_use = "a builder does nothing until build"]
pub struct MqttTransportBuilder {
    settings: Settings,
    topic: String,
    max_batch: usize,
    max_in_flight: u16,
    timeout: Duration,
}

impl MqttTransportBuilder {
    pub(crate) fn new() -> Self {
        Self {
            settings: Settings::new(),
            topic: String::new(),
            max_batch: 500,
            max_in_flight: 1000,
            timeout: Duration::from_secs(30),
        }
    }

    setters!();

    /// Sets the client identifier. Two clients must not use the same identifier at the same time. By default it is generated, and the
    /// broker soon deletes its session.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.settings.client_id = Some(id.into());
        self
    }

    /// Sets the topic to write to. Required.
    ///
    /// The topic may contain placeholders: `{kind}` (`event`, `activity`, `snapshot`, …), `{operation}` (for a snapshot its category),
    /// `{source}` and `{server}` (the application and the host in `source-fqn`) and `{correlator}` (the first one). A value is never more
    /// than one level of the topic: `/`, `+`, `#` and control characters in it become `_`. At most the first 128 characters of a value are
    /// used. If an event does not have the value, it is replaced by `-`.
    pub fn topic(mut self, topic: impl Into<String>) -> Self {
        self.topic = topic.into();
        self
    }

    /// Sets how many payloads are handed to the delivery task before the transport waits for their outcome. Default: 500; 0 counts as 1.
    /// After a failure, later payloads of the same group may have been delivered although an earlier one was not.
    pub fn max_batch(mut self, max: usize) -> Self {
        self.max_batch = max.max(1);
        self
    }

    /// Sets the maximum number of messages that are not acknowledged yet. Default: 1,000; the minimum is 1. An MQTT 5 broker may set a lower
    /// limit, which is respected.
    pub fn max_in_flight(mut self, max: u16) -> Self {
        self.max_in_flight = max;
        self
    }

    /// Sets how long to wait for the acknowledgement of a message after it was first written, including the time for new connections.
    /// Default: 30 seconds. The delivery of a payload that fails by this timeout is in doubt.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Validates the settings and creates the transport. It connects when there is something to send, so an unavailable broker is not an
    /// error here.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Config`](jkool_transport::ErrorKind::Config), and says which setting is invalid.
    pub fn build(self) -> Result<MqttTransport, TransportError> {
        let topic = Topic::parse(&self.topic).map_err(|text| config_error(&text))?;
        let (connector, connect) = self.settings.build(u16::MAX, MAX_INCOMING)?;
        Ok(MqttTransport {
            connector: Arc::new(connector),
            connect: Arc::new(connect),
            topic,
            max_batch: self.max_batch,
            max_in_flight: self.max_in_flight,
            timeout: self.timeout,
            counters: Arc::default(),
            task: Mutex::new(Task::Idle),
        })
    }
}

/// Omits the password.
impl fmt::Debug for MqttTransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MqttTransportBuilder")
            .field("server", &self.settings.server)
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jkool_transport::ErrorKind;

    fn builder() -> MqttTransportBuilder {
        MqttTransportBuilder::new().server("mqtt://127.0.0.1:9").topic("jkool")
    }

    fn error(builder: MqttTransportBuilder) -> String {
        let error = builder.build().expect_err("a wrong setting");
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        error.to_string()
    }

    #[test]
    fn a_wrong_setting_is_named() {
        assert_eq!(error(builder().server("")), "no server is set");
        assert!(error(builder().server("tcp://h:1")).contains("expected mqtt://host[:1883]"));
        assert_eq!(error(builder().topic("")), "no topic is set");
        assert!(error(builder().topic("a/#")).contains("'#'"));
        assert!(error(builder().client_id("x".repeat(70_000))).contains("client_id"));
        assert!(error(builder().client_id("a\0b")).contains("U+0000"));
        assert!(error(builder().credentials("u", "canary-1")).contains("allow_plaintext_password"));
        assert!(error(builder().ca_certificate_pem("x").server("mqtts://h")).contains("ca_certificate_pem"));
    }

    #[test]
    fn no_text_shows_the_password() {
        let builder = builder().credentials("u", "canary-1").allow_plaintext_password(true);
        assert!(!format!("{builder:?}").contains("canary"));
        assert!(!format!("{:?}", builder.build().expect("a transport")).contains("canary"));
    }
}
