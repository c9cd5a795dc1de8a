//! The client without a disk: what it takes, delivers, and says of it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/spools.rs"]
mod spools;
#[path = "../common/transports.rs"]
mod transports;

mod deadlines;
mod delivery;
mod emit;
mod emit_async;
mod http;
mod load;
mod outage;
mod priority;
mod receipts;
mod runtimes;
mod shedding;
mod token;
