//! Which MQTT is spoken.

/// The version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum MqttVersion {
    /// MQTT 5, by which a broker says why it refuses something, and how much it takes at once.
    #[default]
    V5,
    /// MQTT 3.1.1, for brokers that know no other.
    V311,
}

impl MqttVersion {
    /// How a CONNECT calls it.
    pub(crate) fn level(self) -> u8 {
        match self {
            Self::V5 => 5,
            Self::V311 => 4,
        }
    }
}
