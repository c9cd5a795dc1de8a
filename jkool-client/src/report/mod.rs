//! What the client reports to the program and its operators.

pub(crate) mod diagnostics;
pub(crate) mod health;
pub(crate) mod last_minute;
pub(crate) mod loss;
mod open_metrics;
pub(crate) mod outcome;
mod serialize;
pub(crate) mod stats;
pub(crate) mod stderr;
