#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod api;
mod delivery;
mod emit;
#[doc(hidden)]
pub mod facade;
#[cfg(feature = "query")]
mod query;
mod queue;
mod report;
mod spool;

pub use api::builder::ClientBuilder;
pub use api::client::Client;
pub use api::draft::{ActivityDraft, EventDraft, SnapshotDraft};
pub use api::error::BuildError;
pub use api::permit::Permit;
pub use api::receipt::DeliveryReceipt;
pub use api::scope::Scope;
pub use delivery::retry::RetryPolicy;
pub use emit::delivery_thread::DeliveryThread;
#[doc(hidden)]
pub use emit::{
    catch_panic::catch_panic,
    code::Code,
    line::{Content, Line},
    more::More,
    raw_properties::{RawProperties, RawProperty},
    span::{EndedSpan, SpanBytes, SpanOutcome},
    thread::spawn as spawn_thread,
};
pub use facade::guard::Guard;
pub use facade::panic_hook::{PanicHook, panic_hook};
pub use jkool_model as model;
pub use jkool_transport as transport;
#[cfg(feature = "query")]
pub use query::{Query, QueryAnswer, QueryBuilder, QueryColumn, QueryColumnType, QueryError, QueryErrorKind, QueryRow};
pub use queue::overflow::{Admission, OverflowPolicy};
pub use report::health::{Condition, Health};
pub use report::loss::{DeadLetter, LossReason};
pub use report::outcome::DeliveryOutcome;
pub use report::stats::{Report, Stats};
pub use spool::settings::{Spool, SpoolMode};

/// Returns whether the calling thread belongs to the delivery of a client. A logging adapter calls this and discards records of
/// such a thread: they come from the HTTP stack that sends the events.
pub fn is_delivery_thread() -> bool {
    emit::delivery_thread::is_current()
}
