#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod key;
mod producer;
mod security;
#[cfg(feature = "relay")]
mod source;
mod statistics;
mod stats;
mod transport;
mod verdict;

pub use builder::{Compression, KafkaTransportBuilder};
pub use key::RecordKey;
pub use security::{Sasl, Tls};
#[cfg(feature = "relay")]
pub use source::{KafkaSource, KafkaSourceBuilder};
pub use stats::KafkaStats;
pub use transport::KafkaTransport;
