#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod key;
mod producer;
#[cfg(feature = "tls")]
mod security;
mod stats;
mod transport;
mod verdict;

pub use builder::{Compression, KafkaTransportBuilder};
pub use key::RecordKey;
#[cfg(feature = "tls")]
pub use security::{Sasl, Tls};
pub use stats::KafkaStats;
pub use transport::KafkaTransport;
