//! The versions of MQTT.

/// The version of the MQTT protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum MqttVersion {
    /// MQTT 5, in which a broker reports why it refuses a message, and how much it accepts at once.
    #[default]
    V5,
    /// MQTT 3.1.1, for brokers that do not support MQTT 5.
    V311,
}

impl MqttVersion {
    /// The protocol level in a CONNECT packet.
    pub(crate) fn level(self) -> u8 {
        match self {
            Self::V5 => 5,
            Self::V311 => 4,
        }
    }
}
