#![doc = include_str!("../README.md")]

mod builder;
mod connection;
mod driver;
mod packet;
mod session;
mod settings;
mod stats;
mod topic;
mod transport;
mod verdict;
mod version;

pub use builder::MqttTransportBuilder;
pub use stats::MqttStats;
pub use transport::MqttTransport;
pub use version::MqttVersion;
