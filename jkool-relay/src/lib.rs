#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod connections;
mod dead_letters;
mod decode;
mod endpoint;
mod engine;
mod folder;
mod http;
mod in_flight;
mod lines;
mod partitions;
mod relay;
mod source;
mod status;
mod tcp;
mod tls;
mod verdict;

pub use builder::RelayBuilder;
pub use endpoint::Endpoint;
pub use folder::FolderSource;
pub use http::{HttpSource, HttpSourceBuilder};
pub use relay::{Relay, RelayError, RelayReport};
pub use source::{Next, Position, Record, Revoked, Source, SourceError};
pub use status::RelayStatus;
pub use tcp::TcpSource;
