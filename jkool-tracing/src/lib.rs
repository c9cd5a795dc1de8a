#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod activity;
mod builder;
mod correlators;
mod entered;
mod event;
mod extensions;
mod fields;
mod known_names;
mod layer;
mod line;
mod open_spans;
mod plain;
mod presence;
pub mod propagation;
mod properties;
mod record;
mod said;
mod settings;
mod severity;
mod shared;
mod span_ext;
#[cfg(all(tracing_unstable, feature = "valuable"))]
mod structured;
mod trace;

pub use builder::Builder;
pub use jkool_client as client;
pub use jkool_client::Guard;
pub use jkool_client::model;
pub use jkool_client::transport;
pub use layer::JkoolLayer;
pub use settings::Spans;
pub use span_ext::SpanExt;
pub use trace::{SpanId, TraceContext, TraceId};

/// Returns a builder for a [`JkoolLayer`].
pub fn builder() -> Builder {
    Builder::new()
}
