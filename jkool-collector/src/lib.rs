#![doc = include_str!("../README.md")]

mod api;
mod app;
mod clock;
mod collector;
mod filter;
mod intake;
mod moment;
mod page;
mod query;
mod store;
mod tail;

pub use clock::Clock;
pub use collector::{Collector, CollectorBuilder};
pub use filter::{Filter, Kind, SeverityRange};
pub use moment::{InvalidMoment, Moment};
pub use query::{InvalidQuery, Query};
pub use store::{
    Appended, Bucket, Durability, EntityId, Flow, Metric, MetricName, Reader, Record, Retention, Severities, Sizes,
    Store, StoreBuilder, StoreError, StoreErrorKind, Stored, Top,
};
