//! Between the program's threads and the worker: what waits, its limits, and the accounts.

pub(crate) mod admission;
pub(crate) mod batch;
pub(crate) mod blocks;
pub(crate) mod completion;
pub(crate) mod ledger;
pub(crate) mod mark;
pub(crate) mod overflow;
pub(crate) mod shared;
