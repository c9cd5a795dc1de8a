#![doc = include_str!("../README.md")]

mod access;
mod api;
mod app;
mod builder;
mod clock;
mod collector;
mod counters;
mod error_response;
mod filter;
mod intake;
mod listen;
mod page;
mod query;
mod script;
mod server;
mod start_error;
mod store;
mod tail;
mod test_collector;
mod time_arg;
mod tls;
mod tokens;

pub use builder::CollectorBuilder;
pub use clock::Clock;
pub use collector::Collector;
pub use counters::Counts;
pub use filter::{Filter, Kind, SeverityRange};
pub use query::{InvalidQuery, Query};
pub use script::Answer;
pub use start_error::StartError;
pub use store::{
    Appended, Bucket, Durability, EntityId, Flow, Metric, MetricName, Reader, Record, Retention, Severities, Sizes,
    Store, StoreBuilder, StoreError, StoreErrorKind, Stored, Top,
};
pub use test_collector::{TestCollector, TooFew};
pub use time_arg::{InvalidMoment, Moment};
pub use tls::TlsError;
