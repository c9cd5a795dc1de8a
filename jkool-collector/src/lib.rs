#![doc = include_str!("../README.md")]

mod access;
mod api;
mod app;
mod builder;
mod clock;
mod collector;
mod filter;
mod intake;
mod listen;
mod moment;
mod page;
mod query;
mod refusal;
mod rehearsal;
mod server;
mod start_error;
mod store;
mod tail;
mod tally;
mod test_collector;
mod tls;
mod tokens;

pub use builder::CollectorBuilder;
pub use clock::Clock;
pub use collector::Collector;
pub use filter::{Filter, Kind, SeverityRange};
pub use moment::{InvalidMoment, Moment};
pub use query::{InvalidQuery, Query};
pub use rehearsal::Answer;
pub use start_error::StartError;
pub use store::{
    Appended, Bucket, Durability, EntityId, Flow, Metric, MetricName, Reader, Record, Retention, Severities, Sizes,
    Store, StoreBuilder, StoreError, StoreErrorKind, Stored, Top,
};
pub use tally::Counts;
pub use test_collector::{TestCollector, TooFew};
pub use tls::TlsError;
