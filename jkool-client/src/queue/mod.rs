//! Between the program's threads and the worker: what waits, its limits, and the accounts.

pub(crate) mod admission;
mod amount;
pub(crate) mod batch;
pub(crate) mod block;
pub(crate) mod blocks;
mod budget;
mod cache_line;
pub(crate) mod completion;
pub(crate) mod consumer;
mod entry;
pub(crate) mod lane;
pub(crate) mod ledger;
pub(crate) mod limits;
mod lock;
pub(crate) mod mark;
pub(crate) mod origin;
pub(crate) mod overflow;
pub(crate) mod receipts;
pub(crate) mod reserve;
mod schedule;
mod shard;
mod shards;
pub(crate) mod shared;
mod signals;
mod spare;
mod timer;
pub(crate) mod wait;
