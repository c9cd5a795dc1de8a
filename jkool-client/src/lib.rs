#![doc = include_str!("../README.md")]

mod builder;
mod caught;
mod client;
mod clock;
mod completion;
mod decoration;
mod defaults;
mod delivery;
mod draft;
mod encode;
mod engine;
mod error;
mod health;
mod host;
mod intake;
mod ledger;
mod line;
mod loss;
mod notices;
mod overflow;
mod prepare;
mod queue;
mod retry;
mod scope;
mod shared;
mod sheet;
mod shorten;
mod spool;
mod spooler;
mod stats;
mod window;
mod worker;

pub use builder::ClientBuilder;
pub use client::Client;
pub use draft::{ActivityDraft, EventDraft, SnapshotDraft};
pub use error::BuildError;
pub use health::{Condition, Health};
pub use jkool_model as model;
pub use jkool_transport as transport;
#[doc(hidden)]
pub use line::{Code, Line};
pub use loss::{DeadLetter, LossReason};
pub use overflow::{Admission, OverflowPolicy};
pub use retry::RetryPolicy;
pub use scope::Scope;
pub use spool::{Spool, SpoolMode};
pub use stats::{Report, Stats};

/// Whether the calling thread belongs to a client's delivery. A logging adapter asks this and drops what comes from there:
/// it is the HTTP stack talking about the sending of events.
pub fn is_delivery_thread() -> bool {
    worker::is_current()
}
