#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "tcp")]
mod connector;
mod error;
mod failover;
#[cfg(feature = "file")]
mod file;
#[cfg(feature = "http")]
mod http;
mod memory;
mod metric;
mod payload;
mod receipt;
mod receipt_builder;
#[cfg(feature = "file")]
mod serial;
#[cfg(feature = "file")]
mod stdout;
#[cfg(feature = "tcp")]
mod tcp;
mod tee;
mod token;
mod transport;

#[cfg(feature = "tcp")]
#[doc(hidden)]
pub use connector::{Connector, ConnectorBuilder, Schemes, Stream};
pub use error::{ErrorKind, TransportError};
pub use failover::Failover;
#[cfg(feature = "file")]
pub use file::{FileTransport, FileTransportBuilder};
#[cfg(feature = "http")]
#[doc(hidden)]
pub use http::Questions;
#[cfg(feature = "http")]
pub use http::{DEFAULT_URL, HttpTransport, HttpTransportBuilder};
pub use memory::{DecodeError, MemoryTransport, Step};
pub use metric::{Metric, MetricKind};
pub use payload::{Kind, Payload};
pub use receipt::{Disposition, Failure, Outcome, Receipt};
pub use receipt_builder::ReceiptBuilder;
#[cfg(feature = "file")]
pub use stdout::StdoutTransport;
#[cfg(feature = "tcp")]
pub use tcp::{TcpTransport, TcpTransportBuilder};
pub use tee::Tee;
pub use token::{Token, TokenError};
pub use transport::Transport;

/// For the fuzz targets, which see no private function.
#[cfg(all(fuzzing, feature = "http"))]
#[doc(hidden)]
pub mod fuzzing {
    pub fn retry_after(values: &[&[u8]], now: std::time::SystemTime) {
        crate::http::laws::retry_after(values, now);
    }
}
