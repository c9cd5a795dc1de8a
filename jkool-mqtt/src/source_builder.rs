//! The settings of a source, and their validation.

use crate::inbox::Inbox;
use crate::settings::{Settings, config_error, setters};
use crate::source::MqttSource;
use jkool_transport::TransportError;
use std::fmt;

/// A builder for an [`MqttSource`]; [`MqttSource::builder`] creates it. If a setter is called twice, the last call counts.
#[must_use = "a builder does nothing until build"]
pub struct MqttSourceBuilder {
    settings: Settings,
    filter: String,
    max_unsettled: u16,
    max_message_bytes: usize,
}

impl MqttSourceBuilder {
    pub(crate) fn new() -> Self {
        Self { settings: Settings::new(), filter: String::new(), max_unsettled: 1000, max_message_bytes: 4 << 20 }
    }

    setters!();

    /// Sets the client identifier, for which the broker keeps messages that are not settled. Two clients must not use the same identifier at
    /// the same time. Required.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.settings.client_id = Some(id.into());
        self
    }

    /// Sets the topic filter, such as `jkool/#`, or `$share/relays/jkool/#`, with which several programs share the messages. Required.
    pub fn topic(mut self, filter: impl Into<String>) -> Self {
        self.filter = filter.into();
        self
    }

    /// Sets how many messages are returned before one must be settled. Default: 1,000; the minimum is 1. An MQTT 5 broker sends no more
    /// ahead.
    pub fn max_unsettled(mut self, max: u16) -> Self {
        self.max_unsettled = max.max(1);
        self
    }

    /// Sets the largest packet that is accepted, in bytes. Default: 4 MiB. An MQTT 5 broker drops larger messages. An MQTT 3.1.1 broker
    /// sends them, which ends the connection each time.
    pub fn max_message_bytes(mut self, max: usize) -> Self {
        self.max_message_bytes = max;
        self
    }

    /// Validates the settings and creates the source, which connects at the first call of [`next`](MqttSource::next).
    ///
    /// # Errors
    /// Returns [`ErrorKind::Config`](jkool_transport::ErrorKind::Config), and says which setting is invalid.
    pub fn build(self) -> Result<MqttSource, TransportError> {
        if self.settings.client_id.as_deref().unwrap_or_default().is_empty() {
            return Err(config_error(
                "no client_id is set, which the broker needs to keep messages that are not acknowledged",
            ));
        }
        check_filter(&self.filter).map_err(|text| config_error(&text))?;
        let (connector, connect) = self.settings.build(self.max_unsettled, self.max_message_bytes.max(1))?;
        Ok(MqttSource {
            #[cfg(feature = "relay")]
            relayed: crate::relay::Relayed::new(format!("mqtt {connector} {}", self.filter)),
            connector,
            connect,
            filter: self.filter,
            max_unsettled: self.max_unsettled.into(),
            inbox: Inbox::default(),
            connection: None,
            is_subscribed: false,
            is_paused: false,
            not_before: None,
        })
    }
}

/// Validates a topic filter: a wildcard must be a level by itself, and `#` must be the last level.
fn check_filter(filter: &str) -> Result<(), String> {
    if filter.is_empty() {
        return Err("no topic is set".to_owned());
    }
    if filter.len() > usize::from(u16::MAX) || filter.contains('\0') {
        return Err("the topic is longer than MQTT allows, or contains U+0000".to_owned());
    }
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        let is_last = levels.peek().is_none();
        if level.len() > 1 && level.contains(['+', '#']) || level == "#" && !is_last {
            return Err(format!("the topic {filter:?} has a wildcard in {level:?}, where it is not allowed"));
        }
    }
    Ok(())
}

/// Omits the password.
impl fmt::Debug for MqttSourceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MqttSourceBuilder")
            .field("server", &self.settings.server)
            .field("topic", &self.filter)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_setting_is_named() {
        let builder = || MqttSourceBuilder::new().server("mqtt://h").client_id("relay").topic("jkool/#");
        assert!(builder().build().is_ok());
        assert!(builder().topic("$share/relays/jkool/+/event").build().is_ok());
        let error = |builder: MqttSourceBuilder| builder.build().expect_err("a wrong setting").to_string();
        assert!(error(builder().client_id("")).contains("client_id"));
        assert!(error(builder().topic("")).contains("no topic"));
        assert!(error(builder().topic("a/#/b")).contains("wildcard"));
        assert!(error(builder().topic("a/b+")).contains("wildcard"));
    }
}
