#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod convert;
mod exporters;
mod logs;
mod metrics;
mod outlet;
mod spans;
mod suppress;

pub use builder::Builder;
pub use exporters::Exporters;
pub use jkool_client as client;
pub use jkool_client::Guard;
pub use jkool_client::model;
pub use jkool_client::transport;
pub use logs::JkoolLogExporter;
pub use metrics::JkoolMetricExporter;
pub use spans::JkoolSpanExporter;

/// Returns a builder for the exporters.
pub fn builder() -> Builder {
    Builder::new()
}
