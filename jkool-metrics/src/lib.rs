#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod client_stats;
mod clock;
mod collect;
mod counter;
mod descriptions;
mod error;
mod gauge;
mod guard;
mod histogram;
mod interval;
mod limits;
mod probe;
#[cfg(feature = "process")]
mod process;
mod recorder;
mod registry;
mod series;
mod snapshot;
#[cfg(feature = "tokio")]
mod tokio_runtime;
mod units;

pub use builder::Builder;
pub use error::InstallError;
pub use guard::Guard;
pub use jkool_client as client;
pub use jkool_client::model;
pub use jkool_client::transport;
pub use recorder::{Recorder, RecorderStats};

/// Returns a builder for the recorder.
pub fn builder() -> Builder {
    Builder::new()
}
