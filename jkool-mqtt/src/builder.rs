//! The settings of an MQTT transport, and their check.

use crate::settings::{Settings, config_error, setters};
use crate::topic::Topic;
use crate::transport::{MqttTransport, Task};
use jkool_transport::TransportError;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The largest packet that a broker may send to who only publishes.
const MAX_INCOMING: usize = 64 << 10;

/// The settings of a [`MqttTransport`]: see [`MqttTransport::builder`]. The last call of a setter counts.
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

    /// The identifier by which the broker knows this client; no two may use the same one at once. One that is made up by default,
    /// and forgotten by the broker soon.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.settings.client_id = Some(id.into());
        self
    }

    /// The topic to write to. Needed. It may hold places: `{kind}` (`event`, `activity`, `snapshot`, …), `{operation}` (of a
    /// snapshot its category), `{source}` and `{server}` (the application and the host in `source-fqn`) and `{correlator}` (the
    /// first one). A value is one level at most: `/`, `+`, `#` and control characters in it become `_`, of a longer one the first
    /// 128 characters are used, and `-` stands for one that an event does not have.
    pub fn topic(mut self, topic: impl Into<String>) -> Self {
        self.topic = topic.into();
        self
    }

    /// How many payloads are handed over at once before what became of them is waited for. 500 by default; what is less than 1
    /// counts as 1. After a failure those of the same unit may have been delivered although an older one was not.
    pub fn max_batch(mut self, max: usize) -> Self {
        self.max_batch = max.max(1);
        self
    }

    /// How many messages may be without an acknowledgement at once: 1,000 by default, at least 1. A broker of MQTT 5 may want
    /// fewer, which is heeded.
    pub fn max_in_flight(mut self, max: u16) -> Self {
        self.max_in_flight = max;
        self
    }

    /// How long a message that was written may be without an acknowledgement, new connections included. 30 seconds by default. A
    /// payload that fails by it is in doubt.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Checks the settings and makes the transport. It connects when there is something to send, so that a broker that is away
    /// is no error here.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](jkool_transport::ErrorKind::Config) says which setting is wrong.
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

/// Shows no password.
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
