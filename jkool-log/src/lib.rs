#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod convert;
mod error;
mod filter;
mod logger;
mod properties;
mod structured;
mod value;

pub use builder::Builder;
pub use convert::convert;
pub use error::InstallError;
pub use jkool_client as client;
pub use jkool_client::Guard;
pub use jkool_client::model;
pub use jkool_client::transport;
pub use logger::Logger;

/// Returns a builder for the logger.
pub fn builder() -> Builder {
    Builder::new()
}
