#![doc = include_str!("../README.md")]

mod attributes;
mod distribution;
mod export;
mod ids;
mod json;
mod limits;
mod log;
mod mapped;
mod metric;
mod origin;
pub mod proto;
mod span;
mod time;
mod units;
mod weight;

pub use export::{Encoding, ReadError, Signal, map_logs, map_metrics, map_traces};
pub use limits::Limits;
pub use mapped::Mapped;
