#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod connection;
mod driver;
mod inbox;
mod packet;
#[cfg(feature = "relay")]
mod relay;
mod session;
mod settings;
mod source;
mod source_builder;
mod stats;
mod topic;
mod transport;
mod verdict;
mod version;

pub use builder::MqttTransportBuilder;
pub use source::{MqttMessage, MqttSource};
pub use source_builder::MqttSourceBuilder;
pub use stats::MqttStats;
pub use transport::MqttTransport;
pub use version::MqttVersion;
