#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod access;
mod api;
mod app;
mod builder;
mod clock;
mod collector;
mod condition;
mod counters;
mod dashboard;
mod error_response;
mod expression;
mod field;
mod filter;
mod intake;
mod jkql;
mod like;
mod listen;
mod page;
mod query;
mod rate;
mod script;
mod server;
mod start_error;
mod store;
mod tail;
mod test_collector;
mod time_arg;

#[doc(hidden)]
pub use api::csv_field;
pub use builder::CollectorBuilder;
pub use clock::Clock;
pub use collector::Collector;
pub use condition::{Condition, InvalidCondition, Test};
pub use counters::Counts;
pub use expression::Expression;
pub use field::{FieldName, UnknownField};
pub use filter::{Filter, Kind, SeverityRange};
pub use jkool_intake::TlsError;
pub use jkool_jkql::{Period, Zone};
pub use jkql::{Answer as JkqlAnswer, Column, ColumnType, JkqlError, Request, ask};
pub use query::{InvalidQuery, Query};
pub use rate::{InvalidRate, Rate, Window};
pub use script::Answer;
pub use start_error::StartError;
pub use store::{
    Aggregation, Appended, Bucket, Durability, EntityId, Flow, Function, Group, InvalidEntityId, InvalidMeasure, Key,
    Measure, Metric, MetricName, Progress, Reader, Record, Retention, Row, Severities, Sizes, Store, StoreBuilder,
    StoreError, StoreErrorKind, Stored, Top,
};
pub use test_collector::{TestCollector, TooFew};
pub use time_arg::{InvalidMoment, Moment};
